package io.tombolo.deploy.drill;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.coordinator.wire.Reply.TakeoverState;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.deploy.report.DrillReport.Verdict;
import io.tombolo.deploy.report.FailoverReport;
import io.tombolo.deploy.report.FailoverText;
import io.tombolo.deploy.report.ReportWriter;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.VmSlot;
import io.tombolo.region.WatchdogBound;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a failover drill makes of what it sees: a real region whose words a thread changes as a takeover does, and a
/// guest that is only a table of keys.
final class FailoverDrillTest {
    @TempDir
    Path directory;

    private final FakeCluster guests = new FakeCluster();
    private Region region;
    private Hosts hosts;

    @BeforeEach
    void aRegion() {
        Path file = directory.resolve("region");
        Region.format(file, FormatOptions.of(UUID.randomUUID(), 4L << 20).withMetadataSlotBytes(1 << 13));
        region = Region.open(file, OpenOptions.readWrite());
        hosts = new Hosts();
    }

    @AfterEach
    void close() {
        region.close();
    }

    private static VmSpec spec() {
        return new VmSpec("v", new UUID(0, 1), "simulated", 1 << 20, 1, "kv", 1 << 18, "uniform", 5)
                .withProtection(5_000);
    }

    private FailoverReport run(FailureKind... kinds) {
        FailoverPlan plan = new FailoverPlan(3, spec(), 2, List.of(kinds), 1, 0, 500);
        return new FailoverDrill(plan, () -> hosts, DrillProgress.silent(), System::nanoTime).run();
    }

    private static List<String> verdicts(FailoverReport report, Verdict verdict) {
        return report.checks().stream().filter(c -> c.verdict() == verdict).map(c -> c.name()).toList();
    }

    @Test
    void everyFailureIsReportedByItsPhasesAndAGoodRunPasses() {
        FailoverReport report = run(FailureKind.KILL, FailureKind.STOP, FailureKind.PARTITION);

        assertThat(report.passed()).as(report.checks().toString()).isTrue();
        assertThat(hosts.calls).containsExactly("kill h1", "heal h1", "stop h2", "heal h2", "partition h3");
        assertThat(report.failures()).extracting(FailoverReport.Failure::kind).containsExactly("kill", "stop",
                "partition");
        assertThat(report.failures()).extracting(FailoverReport.Failure::to).containsExactly("h2", "h3", "h1");
        assertThat(report.failures()).allSatisfy(failure -> {
            FailoverReport.Phases phases = failure.phases();
            assertThat(phases.detectNs() + phases.confirmNs() + phases.takeNs() + phases.recoverNs()
                    + phases.resumeNs()).isEqualTo(failure.rtoNs());
            assertThat(failure.rtoNs() + phases.answerNs()).isEqualTo(failure.answeredNs());
            assertThat(failure.pagesRolledBack()).isEqualTo(17);
            assertThat(failure.acknowledgedBefore()).isPositive();
        });
        assertThat(report.pagesRolledBack()).isEqualTo(3 * 17);
        assertThat(report.byKind()).hasSize(3);
        assertThat(guests.closed).isOne();
        assertThat(FailoverText.text(report)).contains("3 failures under a protected kv guest with 1 MiB")
                .contains("operations lost that were acknowledged: 0").containsPattern("(?m)^partition +1 ")
                .containsPattern("(?m)^sum +4.\\d+ s");
        assertThat(ReportWriter.html(report)).contains("Tombolo failover drill").doesNotContain("/*DATA*/");
    }

    @Test
    void anAnswerThatForgetsWhatWasAcknowledgedFailsTheDrill() {
        AtomicLong answers = new AtomicLong();
        guests.spoilReply = reply -> answers.incrementAndGet() % 50 == 0
                ? new GuestReply(reply.clientId(), reply.seq(), reply.status(), List.of(-7L))
                : reply;

        FailoverReport report = run(FailureKind.KILL);

        assertThat(report.lostAcknowledged()).isPositive();
        assertThat(verdicts(report, Verdict.FAIL)).containsExactly("no acknowledged operation lost");
        assertThat(FailoverDrill.failed(report)).hasMessageContaining("checks=no acknowledged operation lost")
                .hasMessageContaining("seed=5");
    }

    @Test
    void aVmThatRunsBeforeItsHostIsConfirmedFailsTheDrill() {
        hosts.confirmFirst = false;

        FailoverReport report = run(FailureKind.KILL);

        assertThat(report.doubleOwners()).isOne();
        assertThat(verdicts(report, Verdict.FAIL)).containsExactly("one host at a time");
    }

    @Test
    void aTakeoverDuringWhichAnotherHostEndedIsNotHeldAgainstTheFormula() {
        hosts.others.add("h3 WATCHDOG");

        FailoverReport report = run(FailureKind.STOP);

        assertThat(report.passed()).isTrue();
        assertThat(report.failures().getFirst().otherStops()).containsExactly("h3 WATCHDOG");
        assertThat(verdicts(report, Verdict.MISSED)).contains("one failure at a time");
        assertThat(report.checks()).extracting(c -> c.name()).doesNotContain("takeover within the formula");
    }

    /// Three hosts of the region, each failure followed by a takeover of the next.
    private final class Hosts implements FailoverCluster {
        private final List<String> calls = new ArrayList<>();
        private final List<String> others = new ArrayList<>();
        private final Map<String, ClaimedSlot> slots = new HashMap<>();
        private boolean confirmFirst = true;
        private Thread takeover;

        private final DrillCluster drill = (DrillCluster) Proxy.newProxyInstance(
                DrillCluster.class.getClassLoader(), new Class<?>[]{DrillCluster.class}, (_, method, arguments) -> {
                    if (method.getName().equals("region")) {
                        return region.file();
                    }
                    if (method.getName().equals("create")) {
                        guests.hosts().forEach(Hosts.this::join);
                        own(OwnerState.CREATING, "h1", 1);
                        own(OwnerState.RUNNING, "h1", 1);
                    }
                    if (method.getName().equals("destroy")) {
                        long owner = region.vm(0).ownerAcquire();
                        region.vm(0).compareAndSetOwner(owner, OwnerWord.pack(OwnerState.DESTROYING,
                                OwnerWord.slot(owner), OwnerWord.epoch(owner) + 1));
                        region.vm(0).compareAndSetOwner(region.vm(0).ownerAcquire(), OwnerWord.pack(OwnerState.FREE, 0,
                                OwnerWord.epoch(owner) + 1));
                    }
                    try {
                        return method.invoke(guests, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });

        private void join(String host) {
            slots.put(host, HostSlots.claim(region, new HostIdentity(UUID.randomUUID(), host, UUID.randomUUID(), 1,
                    WatchdogBound.UNKNOWN)));
        }

        private void own(OwnerState state, String host, long epoch) {
            VmSlot vm = region.vm(0);
            assertThat(vm.compareAndSetOwner(vm.ownerAcquire(),
                    OwnerWord.pack(state, slots.get(host).slot(), epoch))).isTrue();
        }

        @Override
        public DrillCluster drill() {
            return drill;
        }

        @Override
        public void fail(String host, FailureKind kind) {
            calls.add(kind.text() + " " + host);
            takeover = Thread.ofPlatform().start(() -> takeOver(host));
        }

        private void takeOver(String host) {
            String next = guests.hosts().get((guests.hosts().indexOf(host) + 1) % guests.hosts().size());
            long epoch = OwnerWord.epoch(region.vm(0).ownerAcquire()) + 1;
            ClaimedSlot dead = slots.get(host);
            HostSlots.fence(region, dead.slot(), dead.incarnation());
            own(OwnerState.RECOVERING, next, epoch);
            if (confirmFirst) {
                HostSlots.confirmStopped(region, dead.slot(), dead.incarnation());
            }
            guests.migrate("v", next, MigrateMode.HANDOFF);
            own(OwnerState.RUNNING, next, epoch);
        }

        @Override
        public List<String> restartOthers(String failed) {
            List<String> now = List.copyOf(others);
            others.clear();
            return now;
        }

        @Override
        public void heal(String host) {
            calls.add("heal " + host);
            ClaimedSlot dead = slots.get(host);
            HostSlots.free(region, dead.slot(), dead.incarnation());
            join(host);
        }

        @Override
        public TakeoverState takeover(String host, int vmSlot) {
            try {
                takeover.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError(e);
            }
            long now = System.nanoTime();
            return new TakeoverState(vmSlot, "RUNNING", "", List.of(), now, now, now, now, 17);
        }

        @Override
        public String explain(String vm) {
            return "";
        }

        @Override
        public Path saveLogs() {
            return directory;
        }

        @Override
        public List<VmStatus> list() {
            return List.of();
        }

        @Override
        public void killAll() {
            throw new AssertionError("not asked for");
        }

        @Override
        public void startAll() {
            throw new AssertionError("not asked for");
        }

        @Override
        public void close() {
            guests.close();
        }
    }
}

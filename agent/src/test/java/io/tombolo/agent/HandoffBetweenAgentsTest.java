package io.tombolo.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.HostPorts.Peer;
import io.tombolo.agent.handoff.HostPorts.WindowEnd;
import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.ArmedWord;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.VmSlot;
import io.tombolo.region.WatchdogBound;
import io.tombolo.region.os.Linux;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What two agents say to each other at a hand-off, with everything real but the network and ZooKeeper.
final class HandoffBetweenAgentsTest {
    private static final UUID CLUSTER = new UUID(3, 4);
    private static final VmSpec SPEC = new VmSpec("vm", new UUID(5, 6), SimulatedHypervisor.NAME, 1 << 20, 1, "dirty",
            1 << 20, "uniform", 7);
    private static final long MS = 1_000_000;
    private static final long TERM = 1;
    private static final long NONCE = 99;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private Region region;
    private TestAgent ant;
    private TestAgent bee;

    @BeforeEach
    void start() {
        Path file = directory.resolve("region");
        Region.format(file, FormatOptions.of(CLUSTER, 8 << 20).withHostSlots(2).withVmSlots(2)
                .withMetadataSlotBytes(1 << 13));
        region = Region.open(file, OpenOptions.ofCluster(CLUSTER));
        ant = new TestAgent("ant");
        bee = new TestAgent("bee");
        ant.peer = bee;
        ask(ant, new AgentRequest.CreateVm(TERM, 0, SPEC), Reply.VmReply.class);
    }

    @AfterEach
    void stop() {
        ant.close();
        bee.close();
        region.close();
    }

    @Test
    void aWindowThatPassedIsOpenedAgain() {
        AtomicInteger asked = new AtomicInteger();
        ant.windows = (intentSeq, epoch) -> asked.incrementAndGet() <= 2
                ? CompletableFuture.completedFuture(WindowEnd.PASSED)
                : bee.openWindow(intentSeq, epoch);

        HandoffReport report = handOver(1);

        assertThat(report.outcome()).isEqualTo(HandoffOutcome.COMPLETED);
        assertThat(asked.get()).isGreaterThanOrEqualTo(3);
        assertThat(report.firstInstructionNs()).isGreaterThan(report.lastInstructionNs());
    }

    @Test
    void aTargetTellsItsReadingsToWhoeverAsksAgain() {
        HandoffReport report = handOver(1);

        WindowEnd again = bee.openWindow(1, report.epochBefore()).join();
        assertThat(again.ran()).isTrue();
        assertThat(again.firstInstructionNs()).isEqualTo(report.firstInstructionNs());
        assertThat(bee.openWindow(2, report.epochBefore()).join().ran()).isFalse();
    }

    @Test
    void aSourceThatMissedTheReadingsAsksForThem() {
        AtomicInteger asked = new AtomicInteger();
        // What the source hears of the first window is only that it is over.
        ant.windows = (intentSeq, epoch) -> asked.incrementAndGet() == 1
                ? bee.openWindow(intentSeq, epoch).thenApply(_ -> WindowEnd.PASSED)
                : bee.openWindow(intentSeq, epoch);

        HandoffReport report = handOver(1);

        assertThat(report.outcome()).isEqualTo(HandoffOutcome.COMPLETED);
        assertThat(asked).hasValue(2);
        assertThat(report.firstInstructionNs()).isGreaterThan(report.lastInstructionNs());
    }

    /// The target says that it spins, and its thread is not on a core: the guest runs on until it is.
    @Test
    void aGuestIsNotOfferedToAThreadThatIsNotOnACore() {
        VmSlot slot = region.vm(0);
        long epoch = OwnerWord.epoch(slot.ownerAcquire());
        ant.windows = (_, _) -> new CompletableFuture<>();
        prepare(1, epoch);
        long running = slot.ownerAcquire();
        CompletableFuture<? extends Reply> switched = ant.service.handle(order(1, epoch), null);
        slot.spinRelease(ArmedWord.pack(1, bee.claimed.slot(), epoch));

        long before = instructions();
        long until = System.nanoTime() + SimulatedHypervisor.SPINNER_WAIT_NS / 2;
        while (System.nanoTime() - until < 0) {
            assertThat(slot.ownerAcquire()).isEqualTo(running);
            Thread.onSpinWait();
        }
        assertThat(instructions()).isGreaterThan(before);

        long beat = 0;
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (slot.ownerAcquire() == running && System.nanoTime() - deadline < 0) {
            slot.beatRelease(++beat);
        }
        await("bee runs it").atMost(PATIENCE)
                .until(() -> OwnerWord.slot(slot.ownerAcquire()) == bee.claimed.slot());
        assertThat(switched).succeedsWithin(PATIENCE);
    }

    /// A hand-off copies nothing; were anything copied at either side, the report would say so.
    @Test
    void countsWhatIsCopiedDuringAHandOff() {
        assertThat(handOver(1).bytesCopied()).isZero();

        TestAgent formerTarget = bee;
        bee = ant;
        ant = formerTarget;
        ant.peer = bee;
        ant.atPoint = point -> copyAt(point, HandoffPoint.SOURCE_SAVED, ant, 4096);
        bee.atPoint = point -> copyAt(point, HandoffPoint.TARGET_TAKEN, bee, 512);

        assertThat(handOver(2).bytesCopied()).isEqualTo(4096 + 512);
    }

    private static void copyAt(HandoffPoint point, HandoffPoint where, TestAgent agent, long bytes) {
        if (point == where) {
            try (Arena arena = Arena.ofConfined()) {
                GuestCopier.Mover mover = agent.copier.mover();
                mover.move(arena.allocate(bytes), 0, arena.allocate(bytes), 0, bytes);
                mover.settle();
            }
        }
    }

    private long instructions() {
        return ask(ant, new AgentRequest.ShowVm("vm"), Reply.VmReply.class).vm().instructions().getFirst();
    }

    private HandoffReport handOver(long intentSeq) {
        long epoch = OwnerWord.epoch(region.vm(0).ownerAcquire());
        prepare(intentSeq, epoch);
        return ask(ant, order(intentSeq, epoch), Reply.Switched.class).report();
    }

    private void prepare(long intentSeq, long epoch) {
        ask(bee, new AgentRequest.PrepareTarget(TERM, intentSeq, SPEC, 0, epoch, ant.claimed.slot(), ant.name, NONCE),
                Reply.Prepared.class);
    }

    private AgentRequest.SwitchOver order(long intentSeq, long epoch) {
        return new AgentRequest.SwitchOver(TERM, intentSeq, "vm", 0, epoch, bee.claimed.slot(), bee.name, "127.0.0.1",
                1, NONCE);
    }

    private static <T extends Reply> T ask(TestAgent agent, AgentRequest request, Class<T> type) {
        CompletableFuture<? extends Reply> reply = agent.service.handle(request, null);
        assertThat(reply).succeedsWithin(PATIENCE);
        return type.cast(reply.join());
    }

    /// How the source's agent asks for a window.
    private interface Windows {
        CompletableFuture<WindowEnd> open(long intentSeq, long epoch);
    }

    /// An agent without network, membership and supervisor. Its right never lapses.
    private final class TestAgent implements AgentService.HostView, AutoCloseable {
        private final String name;
        private final ClaimedSlot claimed;
        private final GuestCopier copier = new GuestCopier();
        private final HostCore host;
        private final SimulatedHypervisor driver;
        private final HostedVms vms;
        private final AgentService service;
        private volatile TestAgent peer;
        private volatile Windows windows = (intentSeq, epoch) -> peer.openWindow(intentSeq, epoch);
        private volatile Consumer<HandoffPoint> atPoint = _ -> {
        };

        TestAgent(String name) {
            this.name = name;
            this.claimed = HostSlots.claim(region, new HostIdentity(UUID.randomUUID(), name, Linux.bootId(),
                    ProcessHandle.current().pid(), WatchdogBound.UNKNOWN));
            this.host = LastingRight.host(region, claimed, point -> atPoint.accept(point),
                    (Peer _, long intentSeq, int _, long epoch, long _) -> windows.open(intentSeq, epoch));
            this.driver = new SimulatedHypervisor(region, claimed.slot(), directory);
            this.vms = new HostedVms(region, host, List.of(driver),
                    _ -> new HandoffBounds(new SourceCore.Bounds(5_000 * MS, 10_000 * MS, 5_000 * MS), 60_000 * MS,
                            1_000 * MS, 50_000, 1_000 * MS),
                    copier::bytesCopied, _ -> {
                    });
            this.service = new AgentService(vms, new TermGuard(), this, new PageRequests(Optional.empty()),
                    new HostFailures(region, vms, host, new TermGuard()));
        }

        CompletableFuture<WindowEnd> openWindow(long intentSeq, long epoch) {
            return service.handle(new AgentRequest.OpenWindow(intentSeq, 0, epoch, 0), null)
                    .thenApply(Reply.WindowClosed.class::cast)
                    .thenApply(end -> new WindowEnd(end.ran(), end.offerSeenNs(), end.runningNs(),
                            end.firstInstructionNs(), end.bytesCopied(), end.reason()));
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public long incarnation() {
            return claimed.incarnation();
        }

        @Override
        public Reply.HostReply describe() {
            throw new UnsupportedOperationException("nobody asks");
        }

        @Override
        public String hostName(int slot) {
            return slot == claimed.slot() ? name : "other";
        }

        @Override
        public void close() {
            vms.all().forEach(vm -> vm.abandon().join());
            host.close();
            driver.close();
        }
    }
}

package io.tombolo.chaos.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.check.UnexpectedErrors;
import io.tombolo.chaos.check.Verdict;
import io.tombolo.chaos.cluster.RunRecord;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.history.OpType;
import io.tombolo.chaos.nemesis.HaltNemesis;
import io.tombolo.chaos.nemesis.Nemeses.Tally;
import io.tombolo.chaos.run.LapsesRenew.Lapse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunCheckersTest {
    private static final Instant ZERO = Instant.parse("2026-01-01T00:00:00Z");
    private static final long SECOND = 1_000_000_000L;
    private static final History NOTHING = History.of(List.of());
    private static final UUID VM = new UUID(1, 2);

    @TempDir
    private Path folder;

    /// Both events of each operation of a nemesis, a second apart.
    private static History faults(String... atAndName) {
        List<HistoryEvent> events = new ArrayList<>();
        for (String one : atAndName) {
            String[] words = one.split(" ", -1);
            for (int i = 0; i < 2; i++) {
                events.add(new HistoryEvent(events.size(), (Long.parseLong(words[0]) + i) * SECOND, OpType.INFO,
                        HistoryEvent.NEMESIS, words[1], words.length > 2
                                ? List.of(one.substring(one.indexOf(words[2])))
                                : null,
                        null));
            }
        }
        return History.of(events);
    }

    private static CheckResult check(Checker checker, History history) {
        return checker.check(history, CheckContext.defaults());
    }

    private Verdict errors(String log, String second, String text) throws IOException {
        return errors(log, second, text, true);
    }

    private Verdict errors(String log, String second, String text, boolean guestsAreProtected) throws IOException {
        Path file = Files.writeString(folder.resolve(log), "2026-01-01T00:00:" + second + ".000Z " + text + "\n");
        History history = faults("10 start-partition", "14 stop-partition", "30 start-pause", "33 stop-pause");
        return check(new UnexpectedErrors(List.of(file), UnexpectedErrors.DEFAULT_ERRORS,
                AllowedErrors.of(FaultSpans.of(history), List.of(), guestsAreProtected), ZERO), NOTHING).verdict();
    }

    @Test
    void aPlantedErrorIsFoundWhileFaultsAreAtWorkToo() throws IOException {
        String known = "ERROR LeaderLatch [main-EventThread] [id=coordinator-1] failed to find our node";

        assertThat(errors("coordinator-1.log", "12", known)).isEqualTo(Verdict.VALID);
        assertThat(errors("coordinator-1.log", "09", known)).as("before the fault").isEqualTo(Verdict.INVALID);
        assertThat(errors("coordinator-1.log", "26", known)).as("long after it").isEqualTo(Verdict.INVALID);
        assertThat(errors("zookeeper-1.log", "09", "ERROR Leader [x] planted")).isEqualTo(Verdict.INVALID);
        assertThat(errors("zookeeper-1.log", "12", "ERROR ZooKeeperCriticalThread [SyncThread:1] Severe"))
                .as("a disk that nobody has filled").isEqualTo(Verdict.INVALID);
        assertThat(errors("host-1.log", "12", "ERROR HostedVm [vm-kv-1] vm kv-1: is not ours any more"))
                .isEqualTo(Verdict.INVALID);
        assertThat(errors("host-1.log", "12", "ERROR SimulatedGuest [x] vm kv-1: vcpu 0: self-check failed: PAGE_WORD"))
                .isEqualTo(Verdict.INVALID);
        assertThat(errors("host-1.log", "12", "INFO  Agent [x] INTERNAL: planted")).isEqualTo(Verdict.INVALID);
    }

    @Test
    void anIncarnationMayEndWhenItWasStoppedAndNotWhenItWasCutOff() throws IOException {
        String ended = "ERROR Agent [tombolo-right] host host-1: this incarnation ends: SUPERVISOR_GONE";

        assertThat(errors("host-1.log", "31", ended)).isEqualTo(Verdict.VALID);
        assertThat(errors("host-1.log", "12", ended)).isEqualTo(Verdict.INVALID);
    }

    @Test
    void aHostMayBeFencedWhenItsSessionWasLost() throws IOException {
        String fenced = "ERROR Agent [tombolo-right] host host-1: this incarnation ends: FENCED";

        assertThat(errors("host-1.log", "12", fenced)).isEqualTo(Verdict.VALID);
        assertThat(errors("host-1.log", "29", fenced)).isEqualTo(Verdict.INVALID);
    }

    @Test
    void aGuestMayBeLostWithItsHostIfItWasNotProtected() throws IOException {
        String lost = "ERROR VmTakeover [vm-kv-1-control] vm kv-1: cannot go on: 752 of its pages were in the memory of"
                + " a host that is gone";

        assertThat(errors("host-1.log", "12", lost, false)).isEqualTo(Verdict.VALID);
        assertThat(errors("host-1.log", "12", lost, true)).isEqualTo(Verdict.INVALID);
    }

    @Test
    void aKindOfFaultThatMissesEveryTimeLeavesTheRunUndecided() {
        assertThat(check(new FaultsTookEffect(Map.of("halt", new Tally(9, 1), "disk", new Tally(3, 0))), NOTHING)
                .verdict()).isEqualTo(Verdict.VALID);
        assertThat(check(new FaultsTookEffect(Map.of("halt", new Tally(9, 1), "disk", new Tally(4, 0))), NOTHING)
                .details().get(CheckResult.REASON)).asString().contains("disk");
    }

    @Test
    void aRunWithoutAMigrationIsUndecidedIfManyWereAskedFor() {
        assertThat(check(new MigrationsCompleted(14, 0), NOTHING).verdict()).isEqualTo(Verdict.UNKNOWN);
        assertThat(check(new MigrationsCompleted(14, 1), NOTHING).verdict()).isEqualTo(Verdict.VALID);
        assertThat(check(new MigrationsCompleted(2, 0), NOTHING).verdict()).isEqualTo(Verdict.VALID);
    }

    @Test
    void aStorerThatStoodStillTooLongMustHaveBeenKilled() {
        assertThat(check(new WatchdogKills(), faults("1 stop-halt host-1 was halted")).verdict())
                .isEqualTo(Verdict.VALID);
        assertThat(check(new WatchdogKills(), faults("1 stop-halt " + HaltNemesis.NOT_KILLED + "host-1")).verdict())
                .isEqualTo(Verdict.INVALID);
    }

    private static RunRecord run(long epoch, long startMs, long endMs) {
        return new RunRecord(VM, 0, 0, "host-1", 7, epoch, startMs * 1_000_000, endMs * 1_000_000);
    }

    @Test
    void aVmRunsAfterALapseAtAnotherEpochOnly() throws IOException {
        Path log = Files.writeString(folder.resolve("host-1.log"),
                "2026-01-01T00:00:02.000Z WARN  HostActions [tombolo-right] host host-1: right lapsed: DEADLINE\n");
        List<Lapse> lapses = LogLines.lapses(List.of(log), ZERO);
        assertThat(lapses).containsExactly(new Lapse("host-1", 2 * SECOND));

        assertThat(check(new LapsesRenew(lapses, List.of(run(3, 1000, 2001), run(4, 4000, 6000)), 9 * SECOND), NOTHING)
                .verdict()).isEqualTo(Verdict.VALID);
        assertThat(check(new LapsesRenew(lapses, List.of(run(3, 1000, 2001), run(3, 4000, 6000)), 9 * SECOND), NOTHING)
                .verdict()).isEqualTo(Verdict.INVALID);
        assertThat(check(new LapsesRenew(lapses, List.of(run(3, 1000, 2001), run(3, 4000, 0)), 9 * SECOND), NOTHING)
                .verdict()).as("still executing").isEqualTo(Verdict.INVALID);
        assertThat(check(new LapsesRenew(lapses, List.of(run(3, 1000, 2001), run(3, 4000, 4100)), 9 * SECOND), NOTHING)
                .verdict()).as("had looked before and stood still").isEqualTo(Verdict.VALID);
    }
}

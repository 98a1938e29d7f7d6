package io.tombolo.deploy.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.GuestStatus;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.MoveReport;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.deploy.drill.ContextSwitchBenchmark.OneWay;
import io.tombolo.deploy.report.DrillReport;
import io.tombolo.deploy.report.DrillReport.Check;
import io.tombolo.deploy.report.DrillReport.Hop;
import io.tombolo.deploy.report.DrillReport.Mode;
import io.tombolo.deploy.report.DrillReport.Verdict;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DrillTest {
    private final FakeCluster cluster = new FakeCluster();
    private boolean keep;
    private String program = "dirty";
    private int clients;
    private List<MigrateMode> modes = List.of(MigrateMode.HANDOFF);
    private int restMs;
    private int warmUp;
    private int movingWarmUp;
    private GuestVerifier.Result guest = new GuestVerifier.Result(true, "fake", 4096, 0, "");
    private GuestVerifier.Frames frames = new GuestVerifier.Frames(0, 0, "");

    @Test
    void hopsRoundRobinVerifiesAndStopsEverything() {
        DrillReport report = run(7);

        assertThat(cluster.calls).containsExactly("create h1", "migrate h2", "migrate h3", "migrate h1", "migrate h2",
                "migrate h3", "migrate h1", "migrate h2", "pause", "destroy");
        assertThat(cluster.closed).isEqualTo(1);
        assertThat(report.passed()).isTrue();
        assertThat(report.hops()).isEqualTo(7);
        assertThat(report.downtimeNs().p50()).isEqualTo(3_000);
        assertThat(report.phases().switch_().max()).isEqualTo(900);
        assertThat(report.contextSwitchNs().p50()).isEqualTo(2_000);
        assertThat(report.perHop().getLast().to()).isEqualTo("h2");
        assertThat(report.checks()).extracting(Check::verdict).containsOnly(Verdict.PASS);
    }

    @Test
    void failsWhenMemoryDiffers() {
        guest = new GuestVerifier.Result(false, "fake", 4096, 0, "1 pages differ");

        assertThat(failed(run(3))).containsExactly("guest memory as it must be");
    }

    @Test
    void failsWhenTheGuestFoundAnError() {
        guest = new GuestVerifier.Result(true, "fake", 4096, 2, "");

        assertThat(failed(run(3))).containsExactly("no error found by the guest");
    }

    @Test
    void failsWhenAFrameLeaked() {
        frames = new GuestVerifier.Frames(5, 0, "FRAME_LEAKED");

        DrillReport report = run(3);

        assertThat(failed(report)).containsExactly("no frame leaked");
        assertThat(report.verification().framesLeaked()).isEqualTo(5);
    }

    @Test
    void failsWhenTheRegionIsDamaged() {
        frames = new GuestVerifier.Frames(0, 1, "CHECKSUM");

        assertThat(failed(run(3))).containsExactly("region sound");
    }

    @Test
    void failsWhenTwoHostsExecutedAtOnce() {
        cluster.spoil = r -> with(r, r.lastInstructionNs(), r.lastInstructionNs() - 1, 0, r.outcome());

        DrillReport report = run(2);

        assertThat(failed(report)).containsExactly("one host at a time");
        assertThat(report.verification().doubleOwners()).isEqualTo(2);
    }

    @Test
    void failsWhenGuestBytesWereCopied() {
        cluster.spoil = r -> with(r, r.lastInstructionNs(), r.firstInstructionNs(), 4096, r.outcome());

        assertThat(failed(run(2))).containsExactly("no guest byte copied");
    }

    @Test
    void aHopThatWasTakenBackFailsTheDrillAndIsNotCountedAsAHop() {
        cluster.spoil = r -> r.toHost().equals("h3")
                ? with(r, r.lastInstructionNs(), 0, 0, HandoffOutcome.TAKEN_BACK)
                : r;

        DrillReport report = run(3);

        assertThat(failed(report)).containsExactly("every hop completed");
        assertThat(report.hops()).isEqualTo(1);
    }

    @Test
    void aHopWhoseTargetWasNotHeardOfIsNoDoubleOwnerAndNotInTheFigures() {
        cluster.spoil = r -> r.toHost().equals("h3")
                ? new HandoffReport(r.vm(), r.fromHost(), r.toHost(), r.intentSeq(), 0, 0, 0, 0, 0, 0,
                        r.lastInstructionNs(), 0, 0, 352, 0, r.epochBefore(), r.epochAfter(), r.outcome())
                : r;

        DrillReport report = run(4);

        assertThat(report.passed()).isTrue();
        assertThat(report.hops()).isEqualTo(4);
        assertThat(report.downtimeNs().p50()).isEqualTo(3_000);
        assertThat(report.checks()).filteredOn(c -> c.verdict() == Verdict.MISSED).extracting(Check::name)
                .containsExactly("every hop measured");
    }

    @Test
    void aSlowHopIsMarkedButDoesNotFail() {
        cluster.spoil = r -> new HandoffReport(r.vm(), r.fromHost(), r.toHost(), r.intentSeq(), 0, 0, 0, 0, 0, 0,
                r.lastInstructionNs(), r.lastInstructionNs() + 5_000_000, 5_000_000, 352, 0, r.epochBefore(),
                r.epochAfter(), r.outcome());

        DrillReport report = run(3);

        assertThat(report.passed()).isTrue();
        assertThat(report.checks()).filteredOn(c -> c.verdict() == Verdict.MISSED).hasSize(2);
    }

    @Test
    void stopsEverythingWhenAHopFails() {
        cluster.failure = new IllegalStateException("host gone");

        assertThatThrownBy(() -> run(9)).hasMessage("host gone");
        assertThat(cluster.closed).isEqualTo(1);
    }

    @Test
    void aHopThatWasGivenUpBeforeAnythingChangedHandsIsTriedAgainAndTold() {
        cluster.failure = aborted();
        cluster.failOnce = true;

        DrillReport report = run(4);

        assertThat(report.passed()).isTrue();
        assertThat(report.hops()).isEqualTo(4);
        assertThat(report.checks()).filteredOn(c -> c.verdict() == Verdict.MISSED).extracting(Check::name)
                .containsExactly("no hop tried again");
    }

    @Test
    void aHopThatIsGivenUpAgainAndAgainEndsTheDrill() {
        cluster.failure = aborted();

        assertThatThrownBy(() -> run(4)).hasMessageStartingWith("MIGRATION_ABORTED");
        assertThat(cluster.closed).isEqualTo(1);
    }

    private static TomboloException aborted() {
        return TomboloException.error(CoordinatorError.MIGRATION_ABORTED, "the target is not armed").build();
    }

    @Test
    void keepsTheClusterAndTheGuestWhenAsked() {
        keep = true;

        run(2);

        assertThat(cluster.closed).isZero();
        assertThat(cluster.calls).doesNotContain("destroy");
    }

    @Test
    void theErrorOfAFailedDrillNamesTheChecksAndTheSeed() {
        frames = new GuestVerifier.Frames(5, 0, "FRAME_LEAKED");

        assertThat(Drill.failed(run(2)).getMessage()).startsWith("DRILL_CHECKS_FAILED: ").contains("no frame leaked")
                .contains("--seed 42");
    }

    @ParameterizedTest
    @ValueSource(strings = {"kv", "bank"})
    void clientsAreServedByWhoeverHasTheVmAndEndBeforeItIsPaused(String kind) {
        program = kind;
        clients = 3;
        cluster.atPause = () -> assertThat(clientThreads()).isEmpty();

        DrillReport report = run(5);

        assertThat(report.passed()).isTrue();
        assertThat(report.clients().count()).isEqualTo(3);
        assertThat(report.clients().acknowledged()).isGreaterThanOrEqualTo(3 * 2 * 6);
        assertThat(report.clients().repeats()).isGreaterThanOrEqualTo(3 * 5);
        assertThat(report.clients().wrongAnswers()).isZero();
        assertThat(report.clients().longestGapNs()).isPositive();
        assertThat(report.checks()).extracting(Check::name).contains("operations acknowledged",
                "clients saw no wrong answer");
        assertThat(cluster.calls).contains("pause");
    }

    @ParameterizedTest
    @ValueSource(strings = {"kv", "bank"})
    void anAnswerThatIsLostOnTheWayIsAskedForAgainWithTheSameNumberAndTheOperationExecutedOnce(String kind) {
        program = kind;
        clients = 2;
        Set<GuestCall> lost = ConcurrentHashMap.newKeySet();
        cluster.lose = call -> call.seq() % 3 == 0 && lost.add(call);

        DrillReport report = run(20);

        assertThat(report.passed()).isTrue();
        assertThat(lost).hasSizeGreaterThan(10);
        assertThat(cluster.guest.calls()).filteredOn(lost::contains).hasSize(2 * lost.size());
        assertThat(report.clients().wrongAnswers()).isZero();
    }

    @Test
    void aDrillWithoutClientsSaysNothingOfThem() {
        DrillReport report = run(2);

        assertThat(report.clients()).isNull();
        assertThat(report.checks()).extracting(Check::name).doesNotContain("clients saw no wrong answer");
    }

    @ParameterizedTest
    @ValueSource(strings = {"kv", "bank"})
    void failsWhenAClientSawAWrongAnswer(String kind) {
        program = kind;
        clients = 2;
        cluster.spoilReply = r -> r.clientId() == 2 && r.seq() == 7
                ? new GuestReply(r.clientId(), r.seq(), GuestStatus.INVALID, r.values())
                : r;

        DrillReport report = run(4);

        assertThat(failed(report)).contains("clients saw no wrong answer");
        assertThat(report.clients().wrongAnswers()).isPositive();
        assertThat(report.checks()).filteredOn(c -> c.name().equals("clients saw no wrong answer"))
                .extracting(Check::detail).asString().contains("client 2 sequence 7: ");
    }

    @Test
    void aClientThatNobodyAnswersEndsTheDrillAndNothingGoesOn() {
        program = "kv";
        clients = 2;
        cluster.lose = call -> call.clientId() == 1 && call.seq() == 9;

        assertThatThrownBy(() -> run(1_000)).hasMessageStartingWith("CLIENT_GAVE_UP: ").hasMessageContaining("client=1")
                .hasMessageContaining("sequence=9");
        assertThat(cluster.closed).isEqualTo(1);
        assertThat(clientThreads()).isEmpty();
    }

    @Test
    void aClientThatFailsInAnyOtherWayEndsTheDrill() {
        program = "bank";
        clients = 2;
        cluster.spoilReply = _ -> {
            throw new AssertionError("planted");
        };

        assertThatThrownBy(() -> run(9)).hasMessage("a client of the drill failed").hasRootCauseMessage("planted");
        assertThat(cluster.closed).isEqualTo(1);
    }

    @Test
    void clientsEndWhenAHopFails() {
        program = "bank";
        clients = 2;
        cluster.failure = new IllegalStateException("host gone");

        assertThatThrownBy(() -> run(9)).hasMessage("host gone");
        assertThat(clientThreads()).isEmpty();
    }

    @Test
    void aTransitBeginsInLocalMemoryAndEndsInSharedMemoryBeforeItIsLookedAt() {
        modes = List.of(MigrateMode.TRANSIT);

        DrillReport report = run(2);

        assertThat(cluster.calls).containsExactly("create h1 local", "transit h2", "transit h3", "move to shared",
                "pause", "destroy");
        assertThat(report.passed()).isTrue();
        assertThat(report.mode()).isEqualTo("transit");
        assertThat(report.bytesCopied()).isZero();
        Mode mode = report.modes().getFirst();
        assertThat(mode.bytesMoved()).isEqualTo(2 << 20);
        assertThat(mode.toShared()).isEqualTo(new DrillReport.Moved(256, 1_000_000, 1_048_576_000));
        assertThat(mode.toLocal()).isEqualTo(new DrillReport.Moved(256, 2_000_000, 524_288_000));
        assertThat(report.perHop()).extracting(Hop::pagesToShared).containsOnly(256L);
        assertThat(report.perHop()).allSatisfy(h -> assertThat(h.totalNs()).isPositive());
        assertThat(report.checks()).extracting(Check::name).contains("every page moved, both ways");
    }

    @Test
    void aTransitThatLeftPagesBehindIsMarkedAndOneThatMovedNoneFails() {
        modes = List.of(MigrateMode.TRANSIT);
        cluster.spoilMove = m -> new MoveReport(m.mode(), m.pagesToShared(), m.pagesToLocal() - 1, m.bytesMoved(), 1,
                1, 1);
        assertThat(run(2).checks()).filteredOn(c -> c.verdict() == Verdict.MISSED).extracting(Check::name)
                .containsExactly("every page moved, both ways");

        cluster.spoilMove = m -> new MoveReport(m.mode(), 0, 0, 0, 0, 0, 0);
        assertThat(failed(run(2))).containsExactly("guest bytes came over");
    }

    @Test
    void bytesThatACopySendsDuringTheHandoffAreToldAndNoFailure() {
        modes = List.of(MigrateMode.COPY);
        cluster.spoil = r -> with(r, r.lastInstructionNs(), r.firstInstructionNs(), 4096, r.outcome());

        DrillReport report = run(3);

        assertThat(report.passed()).isTrue();
        assertThat(report.bytesCopied()).isEqualTo(3 * 4096);
        assertThat(report.checks()).extracting(Check::name)
                .doesNotContain("no guest byte copied", "downtime p99 <= 1 ms", "downtime p50 / context switch <= 3");
    }

    @Test
    void comparedModesEachHaveTheSameGuestAndAreCheckedOneByOneAndAgainstEachOther() {
        modes = List.of(MigrateMode.values());
        warmUp = 2;
        movingWarmUp = 1;

        DrillReport report = run(2);

        assertThat(report.passed()).isTrue();
        assertThat(cluster.calls).containsExactly("create h1", "migrate h2", "migrate h3", "migrate h1", "migrate h2",
                "pause", "destroy", "create h1 local", "transit h2", "transit h3", "transit h1", "move to shared",
                "pause",
                "destroy", "create h1 local", "copy h2", "copy h3", "copy h1", "move to shared", "pause", "destroy");
        assertThat(cluster.created).extracting(VmSpec::name).containsExactly("drill-handoff", "drill-transit",
                "drill-copy");
        assertThat(cluster.created).extracting(VmSpec::uuid).doesNotHaveDuplicates();
        assertThat(cluster.created).extracting(VmSpec::seed).containsOnly(42L);
        assertThat(cluster.closed).isEqualTo(1);
        assertThat(report.mode()).isEqualTo("handoff");
        assertThat(report.hops()).isEqualTo(2);
        assertThat(report.modes()).extracting(Mode::mode).containsExactly("handoff", "transit", "copy");
        assertThat(report.modes()).extracting(Mode::hops).containsOnly(2);
        assertThat(report.modes()).extracting(m -> m.downtimeNs().p50()).containsExactly(3_000L, 3_000L, 30_000_000L);
        assertThat(report.perHop()).extracting(Hop::mode).containsExactly("handoff", "handoff", "transit", "transit",
                "copy", "copy");
        assertThat(report.verification().bytesCompared()).isEqualTo(3 * 4096);
        assertThat(report.checks()).filteredOn(c -> c.name().endsWith("guest memory as it must be")).hasSize(3);
        assertThat(report.checks()).extracting(Check::name).contains("copy: one host at a time",
                "transit: no frame leaked", "transit downtime p50 <= 1/50 of copy's",
                "transit downtime p50 <= hand-off's + 10 us");
        assertThat(report.checks()).extracting(Check::verdict).containsOnly(Verdict.PASS);
    }

    @Test
    void aTransitThatStandsStillForLongIsMarkedAgainstTheOtherModes() {
        modes = List.of(MigrateMode.values());
        cluster.spoil = r -> r.toHost().isEmpty() || r.downtimeNs() > 3_000 || !cluster.calls.contains("pause")
                ? r
                : slower(r, 900_000);

        DrillReport report = run(3);

        assertThat(report.passed()).isTrue();
        assertThat(report.checks()).filteredOn(c -> c.verdict() == Verdict.MISSED).extracting(Check::name)
                .containsExactly("transit downtime p50 <= 1/50 of copy's",
                        "transit downtime p50 <= hand-off's + 10 us");
    }

    @Test
    void modesWhoseHopsWereNotMeasuredReachNothing() {
        modes = List.of(MigrateMode.values());
        cluster.spoil = r -> cluster.calls.getLast().startsWith("transit")
                ? new HandoffReport(r.vm(), r.fromHost(), r.toHost(), r.intentSeq(), 0, 0, 0, 0, 0, 0,
                        r.lastInstructionNs(), 0, 0, 352, 0, r.epochBefore(), r.epochAfter(), r.outcome())
                : r;

        DrillReport report = run(2);

        assertThat(report.checks()).filteredOn(c -> c.detail().equals("not measured")).extracting(Check::verdict)
                .containsExactly(Verdict.MISSED, Verdict.MISSED);
    }

    private static HandoffReport slower(HandoffReport r, long downtimeNs) {
        return new HandoffReport(r.vm(), r.fromHost(), r.toHost(), r.intentSeq(), r.prepareNs(), r.quiesceNs(),
                r.publishNs(), r.switchNs(), r.resumeNs(), r.commitNs(), r.lastInstructionNs(),
                r.lastInstructionNs() + downtimeNs, downtimeNs, r.stateBytes(), 0, r.epochBefore(), r.epochAfter(),
                r.outcome());
    }

    @Test
    void aFailureOfOneModeFailsTheWholeDrillAndSaysWhich() {
        modes = List.of(MigrateMode.values());
        cluster.spoil = r -> cluster.calls.getLast().startsWith("transit")
                ? with(r, r.lastInstructionNs(), r.lastInstructionNs() - 1, 0, r.outcome())
                : r;

        DrillReport report = run(2);

        assertThat(failed(report)).containsExactly("transit: one host at a time");
        assertThat(report.verification().doubleOwners()).isEqualTo(2);
    }

    @Test
    void aModeThatIsNotAvailableEndsTheDrill() {
        modes = List.of(MigrateMode.values());
        cluster.unavailable.add(MigrateMode.COPY);

        assertThatThrownBy(() -> run(2)).hasMessageStartingWith("MIGRATE_MODE_UNAVAILABLE");
        assertThat(cluster.closed).isEqualTo(1);
    }

    @Test
    void onlyTheLastGuestOfAComparisonIsKept() {
        modes = List.of(MigrateMode.values());
        keep = true;

        run(1);

        assertThat(cluster.calls).filteredOn("destroy"::equals).hasSize(2);
        assertThat(cluster.calls).last().isEqualTo("pause");
    }

    @Test
    void theGuestsSpeedBeforeDuringAndAfterEachHopIsTold() {
        modes = List.of(MigrateMode.TRANSIT);
        restMs = 1;
        movingWarmUp = 1;
        cluster.spoilLook = l -> new GuestLook(l.instructions(),
                Optional.of(new GuestLook.Waits(10, 20_000, l.instructions())));

        Mode mode = run(3).modes().getFirst();

        assertThat(mode.opsPerSecond().before()).isPositive();
        assertThat(mode.opsPerSecond().during()).isPositive();
        assertThat(mode.opsPerSecond().after()).isPositive();
        // Three stays: the one that began in the warm-up is left out.
        assertThat(mode.pageWaits().count()).isEqualTo(30);
        assertThat(mode.longestStallNs()).isEqualTo(mode.pageWaits().maxNs()).isGreaterThan(3_000);
        assertThat(Thread.getAllStackTraces().keySet()).extracting(Thread::getName).doesNotContain("drill-speed");
    }

    @Test
    void whatTheHostsDoNotTellIsAbsent() {
        restMs = 1;

        Mode mode = run(2).modes().getFirst();

        assertThat(mode.opsPerSecond()).isNotNull();
        assertThat(mode.pageWaits()).isNull();
        assertThat(mode.longestStallNs()).isNull();
    }

    @Test
    void aGuestThatCannotBeLookedAtEndsTheDrill() {
        restMs = 1;
        cluster.spoilLook = _ -> {
            throw new IllegalStateException("planted");
        };

        assertThatThrownBy(() -> run(2)).hasMessage("planted");
        assertThat(cluster.closed).isEqualTo(1);
    }

    private static List<String> clientThreads() {
        return Thread.getAllStackTraces().keySet().stream().map(Thread::getName)
                .filter(name -> name.startsWith("drill-client-")).toList();
    }

    private DrillReport run(int hops) {
        VmSpec vm = FakeGuest.vm(program);
        GuestVerifier verifier = new GuestVerifier() {
            @Override
            public void awaitProgress(DrillCluster cluster, VmStatus earlier) {
                assertThat(earlier.ownerState()).isEqualTo("RUNNING");
            }

            @Override
            public Result verify(DrillCluster where, VmStatus stopped) {
                assertThat(stopped.ownerState()).isEqualTo("PAUSED");
                return guest;
            }

            @Override
            public Frames verifyRegion(DrillCluster where) {
                return frames;
            }
        };
        AtomicLong clock = new AtomicLong();
        OneWay pinned = new OneWay(2_000, 3_000, 1_900, 1_000);
        OneWay unpinned = new OneWay(20_000, 30_000, 9_000, 1_000);
        return new Drill(new DrillPlan(3, hops, warmUp, movingWarmUp, vm, false, keep, 500, clients, modes, restMs),
                new Drill.Tools(() -> cluster, verifier, () -> new ContextSwitchBenchmark.Result(pinned, unpinned),
                        () -> {
                            throw new AssertionError("no comparison was asked for");
                        }, DrillProgress.silent()),
                () -> clock.addAndGet(1_000_000)).run();
    }

    private static HandoffReport with(HandoffReport r, long last, long first, long copied, HandoffOutcome outcome) {
        return new HandoffReport(r.vm(), r.fromHost(), r.toHost(), r.intentSeq(), r.prepareNs(), r.quiesceNs(),
                r.publishNs(), r.switchNs(), r.resumeNs(), r.commitNs(), last, first, r.downtimeNs(), r.stateBytes(),
                copied, r.epochBefore(), r.epochAfter(), outcome);
    }

    private static List<String> failed(DrillReport report) {
        assertThat(report.passed()).isFalse();
        return report.checks().stream().filter(c -> c.verdict() == Verdict.FAIL).map(Check::name).toList();
    }
}

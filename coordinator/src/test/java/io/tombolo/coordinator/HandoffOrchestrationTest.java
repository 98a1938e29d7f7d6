package io.tombolo.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.coordinator.HandoffOrchestration.Step;
import io.tombolo.coordinator.HandoffState.Phase;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.region.OwnerState;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/// The core without threads: every phase meets every event, and random histories of a world with a source, a target,
/// leaders that change and hosts that go, against the rules that must hold whatever happens.
class HandoffOrchestrationTest {
    private static final int A = 3;
    private static final int B = 5;
    private static final long EPOCH = 10;
    private static final HandoffTimings TIMINGS = new HandoffTimings(10);
    private static final IntentRecord INTENT = new IntentRecord("vm", 1, "a", A, "b", B, EPOCH, 1, 7, 99);
    private static final long MS = 1_000_000;

    private static OwnerSnapshot word(OwnerState state, int slot, long epoch) {
        return new OwnerSnapshot(state, slot, epoch);
    }

    private static final OwnerSnapshot RUNS_A = word(OwnerState.RUNNING, A, EPOCH);
    private static final OwnerSnapshot OFFERED_B = word(OwnerState.OFFERED, B, EPOCH + 1);
    private static final OwnerSnapshot CLAIMED_B = word(OwnerState.CLAIMED, B, EPOCH + 1);
    private static final OwnerSnapshot GIVEN_BACK = word(OwnerState.OFFERED, A, EPOCH + 2);
    private static final OwnerSnapshot TAKEN_BACK = word(OwnerState.RUNNING, A, EPOCH + 2);
    private static final OwnerSnapshot RENEWED_A = word(OwnerState.RUNNING, A, EPOCH + 1);
    private static final OwnerSnapshot RUNS_B = word(OwnerState.RUNNING, B, EPOCH + 1);

    private static HandoffReport report(HandoffOutcome outcome) {
        return new HandoffReport("vm", "a", "b", 7, 0, 1, 2, 3, 4, 0, 5, 6, 1, 8, 0, EPOCH, EPOCH + 1, outcome);
    }

    // ---- the verdict: every state, slot and epoch

    @TestFactory
    Stream<DynamicTest> judgesEveryOwnerWord() {
        List<DynamicTest> tests = new ArrayList<>();
        for (OwnerState state : OwnerState.values()) {
            for (int slot : new int[]{A, B, 9}) {
                for (long epoch = EPOCH - 1; epoch <= EPOCH + 3; epoch++) {
                    OwnerSnapshot owner = word(state, slot, epoch);
                    OwnerVerdict expected = expected(owner);
                    tests.add(DynamicTest.dynamicTest(owner.describe() + " -> " + expected,
                            () -> assertThat(OwnerVerdict.of(INTENT, owner)).isEqualTo(expected)));
                }
            }
        }
        return tests.stream();
    }

    /// Written as the document has it, row by row, and not as the code does.
    private static OwnerVerdict expected(OwnerSnapshot owner) {
        String key = owner.state() + (owner.slot() == A ? " A" : owner.slot() == B ? " B" : " other");
        long ahead = owner.epoch() - EPOCH;
        if (ahead < 0) {
            return OwnerVerdict.STALE;
        }
        return switch (key) {
            case "RUNNING A" -> ahead == 0 ? OwnerVerdict.NOT_SWITCHED : OwnerVerdict.STAYED;
            case "PAUSED A" -> OwnerVerdict.STAYED;
            case "RUNNING B", "PAUSED B" -> ahead == 0 ? OwnerVerdict.STALE : OwnerVerdict.SWITCHED;
            case "OFFERED A", "OFFERED B", "CLAIMED A", "CLAIMED B" ->
                ahead == 0 ? OwnerVerdict.STALE : OwnerVerdict.IN_FLIGHT;
            default -> OwnerVerdict.STALE;
        };
    }

    // ---- every phase meets every event

    private static Step at(Phase phase) {
        Step start = HandoffOrchestration.start(INTENT, TIMINGS, 0);
        return switch (phase) {
            case PREPARING -> start;
            case SWITCHING -> after(start, new HandoffEvent.Prepared());
            case RESOLVING -> after(at(Phase.SWITCHING), new HandoffEvent.Switched(report(HandoffOutcome.COMPLETED)));
            case FINISHING -> after(at(Phase.RESOLVING), new HandoffEvent.OwnerRead(1, RUNS_B));
            case CLOSING -> after(at(Phase.FINISHING), new HandoffEvent.Finished());
            case DONE -> after(at(Phase.CLOSING), new HandoffEvent.Closed());
        };
    }

    private static Step after(Step step, HandoffEvent event) {
        return HandoffOrchestration.step(step.state(), event, step.state().phaseSinceNs() + MS);
    }

    private static Map<String, HandoffEvent> events() {
        Map<String, HandoffEvent> events = new LinkedHashMap<>();
        events.put("prepared", new HandoffEvent.Prepared());
        events.put("prepareFailed", new HandoffEvent.PrepareFailed("X", "x"));
        events.put("switched", new HandoffEvent.Switched(report(HandoffOutcome.COMPLETED)));
        events.put("takenBack", new HandoffEvent.Switched(report(HandoffOutcome.TAKEN_BACK)));
        events.put("switchFailed", new HandoffEvent.SwitchFailed("X", "x"));
        events.put("readsRunsA", new HandoffEvent.OwnerRead(1, RUNS_A));
        events.put("readsOffered", new HandoffEvent.OwnerRead(1, OFFERED_B));
        events.put("readsTakenBack", new HandoffEvent.OwnerRead(1, TAKEN_BACK));
        events.put("readsRunsB", new HandoffEvent.OwnerRead(1, RUNS_B));
        events.put("readsFree", new HandoffEvent.OwnerRead(1, word(OwnerState.FREE, 0, EPOCH + 2)));
        events.put("readsOldTicket", new HandoffEvent.OwnerRead(0, RUNS_A));
        events.put("sourceCancelled", new HandoffEvent.Cancelled(HandoffSide.SOURCE, false));
        events.put("sourceStillArmed", new HandoffEvent.Cancelled(HandoffSide.SOURCE, true));
        events.put("targetCancelled", new HandoffEvent.Cancelled(HandoffSide.TARGET, false));
        events.put("cancelFailed", new HandoffEvent.CancelFailed(HandoffSide.SOURCE, "X"));
        events.put("finished", new HandoffEvent.Finished());
        events.put("finishFailed", new HandoffEvent.FinishFailed("X"));
        events.put("closed", new HandoffEvent.Closed());
        events.put("closeFailed", new HandoffEvent.CloseFailed("X"));
        events.put("sourceGone", new HandoffEvent.HostGone(HandoffSide.SOURCE));
        events.put("targetGone", new HandoffEvent.HostGone(HandoffSide.TARGET));
        events.put("sourceBack", new HandoffEvent.HostBack(HandoffSide.SOURCE));
        events.put("cancelAsked", new HandoffEvent.CancelAsked());
        events.put("tick", new HandoffEvent.Tick());
        events.put("termEnded", new HandoffEvent.TermEnded());
        return events;
    }

    /// One row per phase and event: the next phase and the effects. What is not listed changes nothing.
    private static final Map<String, String> TABLE = Map.ofEntries(
            Map.entry("PREPARING prepared", "SWITCHING SendSwitch"),
            Map.entry("PREPARING prepareFailed", "RESOLVING SendCancel[TARGET] ReadOwner"),
            Map.entry("PREPARING sourceGone", "RESOLVING SendCancel[TARGET] ReadOwner"),
            Map.entry("PREPARING targetGone", "RESOLVING ReadOwner"),
            Map.entry("PREPARING tick", "RESOLVING SendCancel[TARGET] ReadOwner"),
            Map.entry("PREPARING cancelAsked", "RESOLVING SendCancel[TARGET] ReadOwner"),
            Map.entry("SWITCHING cancelAsked", "RESOLVING ReadOwner"),
            Map.entry("PREPARING termEnded", "DONE Report[TERM_ENDED]"),
            Map.entry("SWITCHING switched", "RESOLVING ReadOwner"),
            Map.entry("SWITCHING takenBack", "RESOLVING ReadOwner"),
            Map.entry("SWITCHING switchFailed", "RESOLVING ReadOwner"),
            Map.entry("SWITCHING sourceGone", "RESOLVING ReadOwner"),
            Map.entry("SWITCHING targetGone", "RESOLVING ReadOwner"),
            Map.entry("SWITCHING tick", "RESOLVING ReadOwner"),
            Map.entry("SWITCHING termEnded", "DONE Report[TERM_ENDED]"),
            Map.entry("RESOLVING readsRunsA", "RESOLVING SendCancel[SOURCE]"),
            Map.entry("RESOLVING readsOffered", "RESOLVING SendPrepare"),
            Map.entry("RESOLVING readsTakenBack", "CLOSING SendCancel[TARGET] Close"),
            Map.entry("RESOLVING readsRunsB", "FINISHING SendFinish"),
            Map.entry("RESOLVING readsFree", "CLOSING SendCancel[TARGET] Close"),
            Map.entry("RESOLVING sourceCancelled", "RESOLVING ReadOwner"),
            Map.entry("RESOLVING sourceGone", "RESOLVING"), Map.entry("RESOLVING targetGone", "RESOLVING"),
            Map.entry("RESOLVING tick", "RESOLVING Report[MIGRATION_UNDECIDED] ReadOwner"),
            Map.entry("RESOLVING termEnded", "DONE Report[TERM_ENDED]"),
            Map.entry("FINISHING finished", "CLOSING Close"), Map.entry("FINISHING finishFailed", "FINISHING"),
            Map.entry("FINISHING sourceGone", "CLOSING Close"), Map.entry("FINISHING targetGone", "FINISHING"),
            Map.entry("FINISHING tick", "FINISHING SendFinish"),
            Map.entry("FINISHING termEnded", "DONE Report[TERM_ENDED]"),
            Map.entry("CLOSING closed", "DONE Report[]"), Map.entry("CLOSING closeFailed", "CLOSING"),
            Map.entry("CLOSING sourceGone", "CLOSING"), Map.entry("CLOSING targetGone", "CLOSING"),
            Map.entry("CLOSING tick", "CLOSING Close"), Map.entry("CLOSING termEnded", "DONE Report[TERM_ENDED]"));

    private static String describe(Step step) {
        return (step.state().phase() + " " + step.effects().stream().map(HandoffOrchestrationTest::describe)
                .collect(Collectors.joining(" "))).trim();
    }

    private static String describe(HandoffEffect effect) {
        return switch (effect) {
            case HandoffEffect.SendCancel(HandoffSide side) -> "SendCancel[" + side + "]";
            case HandoffEffect.Report(HandoffResult result, Optional<HandoffReport> _) ->
                "Report[" + result.code() + "]";
            case HandoffEffect.Note(String reason) -> "Note[" + reason + "]";
            case HandoffEffect _ -> effect.getClass().getSimpleName();
        };
    }

    @TestFactory
    Stream<DynamicTest> everyPhaseMeetsEveryEvent() {
        return Stream.of(Phase.values()).flatMap(phase -> events().entrySet().stream().map(event -> {
            String row = phase + " " + event.getKey();
            return DynamicTest.dynamicTest(row, () -> {
                HandoffState before = at(phase).state();
                Step step = HandoffOrchestration.step(before, event.getValue(), before.phaseSinceNs() + 10_000 * MS);
                if (TABLE.containsKey(row)) {
                    assertThat(describe(step)).isEqualTo(TABLE.get(row));
                } else {
                    assertThat(step.effects()).isEmpty();
                    assertThat(step.state()).isEqualTo(before);
                }
            });
        }));
    }

    @Test
    void theTableHasNoRowThatNoPhaseAndEventMake() {
        Set<String> rows = new HashSet<>();
        for (Phase phase : Phase.values()) {
            events().keySet().forEach(event -> rows.add(phase + " " + event));
        }
        assertThat(rows).containsAll(TABLE.keySet());
    }

    @Test
    void aTickBeforeItsTimeChangesNothing() {
        for (Phase phase : Phase.values()) {
            HandoffState before = at(phase).state();
            Step step = HandoffOrchestration.step(before, new HandoffEvent.Tick(), before.wakeNs() - 1);
            assertThat(step.effects()).isEmpty();
            assertThat(step.state()).isEqualTo(before);
        }
    }

    // ---- the rules one by one

    private static final class Play {
        private Step step;
        private long nowNs;

        Play(Step start) {
            step = start;
        }

        Play event(HandoffEvent event) {
            nowNs += MS;
            step = HandoffOrchestration.step(step.state(), event, nowNs);
            return this;
        }

        Play later(long ms) {
            nowNs += ms * MS;
            return event(new HandoffEvent.Tick());
        }

        Play reads(OwnerSnapshot owner) {
            return event(new HandoffEvent.OwnerRead(step.state().ticket(), owner));
        }

        Play expects(String expected) {
            assertThat(describe(step)).isEqualTo(expected);
            return this;
        }
    }

    private static Play started() {
        return new Play(HandoffOrchestration.start(INTENT, TIMINGS, 0));
    }

    private static Play resumed() {
        return new Play(HandoffOrchestration.resume(INTENT, TIMINGS, 0));
    }

    @Test
    void theGoodCaseOrdersFourThingsAndReportsAllPhases() {
        Play play = started().expects("PREPARING SendPrepare").event(new HandoffEvent.Prepared())
                .expects("SWITCHING SendSwitch").event(new HandoffEvent.Switched(report(HandoffOutcome.COMPLETED)))
                .expects("RESOLVING ReadOwner").reads(RUNS_B).expects("FINISHING SendFinish")
                .event(new HandoffEvent.Finished()).expects("CLOSING Close").event(new HandoffEvent.Closed())
                .expects("DONE Report[]");
        HandoffReport measured = ((HandoffEffect.Report) play.step.effects().getFirst()).report().orElseThrow();
        assertThat(measured.prepareNs()).isEqualTo(MS);
        assertThat(measured.commitNs()).isEqualTo(2 * MS);
    }

    @Test
    void aSourceThatSendsItsPagesHasTheTimeForIt() {
        long copyNs = 1_000 * MS;
        long limitNs = TIMINGS.switchMs() * MS;
        Step ordered = HandoffOrchestration.step(HandoffOrchestration.start(INTENT, TIMINGS, copyNs, 0).state(),
                new HandoffEvent.Prepared(), 0);
        Step waits = HandoffOrchestration.step(ordered.state(), new HandoffEvent.Tick(), copyNs + limitNs - 1);
        assertThat(waits.state().phase()).isEqualTo(Phase.SWITCHING);
        Step late = HandoffOrchestration.step(ordered.state(), new HandoffEvent.Tick(), copyNs + limitNs);
        assertThat(late.state().phase()).isEqualTo(Phase.RESOLVING);
    }

    @Test
    void aCopyThatDoesNotConvergeEndsUnderThatName() {
        started().event(new HandoffEvent.Prepared())
                .event(new HandoffEvent.SwitchFailed("MIGRATE_NOT_CONVERGED", "too fast")).reads(RUNS_A)
                .expects("RESOLVING SendCancel[SOURCE]").event(new HandoffEvent.Cancelled(HandoffSide.SOURCE, false))
                .reads(RUNS_A).expects("CLOSING SendCancel[TARGET] Close").event(new HandoffEvent.Closed())
                .expects("DONE Report[MIGRATE_NOT_CONVERGED]");
    }

    /// The reading was begun before the source's answer and arrives behind it. Were it believed, an intent would be
    /// closed as aborted after the target had begun to run.
    @Test
    void aReadingFromBeforeTheSourcesAnswerDoesNotCount() {
        Play play = started().event(new HandoffEvent.Prepared()).event(new HandoffEvent.SwitchFailed("X", "x"))
                .reads(RUNS_A).expects("RESOLVING SendCancel[SOURCE]");
        long old = play.step.state().ticket();
        play.event(new HandoffEvent.Cancelled(HandoffSide.SOURCE, false)).expects("RESOLVING ReadOwner")
                .event(new HandoffEvent.OwnerRead(old, RUNS_A)).expects("RESOLVING").reads(RUNS_B)
                .expects("FINISHING SendFinish");
    }

    @Test
    void aNewLeaderDecidesEveryOwnerWord() {
        resumed().expects("RESOLVING ReadOwner").reads(RUNS_A).expects("RESOLVING SendCancel[SOURCE]")
                .event(new HandoffEvent.Cancelled(HandoffSide.SOURCE, false)).reads(RUNS_A)
                .expects("CLOSING SendCancel[TARGET] Close").event(new HandoffEvent.Closed())
                .expects("DONE Report[MIGRATION_ABORTED]");
        resumed().reads(RUNS_B).expects("FINISHING SendFinish").event(new HandoffEvent.Finished())
                .event(new HandoffEvent.Closed()).expects("DONE Report[]");
        resumed().reads(TAKEN_BACK).expects("CLOSING SendCancel[TARGET] Close");
        resumed().reads(RENEWED_A).expects("CLOSING SendCancel[TARGET] Close");
        resumed().reads(OFFERED_B).expects("RESOLVING");
        resumed().reads(CLAIMED_B).expects("RESOLVING");
        resumed().reads(GIVEN_BACK).expects("RESOLVING");
        resumed().reads(word(OwnerState.FREE, 0, EPOCH)).expects("CLOSING SendCancel[TARGET] Close");
        resumed().reads(word(OwnerState.RUNNING, 9, EPOCH + 4)).expects("CLOSING SendCancel[TARGET] Close");
        resumed().reads(word(OwnerState.RUNNING, A, EPOCH - 1)).expects("CLOSING SendCancel[TARGET] Close");
    }

    @Test
    void aDeadSourceBeforeTheSwitchKeepsTheIntentOpenAndGetsAReason() {
        started().event(new HandoffEvent.Prepared()).event(new HandoffEvent.HostGone(HandoffSide.SOURCE))
                .expects("RESOLVING ReadOwner").reads(RUNS_A)
                .expects(
                        "RESOLVING SendCancel[TARGET] Note[OWNER_HOST_DEAD] Report[OWNER_HOST_DEAD] SendCancel[SOURCE]")
                .event(new HandoffEvent.HostBack(HandoffSide.SOURCE))
                .event(new HandoffEvent.Cancelled(HandoffSide.SOURCE, false)).reads(RENEWED_A)
                .expects("CLOSING Close");
    }

    @Test
    void whoActsNextDecidesWhetherADeadHostIsAReason() {
        HandoffEvent sourceGone = new HandoffEvent.HostGone(HandoffSide.SOURCE);
        HandoffEvent targetGone = new HandoffEvent.HostGone(HandoffSide.TARGET);
        resumed().event(targetGone).reads(OFFERED_B).expects("RESOLVING").reads(TAKEN_BACK).expects("CLOSING Close");
        resumed().event(sourceGone).reads(OFFERED_B).expects("RESOLVING").reads(RUNS_B).expects("CLOSING Close");
        resumed().event(sourceGone).event(targetGone).reads(OFFERED_B)
                .expects("RESOLVING Note[OWNER_HOST_DEAD] Report[OWNER_HOST_DEAD]");
        resumed().event(targetGone).reads(CLAIMED_B)
                .expects("RESOLVING Note[OWNER_HOST_DEAD] Report[OWNER_HOST_DEAD]").reads(CLAIMED_B)
                .expects("RESOLVING");
        resumed().event(sourceGone).reads(CLAIMED_B).expects("RESOLVING");
        resumed().event(sourceGone).reads(GIVEN_BACK)
                .expects("RESOLVING Note[OWNER_HOST_DEAD] Report[OWNER_HOST_DEAD]");
        resumed().event(targetGone).reads(GIVEN_BACK).expects("RESOLVING");
    }

    /// B was told to forget while A stood still; A woke up, offered, and died. Only B can go on, and it does not look.
    @Test
    void aTargetThatIsOfferedTheVmAndDoesNotTakeItIsPreparedAgain() {
        Play play = resumed().event(new HandoffEvent.HostGone(HandoffSide.SOURCE)).reads(RUNS_A)
                .expects("RESOLVING SendCancel[TARGET] Note[OWNER_HOST_DEAD] Report[OWNER_HOST_DEAD]"
                        + " SendCancel[SOURCE]")
                .reads(OFFERED_B).expects("RESOLVING");
        play.later(2L * TIMINGS.retryMs()).expects("RESOLVING ReadOwner").reads(OFFERED_B)
                .expects("RESOLVING SendPrepare").event(new HandoffEvent.Prepared()).expects("RESOLVING");
        // Not for nothing, and not of a host that is not there.
        play.later(TIMINGS.retryMs()).reads(CLAIMED_B).expects("RESOLVING").reads(GIVEN_BACK)
                .expects("RESOLVING");
        play.event(new HandoffEvent.HostGone(HandoffSide.TARGET)).reads(OFFERED_B).expects("RESOLVING")
                .event(new HandoffEvent.HostBack(HandoffSide.TARGET));
        // What was prepared again is forgotten again.
        play.reads(TAKEN_BACK).expects("CLOSING SendCancel[TARGET] Close");
    }

    // ---- random histories

    /// A world that answers effects late, never or twice, moves the owner word as agents may, changes leaders and kills
    /// hosts.
    private static final class World {
        private final Random random;
        private final List<HandoffEvent> mail = new ArrayList<>();
        private OwnerSnapshot owner = RUNS_A;
        private boolean ordered;
        private boolean sourceCancelled;
        private boolean preparedAtTarget;
        private boolean closed;
        private int reports;
        private long nowNs;
        private Step step;

        World(long seed) {
            random = new Random(seed);
            step = HandoffOrchestration.start(INTENT, TIMINGS, 0);
            perform();
        }

        void perform() {
            for (HandoffEffect effect : step.effects()) {
                switch (effect) {
                    case HandoffEffect.SendPrepare _ -> {
                        preparedAtTarget = random.nextInt(4) != 0;
                        mail.add(preparedAtTarget
                                ? new HandoffEvent.Prepared()
                                : new HandoffEvent.PrepareFailed("X", "x"));
                    }
                    case HandoffEffect.SendSwitch _ -> {
                        assertThat(sourceCancelled).as("an order after a cancellation").isFalse();
                        ordered = true;
                        mail.add(switch (random.nextInt(3)) {
                            case 0 -> new HandoffEvent.SwitchFailed("X", "x");
                            case 1 -> new HandoffEvent.Switched(report(HandoffOutcome.TAKEN_BACK));
                            default -> new HandoffEvent.Switched(report(HandoffOutcome.COMPLETED));
                        });
                    }
                    case HandoffEffect.ReadOwner(long ticket) -> mail.add(new HandoffEvent.OwnerRead(ticket, owner));
                    case HandoffEffect.SendCancel(HandoffSide side) -> {
                        if (side == HandoffSide.SOURCE && random.nextInt(3) != 0) {
                            sourceCancelled = true;
                            mail.add(new HandoffEvent.Cancelled(side, false));
                        }
                    }
                    case HandoffEffect.SendFinish _ -> {
                        assertThat(owner.slot()).as("the source is told to reap only what is not its own")
                                .isEqualTo(B);
                        mail.add(random.nextBoolean()
                                ? new HandoffEvent.Finished()
                                : new HandoffEvent.FinishFailed("X"));
                    }
                    case HandoffEffect.Close _ -> {
                        boolean mayStillSwitch = ordered && !sourceCancelled && owner.equals(RUNS_A);
                        assertThat(mayStillSwitch).as("closed while the source may still switch").isFalse();
                        boolean underWay = owner.state() == OwnerState.OFFERED || owner.state() == OwnerState.CLAIMED;
                        assertThat(underWay).as("closed in mid-flight: %s", owner).isFalse();
                        closed = random.nextInt(4) != 0;
                        mail.add(closed ? new HandoffEvent.Closed() : new HandoffEvent.CloseFailed("X"));
                    }
                    case HandoffEffect.Note _ -> {
                    }
                    case HandoffEffect.Report(HandoffResult result, Optional<HandoffReport> _) -> {
                        reports++;
                        assertThat(reports).as("one answer per leader").isEqualTo(1);
                        assertThat(!result.succeeded() || owner.slot() == B).as("success with the VM at %s", owner)
                                .isTrue();
                    }
                }
            }
        }

        /// What A and B may do to the word by themselves.
        void agentsMove() {
            if (closed) {
                return;
            }
            if (owner.equals(RUNS_A) && ordered && !sourceCancelled && preparedAtTarget && random.nextInt(3) == 0) {
                owner = OFFERED_B;
            } else if (owner.equals(RUNS_A) && random.nextInt(40) == 0) {
                owner = RENEWED_A;
            } else if (owner.equals(OFFERED_B)) {
                owner = List.of(OFFERED_B, CLAIMED_B, RUNS_B, TAKEN_BACK, GIVEN_BACK).get(random.nextInt(5));
            } else if (owner.equals(CLAIMED_B)) {
                owner = List.of(CLAIMED_B, RUNS_B, GIVEN_BACK).get(random.nextInt(3));
            } else if (owner.equals(GIVEN_BACK) && random.nextBoolean()) {
                owner = TAKEN_BACK;
            }
        }

        void turn() {
            nowNs += random.nextInt(20) * MS;
            agentsMove();
            HandoffEvent event = mail.isEmpty() || random.nextInt(3) == 0
                    ? noise()
                    : random.nextInt(8) == 0
                            ? mail.get(random.nextInt(mail.size()))
                            : mail.remove(random.nextInt(mail.size()));
            step = HandoffOrchestration.step(step.state(), event, nowNs);
            perform();
            if (step.state().phase() == Phase.DONE && !closed) {
                mail.clear();
                reports = 0;
                step = HandoffOrchestration.resume(INTENT, TIMINGS, nowNs);
                // The new leader does not know it, but an order may be on its way.
                perform();
            }
        }

        HandoffEvent noise() {
            return switch (random.nextInt(30)) {
                case 0 -> new HandoffEvent.TermEnded();
                case 1 -> new HandoffEvent.HostGone(HandoffSide.SOURCE);
                case 2 -> new HandoffEvent.HostGone(HandoffSide.TARGET);
                case 3, 4, 5 -> new HandoffEvent.HostBack(HandoffSide.SOURCE);
                case 6, 7, 8 -> new HandoffEvent.HostBack(HandoffSide.TARGET);
                case 9, 10 -> new HandoffEvent.CancelAsked();
                default -> new HandoffEvent.Tick();
            };
        }
    }

    @Test
    void randomHistoriesEndClosedAndNeverTooEarly() {
        long first = System.nanoTime();
        System.out.println("HandoffOrchestrationTest seeds from " + first);
        Map<String, Integer> ends = new LinkedHashMap<>();
        for (long seed = first; seed < first + 20_000; seed++) {
            World world = new World(seed);
            try {
                for (int turn = 0; turn < 2_000 && world.step.state().phase() != Phase.DONE; turn++) {
                    world.turn();
                }
                assertThat(world.closed).as("closed in the end").isTrue();
            } catch (AssertionError e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            }
            ends.merge(world.owner.describe(), 1, Integer::sum);
        }
        assertThat(ends.keySet()).as("the histories reach every end").contains(RUNS_A.describe(), RUNS_B.describe(),
                TAKEN_BACK.describe(), RENEWED_A.describe());
    }
}

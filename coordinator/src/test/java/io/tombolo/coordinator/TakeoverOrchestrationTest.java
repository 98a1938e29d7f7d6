package io.tombolo.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.coordinator.TakeoverOrchestration.Effect;
import io.tombolo.coordinator.TakeoverOrchestration.Event;
import io.tombolo.coordinator.TakeoverOrchestration.Phase;
import io.tombolo.coordinator.TakeoverOrchestration.Plan;
import io.tombolo.coordinator.TakeoverOrchestration.Step;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.OwnerState;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class TakeoverOrchestrationTest {
    private static final VmSpec SPEC = new VmSpec("v", new UUID(1, 2), "simulated", 4096, 1, "dirty", 4096, "uniform",
            1).withProtection(5_000);
    private long nowNs = 1_000;

    private Step begin(VmSpec spec) {
        return TakeoverOrchestration.start(new Plan(spec, 0, "a", "", new HandoffTimings(500)), nowNs);
    }

    private Step feed(Step step, Event event) {
        return TakeoverOrchestration.step(step.state(), event, nowNs);
    }

    private Step looked(Step step, OwnerState state, long epoch, boolean gone, String owner, String... candidates) {
        return feed(step, new Event.Looked(new OwnerSnapshot(state, 1, epoch), gone, owner, List.of(candidates)));
    }

    /// The tick that it waits for.
    private Step wake(Step step) {
        nowNs = step.state().wakeNs();
        return feed(step, new Event.Tick());
    }

    private static Event told(String phase, String reason) {
        return new Event.Told(new Reply.TakeoverState(0, phase, reason, List.of(), 1, 2, 3, 4, 5));
    }

    @Test
    void ordersTheFirstCandidateAndWatchesItUntilTheVmRuns() {
        Step step = begin(SPEC);
        assertThat(step.effects()).containsExactly(new Effect.Look());
        step = looked(step, OwnerState.RUNNING, 4, true, "a", "b", "c");
        assertThat(step.effects()).containsExactly(new Effect.Order("b", 4));
        step = feed(step, new Event.Started(5));
        assertThat(step.effects()).containsExactly(new Effect.Ask("b"));
        step = wake(feed(step, told("WAITING", "")));
        assertThat(step.state().report().reason()).isEqualTo("TAKEOVER_WAITS_FOR_CONFIRMATION");
        assertThat(step.effects()).containsExactly(new Effect.Ask("b"));
        step = feed(step, told("RUNNING", ""));
        assertThat(step.state().phase()).isEqualTo(Phase.DONE);
        assertThat(step.state().report().toHost()).isEqualTo("b");
        assertThat(step.state().report().epoch()).isEqualTo(5);
        assertThat(step.state().report().pagesRolledBack()).isEqualTo(5);
    }

    @Test
    void whatEveryOwnerWordMeans() {
        for (OwnerState state : OwnerState.values()) {
            Step live = looked(begin(SPEC), state, 4, false, "a", "b");
            Step gone = looked(begin(SPEC), state, 4, true, "a", "b");
            switch (state) {
                case FREE, LOST -> {
                    assertThat(live.state().phase()).as("%s", state).isEqualTo(Phase.DONE);
                    assertThat(gone.state().phase()).as("%s", state).isEqualTo(Phase.DONE);
                }
                case RECOVERING, RESTORING -> {
                    assertThat(live.effects()).as("%s", state).containsExactly(new Effect.Ask("a"));
                    assertThat(gone.effects()).as("%s", state).containsExactly(new Effect.Order("b", 4));
                }
                case CREATING, RUNNING, OFFERED, CLAIMED, PAUSED, DESTROYING -> {
                    assertThat(live.state().phase()).as("%s", state).isEqualTo(Phase.DONE);
                    assertThat(gone.effects()).as("%s", state).containsExactly(new Effect.Order("b", 4));
                }
            }
        }
    }

    @Test
    void goesToTheNextHostWhenOneRefusesAndRoundAgainWhenAllHave() {
        List<String> asked = new ArrayList<>();
        Step step = begin(SPEC);
        while (asked.size() < 5) {
            if (step.effects().contains(new Effect.Look())) {
                step = looked(step, OwnerState.RUNNING, 4, true, "a", "b", "c");
            } else if (step.effects().isEmpty()) {
                step = wake(step);
            } else {
                asked.add(((Effect.Order) step.effects().getFirst()).host());
                step = feed(step, new Event.OrderFailed("HOST_FULL", "no"));
            }
        }
        assertThat(asked).containsExactly("b", "c", "b", "c", "b");
        assertThat(step.state().report().reason()).isEqualTo("HOST_FULL");
    }

    @Test
    void waitsForAHostWhenThereIsNone() {
        Step step = looked(begin(SPEC), OwnerState.RUNNING, 4, true, "a");
        assertThat(step.effects()).isEmpty();
        assertThat(step.state().report().reason()).isEqualTo("NO_HOST_AVAILABLE");
        step = looked(wake(step), OwnerState.RUNNING, 4, true, "a", "b");
        assertThat(step.effects()).containsExactly(new Effect.Order("b", 4));
    }

    @Test
    void anOrderWhoseAnswerIsLostIsFoundInTheOwnerWord() {
        Step step = looked(begin(SPEC), OwnerState.RUNNING, 4, true, "a", "b", "c");
        step = wake(feed(step, new Event.OrderFailed("RPC_TIMEOUT", "no answer")));
        step = looked(step, OwnerState.RECOVERING, 5, false, "b", "b", "c");
        assertThat(step.effects()).containsExactly(new Effect.Ask("b"));
    }

    @Test
    void theNextHostTakesItFromOneThatDied() {
        Step step = feed(looked(begin(SPEC), OwnerState.RUNNING, 4, true, "a", "b", "c"), new Event.Started(5));
        step = wake(feed(step, new Event.AskFailed("HOST_DEAD")));
        assertThat(step.effects()).containsExactly(new Effect.Look());
        step = looked(step, OwnerState.RECOVERING, 5, true, "b", "c");
        assertThat(step.effects()).containsExactly(new Effect.Order("c", 5));
    }

    @Test
    void aHostThatGaveItUpIsToldToBeginAnewAndNobodyElse() {
        Step step = feed(looked(begin(SPEC), OwnerState.RUNNING, 4, true, "a", "b", "c"), new Event.Started(5));
        step = wake(feed(step, told("NONE", "RIGHT_LAPSED")));
        step = looked(step, OwnerState.RECOVERING, 5, false, "b", "c", "b");
        assertThat(step.effects()).containsExactly(new Effect.Order("b", 5));
    }

    @Test
    void aVmThatIsLostStaysSoOrIsRestartedByItsPolicy() {
        for (boolean restart : new boolean[]{false, true}) {
            VmSpec spec = SPEC.withProtection(0).withOnHostFailure(restart ? "restart" : "stop");
            Step step = feed(looked(begin(spec), OwnerState.RUNNING, 4, true, "a", "b"), new Event.Started(5));
            step = feed(step, told("LOST", "VM_LOST_NOT_PROTECTED"));
            assertThat(step.state().report().reason()).isEqualTo("VM_LOST_NOT_PROTECTED");
            if (restart) {
                step = looked(wake(step), OwnerState.LOST, 5, false, "b", "b");
                assertThat(step.effects()).containsExactly(new Effect.Restart("b"));
                step = feed(step, new Event.Restarted());
                assertThat(step.state().report().phase()).isEqualTo("RESTARTED");
            } else {
                assertThat(step.state().report().text()).contains("not protected", "tombolo vm destroy v");
            }
            assertThat(step.state().phase()).isEqualTo(Phase.DONE);
        }
    }

    /// Answers that come late, twice, or of another question.
    @Test
    void neverOrdersWithAnEpochThatItHasNotReadLast() {
        long seed = System.nanoTime();
        System.out.println("TakeoverOrchestrationTest seed " + seed);
        Random random = new Random(seed);
        for (int run = 0; run < 5_000; run++) {
            Step step = begin(random.nextBoolean() ? SPEC : SPEC.withOnHostFailure("restart"));
            long lastRead = -1;
            for (int i = 0; i < 30 && step.state().phase() != Phase.DONE; i++) {
                for (Effect effect : step.effects()) {
                    if (effect instanceof Effect.Order(String _, long epoch)) {
                        assertThat(epoch).as("seed %d run %d", seed, run).isEqualTo(lastRead);
                    }
                }
                Event event = any(random, i);
                if (event instanceof Event.Looked looked && step.state().phase() == Phase.LOOKING) {
                    lastRead = looked.owner().epoch();
                }
                nowNs += TimeUnit.MILLISECONDS.toNanos(random.nextInt(2_000));
                step = feed(step, event);
            }
        }
    }

    private static Event any(Random random, long epoch) {
        List<OwnerState> states = List.of(OwnerState.values());
        List<String> phases = List.of("NONE", "WAITING", "RECOVERING", "RUNNING", "PAUSED", "LOST");
        return switch (random.nextInt(9)) {
            case 0, 1, 2 -> new Event.Looked(
                    new OwnerSnapshot(states.get(random.nextInt(states.size())), 1, epoch),
                    random.nextBoolean(), "b", random.nextBoolean() ? List.of() : List.of("b", "c"));
            case 3 -> new Event.Started(epoch);
            case 4 -> new Event.OrderFailed("HOST_FULL", "no");
            case 5 -> told(phases.get(random.nextInt(phases.size())), random.nextBoolean() ? "" : "REGION_FULL");
            case 6 -> new Event.AskFailed("HOST_DEAD");
            case 7 -> random.nextBoolean() ? new Event.Restarted() : new Event.RestartFailed("HOST_FULL", "no");
            default -> new Event.Tick();
        };
    }
}

package io.tombolo.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.coordinator.HostFencing.Agent;
import io.tombolo.coordinator.HostFencing.Effect;
import io.tombolo.coordinator.HostFencing.Event;
import io.tombolo.coordinator.HostFencing.Phase;
import io.tombolo.coordinator.HostFencing.Plan;
import io.tombolo.coordinator.HostFencing.Step;
import io.tombolo.region.HostState;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class HostFencingTest {
    private static final long BOUND_NS = TimeUnit.SECONDS.toNanos(3);
    private static final long NOW_NS = 1_000;
    private static final Agent TRUSTED = new Agent("t", true);
    private static final Agent UNTRUSTED = new Agent("u", false);

    private static Step begin(long boundNs, String evidence, Agent... agents) {
        return HostFencing.start(
                new Plan("h1", 3, 7, List.of(agents), boundNs, evidence, new HandoffTimings(500)), NOW_NS);
    }

    private static Step read(Step step, HostState state, long nowNs) {
        return HostFencing.step(step.state(), new Event.SlotRead(state, 7), nowNs);
    }

    private static Step ended(Step step, boolean ok, long nowNs) {
        return HostFencing.step(step.state(), new Event.AgentEnded(ok, "it says so"), nowNs);
    }

    @Test
    void ordersUntilTheSlotWordIsNotLive() {
        Step step = begin(-1, "");
        assertThat(step.effects()).containsExactly(new Effect.ReadSlot());
        step = read(step, HostState.LIVE, NOW_NS);
        assertThat(step.effects()).containsExactly(new Effect.SendFence());
        step = HostFencing.step(step.state(), new Event.Ordered(false), NOW_NS);
        assertThat(step.effects()).isEmpty();
        step = HostFencing.step(step.state(), new Event.Tick(), step.state().wakeNs());
        assertThat(step.effects()).containsExactly(new Effect.ReadSlot());
        step = read(step, HostState.FENCING, NOW_NS + 5);
        assertThat(step.state().phase()).isEqualTo(Phase.WAITING);
        assertThat(step.state().fencedNs()).isEqualTo(NOW_NS + 5);
    }

    @Test
    void isOverWhenTheSlotSaysThatItHasStoppedOrIsSomebodyElses() {
        for (HostState stopped : List.of(HostState.STOPPED, HostState.CONFIRMED, HostState.FREE)) {
            assertThat(read(begin(-1, ""), stopped, NOW_NS).state().phase()).isEqualTo(Phase.DONE);
        }
        Step other = HostFencing.step(begin(-1, "").state(), new Event.SlotRead(HostState.LIVE, 8), NOW_NS);
        assertThat(other.state().phase()).isEqualTo(Phase.DONE);
        assertThat(other.effects()).isEmpty();
    }

    @Test
    void aTrustedAnswerIsConfirmedAtOnce() {
        Step step = read(begin(-1, "", TRUSTED), HostState.FENCING, NOW_NS);
        assertThat(step.effects()).containsExactly(new Effect.RunAgent(0));
        step = read(ended(step, true, NOW_NS + 9), HostState.FENCING, NOW_NS + 9);
        assertThat(step.effects()).containsExactly(new Effect.SendConfirm("fence-agent:t"));
    }

    @Test
    void anUntrustedAnswerIsConfirmedAtTheLaterOfAnswerAndBound() {
        for (long answerNs : new long[]{1, BOUND_NS / 2, BOUND_NS, 2 * BOUND_NS}) {
            Step step = ended(read(begin(BOUND_NS, "", UNTRUSTED), HostState.FENCING, NOW_NS), true,
                    NOW_NS + answerNs);
            long confirmNs = step.state().confirmNs();
            assertThat(confirmNs).isEqualTo(NOW_NS + Math.max(answerNs, BOUND_NS));
            if (answerNs < BOUND_NS) {
                Step early = read(step, HostState.FENCING, confirmNs - 1);
                assertThat(early.effects()).as("answer after %d ns", answerNs).isEmpty();
                step = HostFencing.step(early.state(), new Event.Tick(), confirmNs + 1_000_000_000);
            }
            step = read(step, HostState.FENCING, confirmNs);
            assertThat(step.effects()).containsExactly(new Effect.SendConfirm("fence-agent:u"));
        }
    }

    @Test
    void anUntrustedAnswerIsNeverEvidenceWithoutABound() {
        Step step = ended(read(begin(-1, "", UNTRUSTED), HostState.FENCING, NOW_NS), true, NOW_NS + 5);
        for (int i = 0; i < 1_000; i++) {
            assertThat(step.effects()).noneMatch(Effect.SendConfirm.class::isInstance);
            long nowNs = step.state().wakeNs();
            step = step.state().phase() == Phase.AGENT
                    ? ended(step, true, nowNs)
                    : read(HostFencing.step(step.state(), new Event.Tick(), nowNs), HostState.FENCING, nowNs);
        }
    }

    @Test
    void agentsAreTriedInOrderAndAllAgainAfterAWhile() {
        Step step = read(begin(-1, "", TRUSTED, UNTRUSTED, TRUSTED), HostState.FENCING, NOW_NS);
        List<Effect> run = new ArrayList<>();
        long nowNs = NOW_NS;
        while (run.size() < 5) {
            run.addAll(step.effects().stream().filter(Effect.RunAgent.class::isInstance).toList());
            nowNs = step.state().phase() == Phase.AGENT ? nowNs + 1 : step.state().wakeNs();
            step = step.state().phase() == Phase.AGENT
                    ? ended(step, false, nowNs)
                    : read(HostFencing.step(step.state(), new Event.Tick(), nowNs), HostState.FENCING, nowNs);
        }
        assertThat(run).containsExactly(new Effect.RunAgent(0), new Effect.RunAgent(1), new Effect.RunAgent(2),
                new Effect.RunAgent(0), new Effect.RunAgent(1));
        assertThat(nowNs - NOW_NS).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(10_000));
    }

    @Test
    void aPersonsWordIsConfirmedWithoutAgentsButOnlyAfterFencing() {
        Step step = read(begin(-1, "operator", TRUSTED), HostState.LIVE, NOW_NS);
        assertThat(step.effects()).containsExactly(new Effect.SendFence());
        step = HostFencing.step(step.state(), new Event.Ordered(true), NOW_NS);
        step = read(step, HostState.FENCING, NOW_NS);
        step = read(step, HostState.FENCING, NOW_NS);
        assertThat(step.effects()).containsExactly(new Effect.SendConfirm("operator"));
    }

    /// Whatever comes in whatever order: nothing is confirmed while the slot word is LIVE, and nothing at all before
    /// there is evidence.
    @Test
    void noOrderOfEventsConfirmsWithoutEvidence() {
        List<Event> events = List.of(new Event.Tick(), new Event.SlotRead(HostState.LIVE, 7),
                new Event.SlotRead(HostState.FENCING, 7), new Event.SlotRead(HostState.FAILED, 7),
                new Event.Ordered(true), new Event.Ordered(false), new Event.AgentEnded(false, "no"));
        explore(read(begin(-1, "", TRUSTED), HostState.FENCING, NOW_NS), events, 6, NOW_NS);
    }

    private static void explore(Step step, List<Event> events, int depth, long nowNs) {
        assertThat(step.effects()).noneMatch(Effect.SendConfirm.class::isInstance);
        if (depth == 0) {
            return;
        }
        long later = nowNs + TimeUnit.SECONDS.toNanos(4);
        events.forEach(event -> explore(HostFencing.step(step.state(), event, later), events, depth - 1, later));
    }
}

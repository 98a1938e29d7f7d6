package io.tombolo.agent.handoff;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.handoff.CopyCore.Effect;
import io.tombolo.agent.handoff.CopyCore.End;
import io.tombolo.agent.handoff.CopyCore.Event;
import io.tombolo.agent.handoff.CopyCore.Limits;
import io.tombolo.agent.handoff.CopyCore.Phase;
import io.tombolo.agent.handoff.CopyCore.State;
import io.tombolo.agent.handoff.CopyCore.Step;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

final class CopyCoreTest {
    private static final long MS = 1_000_000;
    /// At a page per ms, 300 pages fit the downtime limit.
    private static final Limits LIMITS = new Limits(4096, 300 * MS, 60_000 * MS, 2_000 * MS);

    private long nowNs = 1_000 * MS;
    private State state = State.fresh(LIMITS, nowNs);
    private Effect effect = Effect.NOTHING;

    private Effect feed(Event event) {
        Step step = CopyCore.step(state, event, nowNs);
        state = step.state();
        effect = step.effect();
        return effect;
    }

    /// A round in which each page takes a millisecond.
    private Effect round(long pages, long dirtyAfter) {
        for (long i = 0; i < pages; i++) {
            nowNs += MS;
            feed(new Event.Sent(1));
            if (state.phase() == Phase.ENDED) {
                return effect;
            }
        }
        return feed(new Event.RoundEnded(dirtyAfter));
    }

    @Test
    void sendsRoundsUntilTheRestFitsTheDowntimeLimit() {
        assertThat(feed(new Event.Drained(10_000))).isEqualTo(Effect.SEND_ROUND);
        assertThat(round(10_000, 4_000)).isEqualTo(Effect.SEND_ROUND);
        assertThat(state.bytesPerSecond()).isEqualTo(4_096_000);
        assertThat(round(4_000, 301)).isEqualTo(Effect.SEND_ROUND);
        assertThat(round(301, 300)).isEqualTo(Effect.STOP_GUEST);
        assertThat(state.round()).isEqualTo(3);

        assertThat(feed(new Event.Stopped(310))).isEqualTo(Effect.SEND_REST);
        feed(new Event.Sent(310));
        feed(new Event.Sealed());
        assertThat(state.phase()).isEqualTo(Phase.SENT);
        assertThat(state.round()).isEqualTo(4);
        assertThat(state.pagesSent()).isEqualTo(10_000 + 4_000 + 301 + 310);
    }

    @Test
    void aVmWithoutLocalPagesConvergesAtOnce() {
        feed(new Event.Drained(0));
        assertThat(feed(new Event.RoundEnded(0))).isEqualTo(Effect.STOP_GUEST);
    }

    @Test
    void aRoundOfNextToNothingSaysNothingOfTheRate() {
        feed(new Event.Drained(10_000));
        round(10_000, 400);
        for (int i = 0; i < 5; i++) {
            nowNs += 1_000;
            feed(new Event.Sent(1));
        }
        feed(new Event.RoundEnded(400));
        assertThat(state.bytesPerSecond()).isBetween(4_000_000L, 4_200_000L);
        assertThat(state.phase()).isEqualTo(Phase.ROUND);
    }

    @Test
    void aGuestThatDirtiesFasterIsGivenUpAtTheTimeLimit() {
        feed(new Event.Drained(10_000));
        while (round(10_000, 10_000) == Effect.SEND_ROUND) {
            assertThat(nowNs).isLessThan(70_000 * MS);
        }
        assertThat(effect).isEqualTo(Effect.END);
        assertThat(state.end()).isEqualTo(End.NOT_CONVERGED);
        assertThat(nowNs).isEqualTo(61_000 * MS);
        assertThat(state.reason()).contains("a downtime limit of 300 ms allows 300");
    }

    @Test
    void theTimeLimitEndsALongRoundInTheMiddle() {
        feed(new Event.Drained(100_000));
        assertThat(round(100_000, 0)).isEqualTo(Effect.END);
        assertThat(state.end()).isEqualTo(End.NOT_CONVERGED);
        assertThat(state.roundDone()).isEqualTo(60_000);
    }

    @Test
    void aLastRoundThatTakesTooLongIsGivenUp() {
        feed(new Event.Drained(100));
        round(100, 10);
        feed(new Event.Stopped(10));
        nowNs += 1_999 * MS;
        assertThat(feed(new Event.Tick())).isEqualTo(Effect.NOTHING);
        nowNs += MS;
        assertThat(feed(new Event.Tick())).isEqualTo(Effect.END);
        assertThat(state.end()).isEqualTo(End.FAILED);
    }

    @TestFactory
    Stream<DynamicTest> isCancelledInEveryPhaseButAfterTheSeal() {
        return Stream.of(Phase.values()).filter(phase -> phase != Phase.ENDED)
                .map(phase -> DynamicTest.dynamicTest(phase.name(), () -> {
                    CopyCoreTest at = new CopyCoreTest();
                    at.goTo(phase);
                    assertThat(at.state.phase()).isEqualTo(phase);
                    at.feed(new Event.Cancel("cancelled"));
                    assertThat(at.state.end()).isEqualTo(phase == Phase.SENT ? End.NONE : End.CANCELLED);
                    assertThat(at.effect).isEqualTo(phase == Phase.SENT ? Effect.NOTHING : Effect.END);
                    assertNothingMoves(at);
                }));
    }

    @TestFactory
    Stream<DynamicTest> failsInEveryPhaseButAfterTheSeal() {
        return Stream.of(Phase.values()).filter(phase -> phase != Phase.ENDED)
                .map(phase -> DynamicTest.dynamicTest(phase.name(), () -> {
                    CopyCoreTest at = new CopyCoreTest();
                    at.goTo(phase);
                    at.feed(new Event.Failed("B is gone"));
                    assertThat(at.state.end()).isEqualTo(phase == Phase.SENT ? End.NONE : End.FAILED);
                    assertNothingMoves(at);
                }));
    }

    private static void assertNothingMoves(CopyCoreTest at) {
        State ended = at.state;
        for (Event late : List.of(new Event.Drained(1), new Event.Sent(1), new Event.RoundEnded(0),
                new Event.Stopped(1), new Event.Sealed(), new Event.Cancel("again"), new Event.Failed("again"),
                new Event.Tick())) {
            assertThat(at.feed(late)).isEqualTo(Effect.NOTHING);
            assertThat(at.state).isEqualTo(ended);
        }
    }

    private void goTo(Phase phase) {
        if (phase == Phase.DRAINING) {
            return;
        }
        feed(new Event.Drained(100));
        if (phase == Phase.ROUND) {
            return;
        }
        round(100, 10);
        if (phase == Phase.CONVERGED) {
            return;
        }
        feed(new Event.Stopped(10));
        if (phase == Phase.LAST) {
            return;
        }
        feed(new Event.Sealed());
    }
}

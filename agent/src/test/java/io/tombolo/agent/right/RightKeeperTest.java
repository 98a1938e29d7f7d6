package io.tombolo.agent.right;

import static io.tombolo.agent.right.RightPhase.ENDED;
import static io.tombolo.agent.right.RightPhase.ENDING;
import static io.tombolo.agent.right.RightPhase.HELD;
import static io.tombolo.agent.right.RightPhase.PAUSED;
import static io.tombolo.agent.right.RightPhase.RENEWING;
import static io.tombolo.agent.right.RightPhase.STOPPING;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.region.HostState;
import io.tombolo.region.SlotWord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class RightKeeperTest {
    private static final long MS = 1_000_000L;
    private static final long START = 5_000 * MS;
    private static final long LIVE = SlotWord.pack(HostState.LIVE, 7);
    private static final long FENCING = SlotWord.pack(HostState.FENCING, 7);
    private static final Timings TIMINGS = new Timings(100);
    private static final int GRANTED_MS = TIMINGS.sessionMs();

    private final RightKeeper keeper = new RightKeeper(TIMINGS, LIVE, true);

    /// A keeper at work: feeds events and collects effects.
    private final class Run {
        private RightState state = keeper.initial(START);
        private long now = START;
        private final List<RightEffect> last = new ArrayList<>();

        Run at(long nowNs) {
            now = nowNs;
            return this;
        }

        Run tell(RightEvent event) {
            RightKeeper.Step step = keeper.step(state, event, now);
            state = step.state();
            last.clear();
            last.addAll(step.effects());
            return this;
        }

        Run freshRight() {
            return tell(new RightEvent.HeartbeatConfirmed(now, GRANTED_MS)).tell(new RightEvent.SupervisorSeen())
                    .tell(new RightEvent.SlotWordSeen(LIVE));
        }

        Run held() {
            freshRight().tell(new RightEvent.RenewDone(1));
            assertThat(state.phase()).isEqualTo(HELD);
            return this;
        }
    }

    private Run run() {
        return new Run();
    }

    private Run in(RightPhase phase) {
        Run run = run();
        return switch (phase) {
            case HELD -> run.held();
            case RENEWING -> run.freshRight();
            case STOPPING -> run.held().at(START + MS).tell(new RightEvent.BoottimeJump(9));
            case PAUSED -> in(STOPPING).tell(new RightEvent.StoringStopped(false));
            case ENDING -> run.held().tell(new RightEvent.SlotWordSeen(FENCING));
            case ENDED -> in(ENDING).tell(new RightEvent.StoringStopped(true));
        };
    }

    private record Row(RightPhase from, RightEvent event, RightPhase to, List<RightEffect> effects) {
    }

    private static Row row(RightPhase from, RightEvent event, RightPhase to, RightEffect... effects) {
        return new Row(from, event, to, List.of(effects));
    }

    private static RightEffect pause(LapseReason reason) {
        return new RightEffect.PauseAll(reason, reason.terminal());
    }

    /// Every phase x every event, at an instant at which no time-out is due.
    private static List<Row> table() {
        long later = START + 2 * MS;
        var heartbeat = new RightEvent.HeartbeatConfirmed(later, GRANTED_MS);
        var tick = new RightEvent.Tick();
        var live = new RightEvent.SlotWordSeen(LIVE);
        var fencing = new RightEvent.SlotWordSeen(FENCING);
        var failed = new RightEvent.SlotWordSeen(SlotWord.pack(HostState.FAILED, 7));
        var stoppedWord = new RightEvent.SlotWordSeen(SlotWord.pack(HostState.STOPPED, 7));
        var other = new RightEvent.SlotWordSeen(SlotWord.pack(HostState.LIVE, 8));
        var confirmed = new RightEvent.SlotWordSeen(SlotWord.pack(HostState.CONFIRMED, 7));
        var free = new RightEvent.SlotWordSeen(SlotWord.pack(HostState.FREE, 7));
        var damaged = new RightEvent.SlotWordSeen(-1L);
        var seen = new RightEvent.SupervisorSeen();
        var lost = new RightEvent.SupervisorLost();
        var jump = new RightEvent.BoottimeJump(1);
        var session = new RightEvent.SessionLost();
        var owner = new RightEvent.OwnerLost(3);
        var stopped = new RightEvent.StoringStopped(false);
        var gone = new RightEvent.StoringStopped(true);
        var renewed = new RightEvent.RenewDone(1);
        var stopVm = new RightEffect.StopVm(3);
        List<Row> rows = new ArrayList<>();
        for (RightPhase phase : List.of(STOPPING, PAUSED, RENEWING, HELD)) {
            rows.add(row(phase, heartbeat, phase));
            rows.add(row(phase, tick, phase));
            rows.add(row(phase, live, phase));
            rows.add(row(phase, seen, phase));
            rows.add(row(phase, owner, phase, stopVm));
            for (RightEvent word : List.of(fencing, failed)) {
                rows.add(row(phase, word, ENDING, pause(LapseReason.FENCED)));
            }
            rows.add(row(phase, stoppedWord, ENDING, pause(LapseReason.SLOT_STOPPED)));
            for (RightEvent word : List.of(other, confirmed, free, damaged)) {
                rows.add(row(phase, word, ENDING, pause(LapseReason.SLOT_TAKEN)));
            }
        }
        for (RightPhase phase : List.of(RENEWING, HELD)) {
            rows.add(row(phase, lost, STOPPING, pause(LapseReason.SUPERVISOR_LOST)));
            rows.add(row(phase, jump, STOPPING, pause(LapseReason.SUSPENDED)));
            rows.add(row(phase, session, STOPPING, pause(LapseReason.SESSION_LOST)));
            rows.add(row(phase, stopped, phase));
            rows.add(row(phase, gone, phase));
        }
        for (RightPhase phase : List.of(STOPPING, PAUSED)) {
            rows.add(row(phase, lost, phase));
            rows.add(row(phase, jump, phase));
            rows.add(row(phase, session, phase));
            rows.add(row(phase, stopped, PAUSED));
            rows.add(row(phase, gone, PAUSED));
            rows.add(row(phase, renewed, phase));
        }
        rows.add(row(RENEWING, renewed, HELD, new RightEffect.ResumeAll(1)));
        rows.add(row(RENEWING, new RightEvent.RenewDone(0), RENEWING));
        rows.add(row(HELD, renewed, HELD));
        for (RightEvent event : List.of(heartbeat, tick, live, fencing, failed, stoppedWord, other, confirmed, free,
                damaged, seen, lost, jump, session, owner, stopped, renewed)) {
            rows.add(row(ENDING, event, ENDING));
            rows.add(row(ENDED, event, ENDED));
        }
        rows.add(row(ENDED, gone, ENDED));
        rows.add(
                row(ENDING, gone, ENDED, new RightEffect.SayStopped(), new RightEffect.Exit(LapseReason.FENCED, true)));
        return rows;
    }

    @TestFactory
    Stream<DynamicTest> everyEventInEveryPhase() {
        return table().stream()
                .map(row -> DynamicTest.dynamicTest(row.from + " + " + row.event + " -> " + row.to, () -> {
                    Run run = in(row.from).at(START + 2 * MS).tell(row.event);

                    assertThat(run.state.phase()).isEqualTo(row.to);
                    assertThat(run.last).isEqualTo(row.effects);
                }));
    }

    @Test
    void theTableHasEveryKindOfEventInEveryPhase() {
        List<String> kinds = Stream.of(RightEvent.class.getPermittedSubclasses()).map(Class::getName).toList();
        for (RightPhase phase : RightPhase.values()) {
            assertThat(table().stream().filter(r -> r.from == phase).map(r -> r.event.getClass().getName()).distinct())
                    .as("events in " + phase).containsExactlyInAnyOrderElementsOf(kinds);
        }
    }

    @Test
    void startsWithoutTheRightAndTakesItThroughARenewal() {
        Run run = run().tell(new RightEvent.Tick());
        assertThat(run.state.phase()).isEqualTo(PAUSED);

        run.tell(new RightEvent.HeartbeatConfirmed(START, GRANTED_MS)).tell(new RightEvent.SlotWordSeen(LIVE));
        assertThat(run.last).as("no supervisor yet").isEmpty();
        run.tell(new RightEvent.SupervisorSeen());
        assertThat(run.last).containsExactly(new RightEffect.RenewAll(1));
        run.tell(new RightEvent.RenewDone(1));
        assertThat(run.last).containsExactly(new RightEffect.ResumeAll(1));
    }

    @Test
    void warnsOnceThenPausesAtTheDeadline() {
        Run run = run().held();
        long warnAt = TIMINGS.warnAtNs(START, GRANTED_MS);
        long deadline = TIMINGS.deadlineNs(START, GRANTED_MS);

        assertThat(run.at(warnAt - 1).tell(new RightEvent.Tick()).last).isEmpty();
        assertThat(run.at(warnAt).tell(new RightEvent.Tick()).last)
                .containsExactly(new RightEffect.Warn(deadline - warnAt));
        assertThat(run.at(warnAt + 1).tell(new RightEvent.Tick()).last).isEmpty();
        assertThat(run.at(deadline - 1).tell(new RightEvent.Tick()).last).isEmpty();
        assertThat(run.at(deadline).tell(new RightEvent.Tick()).last).containsExactly(pause(LapseReason.DEADLINE));
    }

    @Test
    void aHeartbeatMovesTheDeadlineFromItsSendTimeNotFromItsAnswer() {
        Run run = run().held();
        long sent = START + 10 * MS;

        run.at(START + 90 * MS).tell(new RightEvent.HeartbeatConfirmed(sent, GRANTED_MS));

        assertThat(run.state.deadlineNs()).isEqualTo(sent + 300 * MS);
    }

    @Test
    void anOlderHeartbeatThatIsConfirmedLateChangesNothing() {
        Run run = run().held().at(START + 50 * MS).tell(new RightEvent.HeartbeatConfirmed(START + 40 * MS, GRANTED_MS));

        run.tell(new RightEvent.HeartbeatConfirmed(START + 20 * MS, 40_000));

        assertThat(run.state.deadlineNs()).isEqualTo(START + 340 * MS);
    }

    @Test
    void aHeartbeatConfirmedAfterTheDeadlineDoesNotUndoTheLapse() {
        Run run = run().held();
        long late = TIMINGS.deadlineNs(START, GRANTED_MS) + 5 * MS;

        run.at(late).tell(new RightEvent.HeartbeatConfirmed(late - 50 * MS, GRANTED_MS));

        assertThat(run.last).containsExactly(pause(LapseReason.DEADLINE));
        assertThat(run.state.phase()).isEqualTo(STOPPING);
        run.tell(new RightEvent.SlotWordSeen(LIVE)).tell(new RightEvent.StoringStopped(false));
        assertThat(run.state.phase()).as("that heartbeat was sent before the lapse").isEqualTo(PAUSED);
        run.at(late + MS).tell(new RightEvent.HeartbeatConfirmed(late, GRANTED_MS));
        assertThat(run.last).containsExactly(new RightEffect.RenewAll(2));
    }

    @Test
    void renewsOnlyAfterEveryStoringThreadHasStopped() {
        Run run = in(STOPPING).at(START + 5 * MS).freshRight();
        assertThat(run.state.phase()).isEqualTo(STOPPING);

        run.tell(new RightEvent.StoringStopped(false));

        assertThat(run.last).containsExactly(new RightEffect.RenewAll(2));
    }

    @Test
    void threadsThatHappenedToBeStoppedBeforeThePauseDoNotCount() {
        Run run = run().held().at(TIMINGS.deadlineNs(START, GRANTED_MS)).tell(new RightEvent.StoringStopped(true));

        assertThat(run.state.phase()).isEqualTo(STOPPING);
    }

    @Test
    void aSlotWordReadBeforeTheLapseIsNotFresh() {
        Run run = in(PAUSED).at(START + 5 * MS).tell(new RightEvent.HeartbeatConfirmed(START + 5 * MS, GRANTED_MS));
        assertThat(run.state.phase()).isEqualTo(PAUSED);

        run.tell(new RightEvent.SlotWordSeen(LIVE));

        assertThat(run.state.phase()).isEqualTo(RENEWING);
    }

    @Test
    void aRenewalThatWasOvertakenByALapseIsNotResumed() {
        Run run = in(RENEWING).at(START + MS).tell(new RightEvent.BoottimeJump(1)).tell(new RightEvent.RenewDone(1));
        assertThat(run.state.phase()).isEqualTo(STOPPING);
        run.tell(new RightEvent.StoringStopped(false)).at(START + 2 * MS).freshRight();
        assertThat(run.state.phase()).isEqualTo(RENEWING);

        assertThat(run.tell(new RightEvent.RenewDone(1)).last).isEmpty();
        assertThat(run.tell(new RightEvent.RenewDone(2)).last).containsExactly(new RightEffect.ResumeAll(2));
    }

    @Test
    void aLapseWhilePausedMakesTheHeartbeatBeforeItStale() {
        Run run = in(PAUSED).at(START + 5 * MS).tell(new RightEvent.HeartbeatConfirmed(START + 5 * MS, GRANTED_MS))
                .at(START + 6 * MS).tell(new RightEvent.BoottimeJump(1)).tell(new RightEvent.SlotWordSeen(LIVE));

        assertThat(run.state.phase()).isEqualTo(PAUSED);
    }

    @Test
    void theSupervisorBackWithinTheWatchdogTimeIsALapseOnly() {
        Run run = run().held().at(START + MS).tell(new RightEvent.SupervisorLost())
                .tell(new RightEvent.StoringStopped(false)).at(START + 50 * MS).freshRight();

        assertThat(run.last).containsExactly(new RightEffect.RenewAll(2));
        assertThat(run.state.phase()).isEqualTo(RENEWING);
    }

    @Test
    void theSupervisorGoneForTheWatchdogTimeIsTheEnd() {
        long lostAt = START + MS;
        Run run = run().held().at(lostAt).tell(new RightEvent.SupervisorLost())
                .tell(new RightEvent.StoringStopped(false)).at(lostAt + TIMINGS.watchdogNs() - 1)
                .tell(new RightEvent.SupervisorLost());
        assertThat(run.state.phase()).isEqualTo(PAUSED);

        run.at(lostAt + TIMINGS.watchdogNs()).tell(new RightEvent.Tick());
        assertThat(run.last).containsExactly(pause(LapseReason.SUPERVISOR_GONE));
        run.tell(new RightEvent.StoringStopped(true));
        assertThat(run.last).containsExactly(new RightEffect.SayStopped(),
                new RightEffect.Exit(LapseReason.SUPERVISOR_GONE, true));
    }

    @Test
    void anUnsupervisedHostIsNeverWithoutItsSupervisor() {
        RightKeeper free = new RightKeeper(TIMINGS, LIVE, false);
        RightState state = free.initial(START);
        state = free.step(state, new RightEvent.HeartbeatConfirmed(START, GRANTED_MS), START).state();
        state = free.step(state, new RightEvent.SlotWordSeen(LIVE), START).state();
        assertThat(state.phase()).isEqualTo(RENEWING);

        assertThat(free.step(state, new RightEvent.SupervisorLost(), START).state()).isEqualTo(state);
    }

    @Test
    void saysStoppedOnlyWhenNoGuestProcessIsLeft() {
        Run run = in(ENDING).tell(new RightEvent.StoringStopped(false));
        assertThat(run.last).isEmpty();

        run.tell(new RightEvent.StoringStopped(true));

        assertThat(run.last.getFirst()).isEqualTo(new RightEffect.SayStopped());
    }

    @Test
    void neverWritesASlotWordThatSomebodyElseHas() {
        for (long word : List.of(SlotWord.pack(HostState.STOPPED, 7), SlotWord.pack(HostState.CONFIRMED, 7),
                SlotWord.pack(HostState.LIVE, 8))) {
            Run run = in(ENDING).tell(new RightEvent.SlotWordSeen(word)).tell(new RightEvent.StoringStopped(true));

            assertThat(run.last).containsExactly(new RightEffect.Exit(LapseReason.FENCED, true));
        }
    }

    @Test
    void exitsUnconfirmedWhenThreadsDoNotStop() {
        Run run = in(ENDING).at(START + TIMINGS.watchdogNs() - 1).tell(new RightEvent.Tick());
        assertThat(run.state.phase()).isEqualTo(ENDING);

        run.at(START + TIMINGS.watchdogNs()).tell(new RightEvent.StoringStopped(false));

        assertThat(run.last).containsExactly(new RightEffect.Exit(LapseReason.FENCED, false));
    }

    @Test
    void aClockThatGoesBackIsTakenAsStandingStill() {
        Run run = run().held().at(START + 50 * MS).tell(new RightEvent.Tick()).at(START).tell(new RightEvent.Tick());

        assertThat(run.state.nowNs()).isEqualTo(START + 50 * MS);
    }

    @Test
    void refusesWhatCannotBe() {
        assertThatThrownBy(() -> run().tell(new RightEvent.HeartbeatConfirmed(START + 1, GRANTED_MS)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("from the future");
        assertThatThrownBy(() -> new RightKeeper(TIMINGS, FENCING, true)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("FENCING");
    }

    @Test
    void reasonsAreFinalExactlyWhenTheyEndTheIncarnation() {
        Map<LapseReason, RightEvent> lapses = Map.of(LapseReason.SESSION_LOST, new RightEvent.SessionLost(),
                LapseReason.SUSPENDED, new RightEvent.BoottimeJump(1), LapseReason.SUPERVISOR_LOST,
                new RightEvent.SupervisorLost(), LapseReason.FENCED, new RightEvent.SlotWordSeen(FENCING),
                LapseReason.SLOT_TAKEN, new RightEvent.SlotWordSeen(0));
        lapses.forEach((reason, event) -> {
            Run run = in(HELD).tell(event);
            assertThat(run.state.reason()).isEqualTo(reason);
            assertThat(run.state.phase().terminal()).as(reason.name()).isEqualTo(reason.terminal());
        });
    }
}

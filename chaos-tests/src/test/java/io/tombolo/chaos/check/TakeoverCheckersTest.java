package io.tombolo.chaos.check;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.chaos.check.TakeoversWithinBound.Takeover;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.history.OpType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What is checked of takeovers, on runs of which everything is known.
final class TakeoverCheckersTest {
    private static final long S = 1_000_000_000L;

    private static Takeover takeover(long failedS, long possibleS, long endedS, String end, String... faults) {
        return new Takeover("vm", "host-1", "host-2", failedS * S, failedS * S, possibleS * S, failedS * S,
                endedS * S, end, List.of(faults));
    }

    private static CheckResult bound(Takeover... takeovers) {
        return new TakeoversWithinBound(List.of(takeovers), Duration.ofSeconds(4)).check(History.of(List.of()),
                CheckContext.defaults());
    }

    @Test
    void aTakeoverIsCountedFromTheFailureOrFromWhenSomebodyLed() {
        assertThat(bound(takeover(10, 0, 13, "RUNNING", "kill")).verdict()).isEqualTo(Verdict.VALID);
        assertThat(bound(takeover(10, 0, 15, "RUNNING", "kill")).verdict()).isEqualTo(Verdict.INVALID);
        assertThat(bound(takeover(10, 12, 15, "RUNNING", "kill")).verdict()).isEqualTo(Verdict.VALID);
    }

    @Test
    void theFormulaHoldsForOneFailureAtATime() {
        CheckResult result = bound(takeover(10, 0, 30, "RUNNING", "kill", "partition"), takeover(40, 0, 60, "RUNNING"));

        assertThat(result.verdict()).isEqualTo(Verdict.VALID);
        assertThat(result.details()).containsEntry("counted", 0L).containsEntry("moreFaults", 1L)
                .containsEntry("noFault", 1L);
    }

    @Test
    void aVmThatIsTakenOverAndLostIsInvalidWhateverWasAtWork() {
        assertThat(bound(takeover(10, 0, 11, "LOST", "kill", "partition")).verdict()).isEqualTo(Verdict.INVALID);
    }

    @Test
    void aProtectedVmThatIsLostIsInvalid() {
        History none = History.of(List.of());
        assertThat(new ProtectedVmsKept(1, List.of()).check(none, CheckContext.defaults()).verdict())
                .isEqualTo(Verdict.VALID);
        assertThat(new ProtectedVmsKept(1, List.of("vm at 5 ns")).check(none, CheckContext.defaults()).verdict())
                .isEqualTo(Verdict.INVALID);
    }

    @Test
    void failuresOfAGuestThatNobodyUsesShowNothing() {
        List<HistoryEvent> events = new ArrayList<>();
        events.add(new HistoryEvent(0, S, OpType.INVOKE, 0, "write", 1L, null));
        events.add(new HistoryEvent(1, S + 1, OpType.OK, 0, "write", 1L, null));
        events.add(new HistoryEvent(2, S + 2, OpType.INVOKE, 1, "write", 2L, null));
        History history = History.of(events);
        List<Long> unused = List.of(5 * S, 6 * S, 7 * S, 8 * S, 9 * S, 10 * S, 11 * S, 12 * S);

        assertThat(new SomethingWasAtStake(unused).check(history, CheckContext.defaults()).verdict())
                .isEqualTo(Verdict.UNKNOWN);
        CheckResult used = new SomethingWasAtStake(List.of(S + 10)).check(history, CheckContext.defaults());
        assertThat(used.verdict()).isEqualTo(Verdict.VALID);
        assertThat(used.details()).containsEntry("atStake", 1L);
    }
}

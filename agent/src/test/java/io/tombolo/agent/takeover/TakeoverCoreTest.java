package io.tombolo.agent.takeover;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.takeover.TakeoverCore.Effect;
import io.tombolo.agent.takeover.TakeoverCore.Event;
import io.tombolo.agent.takeover.TakeoverCore.Phase;
import io.tombolo.agent.takeover.TakeoverCore.Step;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Takeover.Doubt;
import java.util.List;
import org.junit.jupiter.api.Test;

class TakeoverCoreTest {
    private static final long MINE = OwnerWord.pack(OwnerState.RECOVERING, 2, 9);
    private static final List<Doubt> DOUBTS = List.of(new Doubt(1, 4));
    private static final Event FREE_TO_GO = new Event.Looked(true, true, List.of());

    private static Step begin() {
        return TakeoverCore.begun(MINE, DOUBTS, 100);
    }

    private static Step feed(Step step, Event event) {
        return TakeoverCore.step(step.state(), event, 200);
    }

    @Test
    void waitsForEveryOwnerInDoubtThenRecoversRestoresFinishesAndRuns() {
        Step step = begin();
        assertThat(step.effects()).containsExactly(new Effect.Look(0));
        step = feed(step, new Event.Looked(true, true, DOUBTS));
        assertThat(step.effects()).allMatch(Effect.Look.class::isInstance).hasSize(1);
        step = feed(step, FREE_TO_GO);
        assertThat(step.effects()).containsExactly(new Effect.Recover());
        step = feed(step, new Event.Recovered("", false, 17));
        assertThat(step.effects()).containsExactly(new Effect.Restore());
        step = feed(step, new Event.Restored());
        assertThat(step.effects()).containsExactly(new Effect.Finish(OwnerState.RUNNING));
        step = feed(step, new Event.Finished(true));
        assertThat(step.effects()).containsExactly(new Effect.Adopt());
        assertThat(step.state().phase()).isEqualTo(Phase.RUNNING);
        assertThat(step.state().pagesRolledBack()).isEqualTo(17);
    }

    @Test
    void aPausedVmStaysPausedAndOneWithoutAStateIsLost() {
        Step paused = feed(feed(feed(begin(), FREE_TO_GO), new Event.Recovered("", true, 0)), new Event.Restored());
        assertThat(paused.effects()).containsExactly(new Effect.Finish(OwnerState.PAUSED));
        assertThat(feed(paused, new Event.Finished(true)).state().phase()).isEqualTo(Phase.PAUSED);
        Step lost = feed(feed(begin(), FREE_TO_GO), new Event.Recovered("VM_LOST_NOT_PROTECTED", false, 0));
        assertThat(lost.effects()).containsExactly(new Effect.Finish(OwnerState.LOST));
        lost = feed(lost, new Event.Finished(true));
        assertThat(lost.state().phase()).isEqualTo(Phase.LOST);
        assertThat(lost.state().reason()).isEqualTo("VM_LOST_NOT_PROTECTED");
        assertThat(lost.effects()).containsExactly(new Effect.Leave());
    }

    @Test
    void givesUpWhenTheRightLapsesOrTheWordIsSomebodyElses() {
        for (Event event : List.of(new Event.Looked(false, true, List.of()), new Event.Looked(true, false, List.of()),
                new Event.Abandoned(), new Event.Failed("REGION_FULL", false))) {
            Step step = feed(begin(), event);
            assertThat(step.state().phase()).as("%s", event).isEqualTo(Phase.GIVEN_UP);
            assertThat(step.state().reason()).isNotEmpty();
            assertThat(step.effects()).containsExactly(new Effect.Leave());
            assertThat(feed(step, FREE_TO_GO).effects()).isEmpty();
        }
    }

    /// Whatever comes in whatever order: memory is touched only right after a look that found the right held, the word
    /// ours and nobody in doubt; the VM runs only after a change of the owner word that succeeded.
    @Test
    void noOrderOfEventsStoresBeforeTheConfirmationOrRunsWithoutTheWord() {
        List<Event> events = List.of(FREE_TO_GO, new Event.Looked(true, true, DOUBTS),
                new Event.Looked(false, true, List.of()), new Event.Looked(true, false, List.of()),
                new Event.Recovered("", false, 1), new Event.Recovered("VM_LOST_LOCAL_PAGES", false, 1),
                new Event.Restored(), new Event.Failed("REGION_FULL", false),
                new Event.Failed("VM_PROTECT_UNSUPPORTED", true), new Event.Finished(true), new Event.Finished(false),
                new Event.Abandoned());
        explore(begin(), events, 5, false, false);
    }

    private static void explore(Step step, List<Event> events, int depth, boolean recovering, boolean finishing) {
        if (depth == 0) {
            return;
        }
        for (Event event : events) {
            if (event instanceof Event.Failed(String _, boolean hopeless) && hopeless && !recovering) {
                // The edge reports one only from a step that it was told to do.
                continue;
            }
            Step next = feed(step, event);
            boolean begins = next.effects().contains(new Effect.Recover());
            assertThat(!begins || event.equals(FREE_TO_GO)).as("%s after %s", next, event).isTrue();
            boolean stores = next.effects().stream()
                    .anyMatch(effect -> effect instanceof Effect.Restore || effect instanceof Effect.Finish);
            assertThat(!stores || recovering).as("%s after %s", next, event).isTrue();
            boolean runs = next.effects().contains(new Effect.Adopt());
            assertThat(!runs || (finishing && event.equals(new Event.Finished(true)))).as("%s after %s", next, event)
                    .isTrue();
            explore(next, events, depth - 1, recovering || begins,
                    finishing || next.effects().stream().anyMatch(Effect.Finish.class::isInstance));
        }
    }
}

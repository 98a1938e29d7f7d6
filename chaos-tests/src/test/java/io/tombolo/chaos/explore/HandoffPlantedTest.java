package io.tombolo.chaos.explore;

import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.agent.handoff.Step;
import io.tombolo.chaos.explore.HandoffWorld.Blob;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The exploration of hand-offs finds nothing in the shipped cores, and each planted bug.
final class HandoffPlantedTest {
    enum Bug {
        EPOCH_NOT_CHECKED(1, 1), OWNER_WORD_WRITTEN(0, 1), TAKE_BACK_FROM_CLAIMED(0, 1), RESUMED_BY_LOOKING(1,
                1), GUEST_DISCARDED_WHILE_IT_TAKES_THE_VM(0, 1), RENEWED_VM_RUN_ONLY_WHEN_IDLE(1,
                        1), METADATA_SLOT_REUSED_TOO_EARLY(0, 1);

        private final int faults;
        private final int moves;

        Bug(int faults, int moves) {
            this.faults = faults;
            this.moves = moves;
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theShippedCoresComeThroughWithOneFault(boolean claims) {
        Findings.assertSound(new HandoffModel(new AgentSteps(), new LeaderSteps(), 1, 1, false, claims), 100_000);
    }

    @ParameterizedTest
    @EnumSource
    void aPlantedBugIsFound(Bug bug) {
        Findings.assertFound(bug,
                new HandoffModel(new Planted(bug), new LeaderSteps(), bug.faults, bug.moves,
                        bug == Bug.RENEWED_VM_RUN_ONLY_WHEN_IDLE, bug == Bug.TAKE_BACK_FROM_CLAIMED
                                || bug == Bug.METADATA_SLOT_REUSED_TOO_EARLY));
    }

    private static final class Planted extends AgentSteps {
        private final Bug bug;

        Planted(Bug bug) {
            this.bug = bug;
        }

        @Override
        Step<SourceCore.State, SourceCore.Effect> source(SourceCore.State state, SourceCore.Event event, long nowNs) {
            Step<SourceCore.State, SourceCore.Effect> step = super.source(state, event, nowNs);
            boolean claimed = event instanceof SourceCore.Event.OwnerSeen(long word)
                    && OwnerWord.is(word, OwnerState.CLAIMED);
            if (bug != Bug.TAKE_BACK_FROM_CLAIMED || !claimed) {
                return step;
            }
            long word = ((SourceCore.Event.OwnerSeen) event).word();
            List<SourceCore.Effect> effects = new ArrayList<>(step.effects());
            effects.add(new SourceCore.Effect.TakeBack(word, OwnerWord.epoch(word) + 1));
            return new Step<>(step.state(), effects);
        }

        @Override
        boolean matches(long found, long expect) {
            return switch (bug) {
                case OWNER_WORD_WRITTEN -> true;
                case EPOCH_NOT_CHECKED -> OwnerWord.state(found) == OwnerWord.state(expect)
                        && OwnerWord.slot(found) == OwnerWord.slot(expect);
                default -> super.matches(found, expect);
            };
        }

        @Override
        boolean isOffer(int host, long word, long prepared) {
            return super.isOffer(host, word, bug == Bug.EPOCH_NOT_CHECKED ? 0 : prepared);
        }

        @Override
        boolean isSound(Blob blob, long offered) {
            return bug == Bug.EPOCH_NOT_CHECKED ? blob.valid() : super.isSound(blob, offered);
        }

        @Override
        boolean resumesByLooking() {
            return bug == Bug.RESUMED_BY_LOOKING;
        }

        @Override
        boolean reusesStateEarly() {
            return bug == Bug.METADATA_SLOT_REUSED_TOO_EARLY;
        }

        @Override
        boolean callsOffFirst() {
            return bug != Bug.GUEST_DISCARDED_WHILE_IT_TAKES_THE_VM;
        }

        @Override
        boolean runsIn(SourceCore.Phase phase) {
            return bug == Bug.RENEWED_VM_RUN_ONLY_WHEN_IDLE ? phase == SourceCore.Phase.IDLE : super.runsIn(phase);
        }
    }
}

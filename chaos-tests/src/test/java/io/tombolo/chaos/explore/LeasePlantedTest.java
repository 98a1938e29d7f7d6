package io.tombolo.chaos.explore;

import io.tombolo.agent.right.WatchdogPetter;
import io.tombolo.chaos.explore.LeaseWorld.Guest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The exploration of right keeping finds nothing in the shipped core, and each planted bug.
final class LeasePlantedTest {
    enum Bug {
        RESUMED_BY_LOOKING, STOPPED_SAID_TOO_EARLY, TAKEN_WITHOUT_CONFIRMATION, GATE_NOT_LOOKED_AT, //
        PET_ARMED_AT_RECEIPT, PET_BY_WHO_DOES_NOT_KNOW_THE_OTHERS, SLOT_REUSED_BEFORE_IT_HAS_STOPPED
    }

    @Test
    void theShippedCoreComesThroughWithOneFault() {
        Findings.assertSound(new LeaseModel(1), 100_000);
    }

    @ParameterizedTest
    @EnumSource
    void aPlantedBugIsFound(Bug bug) {
        Findings.assertFound(bug, new Planted(bug));
    }

    private static final class Planted extends LeaseModel {
        private final Bug bug;

        Planted(Bug bug) {
            super(1);
            this.bug = bug;
        }

        @Override
        boolean resumesByLooking() {
            return bug == Bug.RESUMED_BY_LOOKING;
        }

        @Override
        boolean allStopped(Guest guest) {
            return bug == Bug.STOPPED_SAID_TOO_EARLY || super.allStopped(guest);
        }

        @Override
        boolean guestsGone(Guest guest) {
            return bug == Bug.STOPPED_SAID_TOO_EARLY || super.guestsGone(guest);
        }

        @Override
        boolean isConfirmed(LeaseWorld world) {
            return bug == Bug.TAKEN_WITHOUT_CONFIRMATION || super.isConfirmed(world);
        }

        @Override
        boolean holds(LeaseWorld world) {
            boolean open = world.keeper().gateUntilNs() != Long.MIN_VALUE;
            return (bug == Bug.GATE_NOT_LOOKED_AT && !open)
                    ? super.holds(new LeaseWorld(world.words(), world.keeper().gate(Long.MAX_VALUE),
                            world.guest().stale(false), world.around()))
                    : super.holds(world);
        }

        @Override
        long armedBy(long checkedNs) {
            return bug == Bug.PET_ARMED_AT_RECEIPT ? LeaseWorld.NOW_NS : super.armedBy(checkedNs);
        }

        @Override
        WatchdogPetter.Decision pets(LeaseWorld world) {
            return bug == Bug.PET_BY_WHO_DOES_NOT_KNOW_THE_OTHERS
                    ? new WatchdogPetter.Decision.Pet(LeaseWorld.NOW_NS)
                    : super.pets(world);
        }

        @Override
        boolean maySlotBeReused(LeaseWorld world) {
            return super.maySlotBeReused(world) || (bug == Bug.SLOT_REUSED_BEFORE_IT_HAS_STOPPED
                    && world.around().takeover() != LeaseWorld.Takeover.NONE);
        }
    }
}

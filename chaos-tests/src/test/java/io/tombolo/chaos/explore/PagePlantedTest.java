package io.tombolo.chaos.explore;

import io.tombolo.chaos.explore.PageWorld.At;
import io.tombolo.chaos.explore.PageWorld.Words;
import io.tombolo.region.PageTableEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The exploration of page moves finds nothing in the protocol as it is, and each planted bug.
final class PagePlantedTest {
    enum Bug {
        ENTRY_PUBLISHED_BEFORE_THE_COPY(0), SHOOT_DOWN_SKIPPED(0), TAG_IGNORED(0), RIGHT_NOT_CHECKED(
                0), GATE_NOT_DRAINED(0), WHO_ENTERS_IS_NOT_SEEN(0), RECOVERY_FREES_A_LIVE_FRAME(1);

        private final int faults;

        Bug(int faults) {
            this.faults = faults;
        }
    }

    @Test
    void theProtocolComesThroughWithOneFault() {
        Findings.assertSound(new PageModel(new MoverSteps(1), 1, 2), 100_000);
    }

    @ParameterizedTest
    @EnumSource
    void aPlantedBugIsFound(Bug bug) {
        Findings.assertFound(bug, new Planted(bug));
    }

    private static final class Planted extends PageModel {
        private final Bug bug;

        Planted(Bug bug) {
            super(new PlantedMover(bug), bug.faults, 2);
            this.bug = bug;
        }

        @Override
        boolean isDrained(PageWorld world) {
            return bug == Bug.GATE_NOT_DRAINED || (bug == Bug.WHO_ENTERS_IS_NOT_SEEN && world.words().inside() == 0)
                    || super.isDrained(world);
        }

        @Override
        boolean isKept(Words words, int frame, int page) {
            return bug != Bug.RECOVERY_FREES_A_LIVE_FRAME && super.isKept(words, frame, page);
        }
    }

    private static final class PlantedMover extends MoverSteps {
        private static final long TAG = 0xFFFFL << 4;
        private final Bug bug;

        PlantedMover(Bug bug) {
            super(1);
            this.bug = bug;
        }

        @Override
        boolean matches(long found, long expect) {
            return bug == Bug.TAG_IGNORED
                    ? (found & ~TAG) == (expect & ~TAG) && PageTableEntry.state(found) == PageTableEntry.state(expect)
                    : super.matches(found, expect);
        }

        @Override
        boolean waitsForVcpus() {
            return bug != Bug.SHOOT_DOWN_SKIPPED;
        }

        @Override
        boolean checksRight() {
            return bug != Bug.RIGHT_NOT_CHECKED;
        }

        @Override
        At afterShootdown() {
            return bug == Bug.ENTRY_PUBLISHED_BEFORE_THE_COPY ? At.PUBLISH : super.afterShootdown();
        }

        @Override
        At afterPublish() {
            return bug == Bug.ENTRY_PUBLISHED_BEFORE_THE_COPY ? At.COPY : super.afterPublish();
        }

        @Override
        At afterCopies() {
            return bug == Bug.ENTRY_PUBLISHED_BEFORE_THE_COPY ? At.GIVE_UP : super.afterCopies();
        }
    }
}

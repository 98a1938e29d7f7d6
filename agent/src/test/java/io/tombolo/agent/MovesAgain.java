package io.tombolo.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.pages.PageService;
import java.util.concurrent.TimeUnit;

/// Moves pages as a person does: what is answered EBUSY is asked for again. On a busy machine a vCPU may be without a
/// core for longer than a mover waits for it.
final class MovesAgain {
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(30);
    private static final long BUDGET_NS = TimeUnit.SECONDS.toNanos(10);

    private MovesAgain() {
    }

    /// The answer to the last of the calls: the first by which no more than `stay` pages did not move.
    static PageService.Moved move(PageService pages, String vm, long first, int count, int tier, int stay) {
        long since = System.nanoTime();
        while (true) {
            PageService.Moved moved = pages.move(vm, first, count, tier, BUDGET_NS);
            if (moved.notMoved() <= stay) {
                return moved;
            }
            assertThat(System.nanoTime() - since).as("ns, and %d pages did not move", moved.notMoved())
                    .isLessThan(PATIENCE_NS);
        }
    }
}

package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.pages.VmPages;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import java.util.concurrent.TimeUnit;

/// How one vCPU waits for a page that is being moved: it leaves its translations, so that it holds up no mover, spins
/// for as long as a copy takes, and then gives the core to whoever needs it, which may be the mover.
///
/// Its right is looked at all the while, so that the watchdog sees that the thread lives. A right that lapses meanwhile
/// is found at the end of the slice like any other: the mover gives its marks up then, and the wait ends.
///
/// For the thread of that vCPU only.
public final class MovingPageWait implements PageFaultHandler {
    private static final int SPINS = 2_000;
    private static final long CHECK_NS = TimeUnit.MICROSECONDS.toNanos(500);
    /// A mover that takes longer has failed; the guest must not stand still without a word.
    private static final long LONGEST_NS = TimeUnit.SECONDS.toNanos(10);

    private final VmPages pages;
    private final int vcpu;
    private final RightCheck right;

    public MovingPageWait(VmPages pages, int vcpu, RightCheck right) {
        this.pages = requireNonNull(pages, "pages is null");
        this.vcpu = vcpu;
        this.right = requireNonNull(right, "right is null");
    }

    @Override
    public void awaitPresent(long page, long entry) {
        if (!isMoving(entry)) {
            throw new GuestFault(GuestFault.Kind.NOT_PRESENT, page << pages.size().shift(),
                    "its page-table entry is " + PageTableEntry.describe(entry));
        }
        long sinceNs = System.nanoTime();
        pages.shootdown().offline(vcpu);
        try {
            await(page, sinceNs);
        } finally {
            pages.shootdown().online(vcpu);
            pages.waits().add(System.nanoTime() - sinceNs);
        }
    }

    private static boolean isMoving(long entry) {
        PteState state = PageTableEntry.state(entry);
        return state == PteState.MIGRATING || state == PteState.COPYING;
    }

    // Yielding is right here: what it waits for is a thread that may need this very core.
    @SuppressWarnings("ThreadPriorityCheck")
    private void await(long page, long sinceNs) {
        long checkedNs = sinceNs;
        for (int spins = 0; isMoving(pages.table().entryAcquire(page)); spins++) {
            if (spins < SPINS) {
                Thread.onSpinWait();
                continue;
            }
            long now = System.nanoTime();
            if (now - checkedNs > CHECK_NS) {
                var _ = right.check(vcpu);
                checkedNs = now;
            }
            if (now - sinceNs > LONGEST_NS) {
                throw new GuestFault(GuestFault.Kind.NOT_PRESENT, page << pages.size().shift(),
                        "its move does not end: " + PageTableEntry.describe(pages.table().entryAcquire(page)));
            }
            Thread.yield();
        }
    }
}

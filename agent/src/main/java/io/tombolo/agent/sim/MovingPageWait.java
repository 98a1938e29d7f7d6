package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.pages.VmPages;
import io.tombolo.region.PageSize;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import java.util.concurrent.TimeUnit;

/// How one vCPU waits for a page that is being moved: it leaves its translations, so that it holds up no mover, and
/// spins for as long as a mover takes for that page. If the mover has many others before it, or has lost its core with
/// the page marked, the vCPU takes the page back and goes on where it was, and the mover finds that its copy is not
/// wanted.
///
/// So a wait has a bound that depends on no other thread.
///
/// Its right is looked at all the while, so that the watchdog sees that the thread lives; without the right it stores
/// nothing. A right that lapses meanwhile is found at the end of the slice like any other: the mover gives its marks up
/// then, and the wait ends.
///
/// For the thread of that vCPU only.
public final class MovingPageWait implements PageFaultHandler {
    /// Less than a whole batch of small pages takes a mover, more than one page alone: what is taken back goes into the
    /// next batch with others that were, and these are few. To wait is dear, to be copied once more is not.
    private static final long SMALL_TAKE_BACK_NS = TimeUnit.MICROSECONDS.toNanos(5);
    /// One copy of 2 MiB takes 100 to 200 us, twice that if every page of the tier's file is new to the mapping.
    private static final long LARGE_TAKE_BACK_NS = TimeUnit.MICROSECONDS.toNanos(500);
    private static final long CHECK_NS = TimeUnit.MICROSECONDS.toNanos(500);
    /// A mover that takes longer has failed; the guest must not stand still without a word.
    private static final long LONGEST_NS = TimeUnit.SECONDS.toNanos(10);

    private final VmPages pages;
    private final int vcpu;
    private final RightCheck right;
    private final long takeBackNs;

    public MovingPageWait(VmPages pages, int vcpu, RightCheck right) {
        this.pages = requireNonNull(pages, "pages is null");
        this.vcpu = vcpu;
        this.right = requireNonNull(right, "right is null");
        this.takeBackNs = pages.size() == PageSize.LARGE ? LARGE_TAKE_BACK_NS : SMALL_TAKE_BACK_NS;
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

    // Yielding is right here: without its right it may only wait.
    @SuppressWarnings("ThreadPriorityCheck")
    private void await(long page, long sinceNs) {
        long checkedNs = sinceNs;
        boolean mayStore = true;
        while (true) {
            long entry = pages.table().entryAcquire(page);
            if (!isMoving(entry)) {
                return;
            }
            // No pause instruction: on a virtual processor many of them end in an exit, which costs more than the wait.
            long now = System.nanoTime();
            if (now - checkedNs > CHECK_NS) {
                mayStore = right.check(vcpu);
                checkedNs = now;
            }
            if (now - sinceNs > takeBackNs && mayStore && pages.takeBack(page, entry)) {
                return;
            }
            if (now - sinceNs > LONGEST_NS) {
                throw new GuestFault(GuestFault.Kind.NOT_PRESENT, page << pages.size().shift(),
                        "its move does not end: " + PageTableEntry.describe(entry));
            }
            if (!mayStore) {
                Thread.yield();
            }
        }
    }
}

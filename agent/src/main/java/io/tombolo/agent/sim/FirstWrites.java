package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.pages.ProtectedPages;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.region.PageTableEntry;
import java.util.concurrent.TimeUnit;

/// One vCPU's way to the pages of a protected VM that it may write: the first write of a page in an interval gives it a
/// new frame, see docs/protection.md.
///
/// Every wait here passes quiescent states, so two vCPUs that wait for each other's go on; the translations from before
/// are not to be used then ([#hasWaited]). The right is looked at meanwhile, so that the watchdog sees that the thread
/// lives.
///
/// For the thread of that vCPU only.
public final class FirstWrites {
    private static final long CHECK_NS = TimeUnit.MICROSECONDS.toNanos(500);
    private static final long YIELD_NS = TimeUnit.MICROSECONDS.toNanos(50);
    /// The other vCPU, or the frames, must not keep a guest standing still without a word for longer.
    private static final long LONGEST_NS = TimeUnit.SECONDS.toNanos(10);

    private final VmPages pages;
    private final ProtectedPages protection;
    private final int vcpu;
    private final RightCheck right;
    private boolean waited;
    private long sinceNs;
    private long checkedNs;

    public FirstWrites(VmPages pages, ProtectedPages protection, int vcpu, RightCheck right) {
        this.pages = requireNonNull(pages, "pages is null");
        this.protection = requireNonNull(protection, "protection is null");
        this.vcpu = vcpu;
        this.right = requireNonNull(right, "right is null");
    }

    /// Before the entry of a page is loaded for a translation.
    void reads(long page) {
        protection.reads(page, vcpu);
    }

    /// Whether it has waited since it was asked last: no translation that was found before may be used any more.
    boolean hasWaited() {
        boolean was = waited;
        waited = false;
        return was;
    }

    /// Whether the page has its frame of the open interval.
    boolean isWritten(long page) {
        return protection.isWritten(page);
    }

    /// Gives the page its frame of the open interval, or waits while another vCPU does. False: the entry is not
    /// present, to be waited for before this is called again.
    ///
    /// @throws GuestFault if no frame can be had, or another vCPU does not get on
    boolean begin(long page) {
        if (!protection.begins(page)) {
            awaitOther(page);
            return true;
        }
        boolean done = false;
        try {
            long entry = pages.table().entryAcquire(page);
            if (PageTableEntry.isPresentShared(entry)) {
                done = replace(page, entry);
            } else if (PageTableEntry.isPresent(entry)) {
                throw new GuestFault(GuestFault.Kind.NOT_PRESENT, page << GuestMemory.PAGE_SHIFT,
                        "a page of a protected VM is not in the shared tier");
            }
            return done;
        } finally {
            if (done) {
                protection.ends(page);
            } else {
                protection.fails(page);
            }
        }
    }

    /// False if the entry is another one by now.
    private boolean replace(long page, long entry) {
        long made = protection.checkpoint().firstWrite(page, entry);
        if (made == -1) {
            begins();
            do {
                wait("no frame is left for the first write of a page", page);
                made = protection.checkpoint().firstWrite(page, entry);
            } while (made == -1);
        }
        if (made == 0) {
            return false;
        }
        if (protection.takeFromReaders(page, vcpu)) {
            begins();
            long number = pages.shootdown().begin();
            while (!pages.shootdown().isPast(number)) {
                wait("another vCPU does not leave a page that is to be written", page);
            }
        }
        return true;
    }

    private void awaitOther(long page) {
        begins();
        while (!protection.isWritten(page) && protection.isBegun(page)) {
            wait("the first write of a page by another vCPU does not end", page);
        }
    }

    private void begins() {
        sinceNs = System.nanoTime();
        checkedNs = sinceNs;
    }

    // Yielding is right here: whoever it waits for may need this core.
    @SuppressWarnings("ThreadPriorityCheck")
    private void wait(String what, long page) {
        if (pages.shootdown().quiescent(vcpu)) {
            waited = true;
        }
        long now = System.nanoTime();
        if (now - checkedNs > CHECK_NS) {
            // An answer of no ends the slice when the wait is over.
            var _ = right.check(vcpu);
            checkedNs = now;
        }
        if (now - sinceNs > LONGEST_NS) {
            throw new GuestFault(GuestFault.Kind.NO_FRAME, page << GuestMemory.PAGE_SHIFT, what);
        }
        if (now - sinceNs > YIELD_NS) {
            Thread.yield();
        } else {
            Thread.onSpinWait();
        }
    }
}

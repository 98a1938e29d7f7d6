package io.tombolo.agent.pages;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.PageSize;
import io.tombolo.region.PageTable;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.Region;
import io.tombolo.region.Tier;
import io.tombolo.region.os.Errno;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.BooleanSupplier;

/// Moves pages of VMs between the tiers of this host while the guests run. `docs/page-moves.md` has the protocol, its
/// order of stores and what a death between any two of them leaves; the numbered comments here are its steps.
///
/// One batch at a time: everything it needs is allocated once, so a page costs no heap. Not thread safe; movers of
/// different threads may work on the same VM, and a page that another one is moving is answered EBUSY.
public final class PageMover {
    /// Pages of a batch, by size. From its mark to its publish a page stands still, the last one of a batch for the
    /// shoot-down and all copies before it. More pages make a move no faster, fewer share a shoot-down and make it
    /// slower: `PageStallBenchmark` shows both. A large page is copied longer than all else takes.
    public static final int SMALL_BATCH = 32;
    static final int LARGE_BATCH = 1;

    private static final int SPINS = 300;
    private static final long FRAME_BYTES = PageSize.SMALL.bytes();
    /// In place of a status: the page goes into the batch.
    private static final int MOVABLE = Integer.MIN_VALUE;
    /// In place of a status: nothing has been decided about the page, or a vCPU took it back.
    private static final int UNDECIDED = Integer.MIN_VALUE + 1;
    /// How often a page is tried that vCPUs take back. From the second time on it is among few, and soon copied: then
    /// it is taken back only if the mover loses its core.
    private static final int ROUNDS = 8;
    /// In place of an entry: there is none. No state has this code.
    private static final long BEYOND = -1;

    private final Region region;
    private final GuestCopier.Mover copier;
    private final BooleanSupplier right;
    private final long giveUpNs;
    private final int batch;

    // One batch. Positions 0 to n - 1 of all arrays belong together.
    private final long[] page;
    private final long[] entry;
    private final long[] source;
    private final long[] target;
    private final long[] offset;
    private final int[] place;
    private final boolean[] retired;
    private final long[] onePage = new long[1];
    private final long[] oneFrame = new long[1];
    private final boolean[] copied;
    // Written so that the call is made.
    @SuppressWarnings("UnusedVariable")
    private boolean faultsRaised;

    /// @param right    asked before every batch, and while the mover waits for vCPUs: whether this host may still store
    ///                 to the VM
    /// @param giveUpNs how long it waits for a vCPU to end its slice
    /// @param batch    pages of a batch; for 2 MiB pages at most 1 is used
    public PageMover(Region region, GuestCopier copier, BooleanSupplier right, long giveUpNs, int batch) {
        this.region = requireNonNull(region, "region is null");
        this.copier = requireNonNull(copier, "copier is null").mover();
        this.right = requireNonNull(right, "right is null");
        this.giveUpNs = giveUpNs;
        this.batch = batch;
        this.page = new long[batch];
        this.entry = new long[batch];
        this.source = new long[batch];
        this.target = new long[batch];
        this.offset = new long[batch];
        this.place = new int[batch];
        this.retired = new boolean[batch];
        this.copied = new boolean[batch];
    }

    /// Most pages that one call of [#move] handles for this VM.
    public int batch(VmPages vm) {
        return vm.size() == PageSize.LARGE ? Math.min(LARGE_BATCH, batch) : batch;
    }

    /// Moves one batch: pages `pages[from]` to `pages[from + count - 1]` of the VM to one tier. Writes one status per
    /// page, at the same positions: the code of the tier that the page is on now, read back from its entry, or a
    /// negative errno. Returns false, and has stored nothing, if this host has no right to the VM.
    ///
    /// @param count at most [#batch]
    public boolean move(VmPages vm, long[] pages, int from, int count, Tier to, int[] status) {
        // Asks for the right on its way in: from then on nobody destroys the VM and gives its slot to another one.
        if (!vm.enter(right)) {
            if (!right.getAsBoolean()) {
                return false;
            }
            for (int i = 0; i < count; i++) {
                status[from + i] = -Errno.EBUSY;
            }
            return true;
        }
        try {
            Arrays.fill(status, from, from + count, UNDECIDED);
            int n = look(vm, pages, from, count, to, status);
            for (int round = 1; n > 0; round++) {
                if (!move(vm, n, to, status)) {
                    break;
                }
                if (round == ROUNDS || !right.getAsBoolean()) {
                    refuseUndecided(from, count, status);
                    break;
                }
                n = look(vm, pages, from, count, to, status);
            }
            repeat(pages, from, count, to, status);
            return true;
        } finally {
            copier.settle();
            vm.leave();
        }
    }

    private static void refuseUndecided(int from, int count, int[] status) {
        for (int i = from; i < from + count; i++) {
            if (status[i] == UNDECIDED) {
                status[i] = -Errno.EBUSY;
            }
        }
    }

    /// Of a page that is named more than once the first place was moved, and the others got in its way.
    private static void repeat(long[] pages, int from, int count, Tier to, int[] status) {
        for (int i = from + 1; i < from + count; i++) {
            if (status[i] == to.code()) {
                continue;
            }
            for (int first = from; first < i; first++) {
                if (pages[first] == pages[i]) {
                    status[i] = status[first];
                    break;
                }
            }
        }
    }

    /// 2. What can be moved goes into the batch; the rest has its status.
    private int look(VmPages vm, long[] pages, int from, int count, Tier to, int[] status) {
        PageTable table = vm.table();
        long last = table.pages();
        // A loop of its own, so that the cache misses of random entries overlap.
        for (int i = 0; i < count; i++) {
            long number = pages[from + i];
            entry[i] = number >= 0 && number < last ? table.entryAcquire(number) : BEYOND;
        }
        boolean anyPins = vm.pins().any();
        long lastFrame = lastFrame(vm, to == Tier.SHARED ? Tier.LOCAL : Tier.SHARED);
        int n = 0;
        for (int i = 0; i < count; i++) {
            if (status[from + i] != UNDECIDED) {
                continue;
            }
            long number = pages[from + i];
            long found = entry[i];
            int answer = PageTableEntry.isPresent(found) && PageTableEntry.tier(found) != to && !anyPins
                    ? MOVABLE
                    : answer(vm, number, found, to);
            long frame = PageTableEntry.frame(found);
            if (answer == MOVABLE && (frame > lastFrame || frame % vm.size().frames() != 0)) {
                answer = -Errno.EIO;
            }
            status[from + i] = answer;
            if (answer == MOVABLE) {
                page[n] = number;
                entry[n] = found;
                source[n] = frame;
                place[n] = from + i;
                copied[n] = false;
                n++;
            }
        }
        return n;
    }

    /// The highest number that a frame of the VM's size can have in a tier; negative if the tier has none.
    private static long lastFrame(VmPages vm, Tier tier) {
        MemorySegment data = tier == Tier.SHARED ? vm.shared() : vm.localData();
        return data.byteSize() / FRAME_BYTES - vm.size().frames();
    }

    private static int answer(VmPages vm, long number, long found, Tier to) {
        if (found == BEYOND) {
            return -Errno.EFAULT;
        }
        int where = where(found);
        if (where < 0 || where == to.code()) {
            return where;
        }
        return vm.pins().isPinned(number) ? -Errno.EBUSY : MOVABLE;
    }

    /// Status of a page with that entry, as a query answers it: the code of its tier, or a negative errno.
    public static int where(long entry) {
        PteState state = PageTableEntry.state(entry);
        Tier tier = PageTableEntry.tier(entry);
        if (state == null || tier == null) {
            return -Errno.EIO;
        }
        return switch (state) {
            case ABSENT -> -Errno.ENOENT;
            case MIGRATING, COPYING -> -Errno.EBUSY;
            case PRESENT -> tier.code();
        };
    }

    /// Returns whether vCPUs took pages back: those are undecided again.
    private boolean move(VmPages vm, int movable, Tier to, int[] status) {
        int n = reserve(vm, movable, to, status);
        if (n == 0) {
            return false;
        }
        if (to == Tier.LOCAL) {
            vm.slot().addLocalPages(n);
        }
        int marked = mark(vm, n, to, status);
        int copies = 0;
        int moved = 0;
        try {
            if (marked > 0 && awaitShootdown(vm, status, marked)) {
                copies = copyAll(vm, marked, to, status);
                moved = publishAll(vm, marked, to, status);
            }
        } finally {
            // Also when a copy has failed: what is not copied stays what it was.
            giveUp(vm, marked);
        }
        settle(vm, marked, moved, to);
        if (to == Tier.LOCAL && moved < n) {
            vm.slot().addLocalPages(moved - n);
        } else if (to == Tier.SHARED && moved > 0) {
            vm.slot().addLocalPages(-moved);
        }
        return moved < copies;
    }

    /// 3. Frames for as many of the pages as there is room for.
    private int reserve(VmPages vm, int n, Tier to, int[] status) {
        int got = to == Tier.SHARED
                ? vm.allocator().reserve(vm.size(), vm.slot().index(), page, n, target)
                : vm.local().take(vm.size(), n, target);
        for (int i = got; i < n; i++) {
            status[place[i]] = -Errno.ENOMEM;
        }
        return got;
    }

    /// 4 and 5. Marks, and retires frames of the region. What cannot be marked or retired leaves the batch, and its
    /// target frame goes back; the others move up. Returns how many are left.
    private int mark(VmPages vm, int n, Tier to, int[] status) {
        int kept = 0;
        for (int i = 0; i < n; i++) {
            long marked = PageTableEntry.with(entry[i], PteState.MIGRATING);
            if (vm.table().compareAndSet(page[i], entry[i], marked)) {
                entry[i] = marked;
                keep(i, kept++);
            } else {
                status[place[i]] = -Errno.EBUSY;
                giveBackTarget(vm, i, to);
            }
        }
        if (to == Tier.SHARED || kept == 0) {
            return kept;
        }
        int all = vm.allocator().retire(vm.size(), vm.slot().index(), page, source, kept, retired);
        if (all == kept) {
            return kept;
        }
        int left = 0;
        for (int i = 0; i < kept; i++) {
            if (retired[i]) {
                keep(i, left++);
            } else {
                boolean sound = vm.allocator().backs(vm.size(), vm.slot().index(), page[i], source[i]);
                // Of a page that was taken back meanwhile the frame's word tells nothing.
                status[place[i]] = unmark(vm, i) && !sound ? -Errno.EIO : -Errno.EBUSY;
                giveBackTarget(vm, i, to);
            }
        }
        return left;
    }

    private void keep(int from, int to) {
        page[to] = page[from];
        entry[to] = entry[from];
        source[to] = source[from];
        target[to] = target[from];
        place[to] = place[from];
    }

    /// False if a vCPU has done it already, see [VmPages#takeBack].
    private boolean unmark(VmPages vm, int i) {
        return vm.table().compareAndSet(page[i], entry[i], PageTableEntry.with(entry[i], PteState.PRESENT));
    }

    private void giveBackTarget(VmPages vm, int i, Tier to) {
        onePage[0] = page[i];
        oneFrame[0] = target[i];
        if (to == Tier.LOCAL) {
            vm.local().give(vm.size(), oneFrame, 1);
        } else {
            vm.allocator().release(vm.size(), vm.slot().index(), onePage, oneFrame, 1);
        }
    }

    /// 6. False if a vCPU does not end its slice, or if the right has lapsed meanwhile: then the marks are given up and
    /// the caller says that this thread has stopped. Until it has, nobody takes this host for stopped, so those stores
    /// harm nobody.
    private boolean awaitShootdown(VmPages vm, int[] status, int n) {
        long number = vm.shootdown().begin();
        for (int spins = 0; spins < SPINS; spins++) {
            if (vm.shootdown().isPast(number)) {
                return true;
            }
            Thread.onSpinWait();
        }
        vm.shootdown().moverGivesCoreAway();
        try {
            if (awaitLateVcpu(vm, number)) {
                return true;
            }
        } finally {
            vm.shootdown().moverGoesOn();
        }
        for (int i = 0; i < n; i++) {
            status[place[i]] = -Errno.EBUSY;
        }
        return false;
    }

    // Yielding is right here: what it waits for is a thread that may need this very core.
    @SuppressWarnings("ThreadPriorityCheck")
    private boolean awaitLateVcpu(VmPages vm, long number) {
        long since = System.nanoTime();
        while (!vm.shootdown().isPast(number)) {
            if (System.nanoTime() - since > giveUpNs || !right.getAsBoolean()) {
                return false;
            }
            Thread.yield();
        }
        return true;
    }

    /// 7. Copies all; returns how many. A page whose memory faults is EIO.
    private int copyAll(VmPages vm, int n, Tier to, int[] status) {
        MemorySegment from = to == Tier.SHARED ? vm.localData() : vm.shared();
        MemorySegment into = to == Tier.SHARED ? vm.shared() : vm.localData();
        int bytes = vm.size().bytes();
        for (int i = 0; i < n; i++) {
            offset[i] = source[i] * FRAME_BYTES;
        }
        int done = copyTogether(from, into, bytes, n) ? n : copyEach(from, into, bytes, n, status);
        if (to == Tier.SHARED) {
            for (int i = 0; i < n; i++) {
                region.memory().writeBack(region.frameDataOffset(target[i]), bytes);
            }
        }
        region.memory().fence();
        return done;
    }

    /// After all copies: a compare-and-set waits until the copy before it has left the store buffer, so one after each
    /// copy would cost more than all else. Of a page that a vCPU took back it fails, and the copy, which may be torn,
    /// is used by nobody. Returns how many are published.
    private int publishAll(VmPages vm, int n, Tier to, int[] status) {
        int done = 0;
        for (int i = 0; i < n; i++) {
            if (!copied[i]) {
                continue;
            }
            copied[i] = vm.table().compareAndSet(page[i], entry[i], PageTableEntry.moved(entry[i], to, target[i]));
            status[place[i]] = copied[i] ? to.code() : UNDECIDED;
            done += copied[i] ? 1 : 0;
        }
        return done;
    }

    /// False if something faulted: then nothing is copied for certain.
    private boolean copyTogether(MemorySegment from, MemorySegment into, int bytes, int n) {
        try {
            copier.look(from, offset, n);
            for (int i = 0; i < n; i++) {
                copier.move(from, offset[i], into, target[i] * FRAME_BYTES, bytes);
            }
            raiseFaults();
        } catch (InternalError _) {
            return false;
        }
        Arrays.fill(copied, 0, n, true);
        return true;
    }

    /// The file behind one of the tiers has lost its end, so each page is asked for by itself. Returns how many are
    /// copied.
    private int copyEach(MemorySegment from, MemorySegment into, int bytes, int n, int[] status) {
        int done = 0;
        for (int i = 0; i < n; i++) {
            try {
                copier.move(from, offset[i], into, target[i] * FRAME_BYTES, bytes);
                raiseFaults();
                copied[i] = true;
                done++;
            } catch (InternalError _) {
                status[place[i]] = -Errno.EIO;
            }
        }
        return done;
    }

    /// Compiled code hears of a SIGBUS only when it next looks whether it must stop, which may be after the page was
    /// published. Returning from a native method it looks.
    private void raiseFaults() {
        faultsRaised = Thread.holdsLock(this);
    }

    private void giveUp(VmPages vm, int n) {
        for (int i = 0; i < n; i++) {
            if (!copied[i]) {
                var _ = unmark(vm, i);
            }
        }
    }

    /// 8. The frames that are not needed any more: of copied pages the source, of the others the target.
    private void settle(VmPages vm, int n, int moved, Tier to) {
        for (int i = 0; i < n; i++) {
            vm.table().writeBack(page[i], 1);
        }
        region.memory().fence();
        int done = 0;
        for (int i = 0; i < n; i++) {
            if (copied[i]) {
                keep(i, done++);
            } else {
                settleStayed(vm, i, to);
            }
        }
        if (moved == 0) {
            return;
        }
        if (to == Tier.SHARED) {
            vm.allocator().settle(vm.size(), vm.slot().index(), page, target, moved);
            vm.local().give(vm.size(), source, moved);
        } else {
            vm.allocator().release(vm.size(), vm.slot().index(), page, source, moved);
        }
    }

    private void settleStayed(VmPages vm, int i, Tier to) {
        giveBackTarget(vm, i, to);
        if (to == Tier.LOCAL) {
            onePage[0] = page[i];
            oneFrame[0] = source[i];
            vm.allocator().unretire(vm.size(), vm.slot().index(), onePage, oneFrame, 1);
        }
    }
}

package io.tombolo.region;

import java.util.Arrays;

/// Gives a VM its memory and takes it back. The caller owns the VM slot.
///
/// Populate, in this order, each step persisted before the next: choose the run of the page table; identity with the
/// run; the run's frame words; zeroed table; then per batch of pages: reserve frames; zero them; entries; settle the
/// frame words. Whatever a crash leaves is found from the identity (tables, entries) and from the blocks of the dead
/// host (reserved frames).
///
/// Release, in this order: free the frames that the entries name; then the table's frames, entries still in place; then
/// the identity. It can be repeated from any point.
public final class VmMemory {
    private static final int BATCH = BlockWord.FRAMES;

    private VmMemory() {
    }

    /// Allocates the page table and all frames of the VM, zeroed, entries PRESENT in the SHARED tier, and writes the
    /// identity with the table's place, which it returns. The VM is CREATING by the allocator's host. All or nothing:
    /// REGION_FULL with everything given back and the identity cleared. For [Backing#SEGMENT] it only writes the
    /// identity.
    public static VmIdentity populate(Region region, FrameAllocator allocator, VmSlot vm, VmIdentity identity) {
        return region.guarded(() -> populateNow(region, allocator, vm, identity));
    }

    private static VmIdentity populateNow(Region region, FrameAllocator allocator, VmSlot vm, VmIdentity identity) {
        requireCreating(region, allocator, vm);
        if (identity.backing() == Backing.SEGMENT) {
            vm.writeIdentity(identity);
            return identity;
        }
        int tableFrames = identity.tableFramesNeeded();
        long needed = identity.pages() + tableFrames;
        long free = allocator.freeFrames();
        if (free < needed) {
            throw full(region, identity, needed, free, "frames").build();
        }
        allocator.hold();
        boolean done = false;
        try {
            long first = allocator.takeTable(vm.index(), tableFrames,
                    start -> vm.writeIdentity(identity.withTable(start, tableFrames)));
            if (first < 0) {
                throw full(region, identity, needed, free, "frames in one run for the page table")
                        .fact("tableFrames", tableFrames).build();
            }
            VmIdentity placed = identity.withTable(first, tableFrames);
            region.memory().zero(region.frameDataOffset(first), (long) tableFrames * RegionLayout.FRAME_BYTES);
            region.memory().persist(region.frameDataOffset(first), (long) tableFrames * RegionLayout.FRAME_BYTES);
            fill(region, allocator, new PageTable(region, vm.index(), placed), needed);
            done = true;
            return placed;
        } finally {
            if (!done) {
                release(region, vm);
            }
            allocator.unhold();
            allocator.trim();
        }
    }

    private static void fill(Region region, FrameAllocator allocator, PageTable table, long needed) {
        long[] frames = new long[BATCH];
        for (long page = 0; page < table.pages(); page += BATCH) {
            int count = (int) Math.min(BATCH, table.pages() - page);
            int got = allocator.reserve(table.vm(), page, count, frames);
            if (got < count) {
                for (int i = 0; i < got; i++) {
                    allocator.unreserve(frames[i], table.vm(), page + i);
                }
                throw TomboloException.error(RegionError.REGION_FULL, "other hosts took the last free frames")
                        .fact("file", region.file()).fact("vm", table.vm()).fact("needed", needed)
                        .fact("free", allocator.freeFrames()).next("destroy a VM or use a larger region").build();
            }
            zero(region, frames, count);
            for (int i = 0; i < count; i++) {
                long entry = PageTableEntry.pack(PteState.PRESENT, Tier.SHARED, frames[i], 1, 0);
                if (!table.compareAndSet(page + i, 0, entry)) {
                    throw new IllegalStateException(
                            "vm slot " + table.vm() + ": page " + (page + i) + " is not absent");
                }
            }
            table.persist(page, count);
            for (int i = 0; i < count; i++) {
                allocator.settle(frames[i], table.vm(), page + i);
            }
            allocator.persistWords(frames, count);
        }
    }

    private static void zero(Region region, long[] frames, int count) {
        int i = 0;
        while (i < count) {
            int from = i++;
            while (i < count && frames[i] == frames[i - 1] + 1) {
                i++;
            }
            long at = region.frameDataOffset(frames[from]);
            region.memory().zero(at, (long) (i - from) * RegionLayout.FRAME_BYTES);
            region.memory().persist(at, (long) (i - from) * RegionLayout.FRAME_BYTES);
        }
    }

    /// Gives all frames of the VM back and clears its slot, except for the owner word. The caller is the owner in
    /// DESTROYING (or in CREATING after a failed populate), and nothing touches the VM any more. Can be repeated.
    public static void release(Region region, VmSlot vm) {
        long owner = vm.ownerAcquire();
        if (!OwnerWord.is(owner, OwnerState.DESTROYING) && !OwnerWord.is(owner, OwnerState.CREATING)) {
            throw new IllegalStateException(
                    "vm slot " + vm.index() + ": frames are released in DESTROYING or CREATING, not in "
                            + OwnerWord.describe(owner));
        }
        VmIdentity identity = vm.identityOrNull();
        if (identity != null && identity.tableFrames() > 0) {
            releaseFrames(region, vm.index(), identity);
        }
        vm.clear();
    }

    private static void releaseFrames(Region region, int vm, VmIdentity identity) {
        Memory memory = region.memory();
        long perTable = RegionLayout.FRAME_BYTES / 8;
        long[] freed = new long[BATCH];
        for (int i = 0; i < identity.tableFrames(); i++) {
            long tableFrame = identity.tableFirstFrame() + i;
            // Another word: this table frame was given back, or never taken, before a crash; its contents are somebody
            // else's.
            if (memory.loadAcquire(region.frameWordOffset(tableFrame)) != FrameWord.table(vm, i)) {
                continue;
            }
            int count = 0;
            for (long page = i * perTable; page < Math.min((i + 1) * perTable, identity.pages()); page++) {
                long entry = memory.loadAcquire(region.frameDataOffset(tableFrame) + (page % perTable) * 8);
                long frame = PageTableEntry.frame(entry);
                if (frame < region.superblock().frameCount() && memory.compareAndSet(region.frameWordOffset(frame),
                        FrameWord.used(vm, page), FrameWord.FREE)) {
                    freed[count++] = frame;
                }
            }
            persistSorted(region, freed, count);
        }
        for (int i = 0; i < identity.tableFrames(); i++) {
            memory.compareAndSet(region.frameWordOffset(identity.tableFirstFrame() + i), FrameWord.table(vm, i),
                    FrameWord.FREE);
        }
        memory.persist(region.frameWordOffset(identity.tableFirstFrame()), identity.tableFrames() * 8L);
    }

    private static void persistSorted(Region region, long[] frames, int count) {
        Arrays.sort(frames, 0, count);
        int i = 0;
        while (i < count) {
            int from = i++;
            while (i < count && frames[i] == frames[i - 1] + 1) {
                i++;
            }
            region.memory().persist(region.frameWordOffset(frames[from]), (i - from) * 8L);
        }
    }

    private static void requireCreating(Region region, FrameAllocator allocator, VmSlot vm) {
        long owner = vm.ownerAcquire();
        if (!OwnerWord.is(owner, OwnerState.CREATING) || OwnerWord.slot(owner) != allocator.hostSlot()) {
            throw TomboloException
                    .error(RegionError.REGION_WRONG_STATE, "only the host that is creating a VM populates it")
                    .fact("file", region.file()).fact("vm", vm.index()).fact("found", OwnerWord.describe(owner))
                    .fact("expected", "CREATING host " + allocator.hostSlot()).next("claim a VM slot first").build();
        }
    }

    private static TomboloException.Builder full(Region region, VmIdentity identity, long needed, long free,
            String what) {
        return TomboloException.error(RegionError.REGION_FULL, "the region has not enough free " + what)
                .fact("file", region.file()).fact("vm", identity.name()).fact("needed", needed).fact("free", free)
                .fact("neededBytes", needed * RegionLayout.FRAME_BYTES)
                .fact("freeBytes", free * RegionLayout.FRAME_BYTES)
                .next("destroy a VM, give this one less memory, or format a larger region");
    }
}

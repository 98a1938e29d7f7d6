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
    private static final int BATCH_LARGE = 16;

    private VmMemory() {
    }

    /// As [#populate(Region, FrameAllocator, VmSlot, VmIdentity, LocalFrames)] with all pages in shared memory.
    public static VmIdentity populate(Region region, FrameAllocator allocator, VmSlot vm, VmIdentity identity) {
        return populate(region, allocator, vm, identity, null);
    }

    /// Allocates the page table and all frames of the VM, zeroed, entries PRESENT, and writes the identity with the
    /// table's place, which it returns. Frames are of the region, or of `local` if that is not null. The VM is CREATING
    /// by the allocator's host. All or nothing: REGION_FULL or LOCAL_TIER_FULL with everything given back and the
    /// identity cleared. For [Backing#SEGMENT] it only writes the identity.
    public static VmIdentity populate(Region region, FrameAllocator allocator, VmSlot vm, VmIdentity identity,
            LocalFrames local) {
        return region.guarded(() -> populateNow(region, allocator, vm, identity, local));
    }

    private static VmIdentity populateNow(Region region, FrameAllocator allocator, VmSlot vm, VmIdentity identity,
            LocalFrames local) {
        requireCreating(region, allocator, vm);
        if (identity.backing() == Backing.SEGMENT) {
            vm.writeIdentity(identity);
            return identity;
        }
        int tableFrames = identity.tableFramesNeeded();
        long pageFrames = local == null ? identity.pages() * identity.pageSize().frames() : 0;
        long free = allocator.freeFrames();
        if (free < pageFrames + tableFrames) {
            throw full(region, identity, pageFrames + tableFrames, free, "frames").build();
        }
        if (local == null && identity.pageSize() == PageSize.LARGE && allocator.freeLargeFrames() < identity.pages()) {
            throw full(region, identity, pageFrames + tableFrames, free, "frames of 2 MiB")
                    .fact("neededLargeFrames", identity.pages()).fact("freeLargeFrames", allocator.freeLargeFrames())
                    .build();
        }
        allocator.hold();
        boolean done = false;
        try {
            long first = allocator.takeTable(vm.index(), tableFrames,
                    start -> vm.writeIdentity(identity.withTable(start, tableFrames)));
            if (first < 0) {
                throw full(region, identity, pageFrames + tableFrames, free, "frames in one run for the page table")
                        .fact("tableFrames", tableFrames).build();
            }
            VmIdentity placed = identity.withTable(first, tableFrames);
            region.memory().zero(region.frameDataOffset(first), (long) tableFrames * RegionLayout.FRAME_BYTES);
            region.memory().persist(region.frameDataOffset(first), (long) tableFrames * RegionLayout.FRAME_BYTES);
            PageTable table = new PageTable(region, vm.index(), placed);
            if (local == null) {
                fillShared(region, allocator, table);
            } else {
                vm.addLocalPages(placed.pages());
                fillLocal(region, local, table, identity);
            }
            done = true;
            return placed;
        } finally {
            if (!done) {
                release(region, vm, local);
            }
            allocator.unhold();
            allocator.trim();
        }
    }

    private static void fillShared(Region region, FrameAllocator allocator, PageTable table) {
        PageSize size = table.pageSize();
        int batch = size == PageSize.SMALL ? BATCH : BATCH_LARGE;
        long[] pages = new long[batch];
        long[] frames = new long[batch];
        for (long page = 0; page < table.pages(); page += batch) {
            int count = (int) Math.min(batch, table.pages() - page);
            for (int i = 0; i < count; i++) {
                pages[i] = page + i;
            }
            int got = allocator.reserve(size, table.vm(), pages, count, frames);
            if (got < count) {
                allocator.release(size, table.vm(), pages, frames, got);
                throw TomboloException.error(RegionError.REGION_FULL, "the last free frames are taken")
                        .fact("file", region.file()).fact("vm", table.vm())
                        .fact("needed", table.pages() * size.frames()).fact("page", page + got)
                        .fact("free", allocator.freeFrames()).next("destroy a VM or use a larger region").build();
            }
            zero(region, size, frames, count);
            place(table, Tier.SHARED, page, frames, count);
            allocator.settle(size, table.vm(), pages, frames, count);
        }
    }

    private static void fillLocal(Region region, LocalFrames local, PageTable table, VmIdentity identity) {
        long[] frames = new long[BATCH];
        for (long page = 0; page < table.pages(); page += BATCH) {
            int count = (int) Math.min(BATCH, table.pages() - page);
            int got = local.take(table.pageSize(), count, frames);
            if (got < count) {
                local.give(table.pageSize(), frames, got);
                throw TomboloException
                        .error(RegionError.LOCAL_TIER_FULL, "the host's local tier has not enough free room")
                        .fact("file", region.file()).fact("vm", identity.name())
                        .fact("neededBytes", identity.memoryBytes())
                        .fact("freeBytes", (page + got) * identity.pageBytes())
                        .next("create it with pages in the shared tier, or on another host, or give the host a larger "
                                + "local tier")
                        .build();
            }
            place(table, Tier.LOCAL, page, frames, count);
        }
    }

    private static void place(PageTable table, Tier tier, long page, long[] frames, int count) {
        for (int i = 0; i < count; i++) {
            long entry = PageTableEntry.pack(PteState.PRESENT, tier, frames[i], 1, 0);
            if (!table.compareAndSet(page + i, 0, entry)) {
                throw new IllegalStateException("vm slot " + table.vm() + ": page " + (page + i) + " is not absent");
            }
        }
        table.persist(page, count);
    }

    private static void zero(Region region, PageSize size, long[] frames, int count) {
        int i = 0;
        while (i < count) {
            int from = i++;
            while (i < count && frames[i] == frames[i - 1] + size.frames()) {
                i++;
            }
            long at = region.frameDataOffset(frames[from]);
            region.memory().zero(at, (long) (i - from) * size.bytes());
            region.memory().persist(at, (long) (i - from) * size.bytes());
        }
    }

    /// As [#release(Region, VmSlot, LocalFrames)] on a host without the VM's local frames.
    public static void release(Region region, VmSlot vm) {
        release(region, vm, null);
    }

    /// Gives all frames of the VM back and clears its slot, except for the owner word. The caller is the owner in
    /// DESTROYING (or in CREATING after a failed populate), and nothing touches the VM any more. Can be repeated.
    ///
    /// `local` is the tier of the incarnation that has the VM's local pages, or null: then they are dropped. It must be
    /// null for whoever destroys a VM of a dead incarnation: the frame numbers mean nothing in another tier.
    public static void release(Region region, VmSlot vm, LocalFrames local) {
        long owner = vm.ownerAcquire();
        if (!OwnerWord.is(owner, OwnerState.DESTROYING) && !OwnerWord.is(owner, OwnerState.CREATING)) {
            throw new IllegalStateException(
                    "vm slot " + vm.index() + ": frames are released in DESTROYING or CREATING, not in "
                            + OwnerWord.describe(owner));
        }
        VmIdentity identity = vm.identityOrNull();
        if (identity != null && identity.tableFrames() > 0) {
            Protection.release(region, vm);
            releaseFrames(region, vm.index(), identity, local);
        }
        vm.clear();
    }

    private static void releaseFrames(Region region, int vm, VmIdentity identity, LocalFrames local) {
        Memory memory = region.memory();
        long perTable = RegionLayout.FRAME_BYTES / 8;
        for (int i = 0; i < identity.tableFrames(); i++) {
            long tableFrame = identity.tableFirstFrame() + i;
            // Another word: this table frame was given back, or never taken, before a crash; its contents are somebody
            // else's.
            if (memory.loadAcquire(region.frameWordOffset(tableFrame)) == FrameWord.table(vm, i)) {
                long count = Math.min(perTable, identity.pages() - i * perTable);
                releasePages(region, vm, identity.pageSize(), i * perTable, count,
                        region.frameDataOffset(tableFrame), local);
            }
        }
        for (int i = 0; i < identity.tableFrames(); i++) {
            memory.compareAndSet(region.frameWordOffset(identity.tableFirstFrame() + i), FrameWord.table(vm, i),
                    FrameWord.FREE);
        }
        memory.persist(region.frameWordOffset(identity.tableFirstFrame()), identity.tableFrames() * 8L);
    }

    /// Gives back the frames that the entries from `table` on name.
    private static void releasePages(Region region, int vm, PageSize size, long firstPage, long pages, long table,
            LocalFrames local) {
        Memory memory = region.memory();
        long[] freed = new long[BATCH];
        long[] freedLocal = new long[BATCH];
        int count = 0;
        int countLocal = 0;
        for (int i = 0; i < pages; i++) {
            long at = table + i * 8L;
            long entry = memory.loadAcquire(at);
            long frame = PageTableEntry.frame(entry);
            if (PageTableEntry.tier(entry) == Tier.LOCAL && PageTableEntry.state(entry) != PteState.ABSENT) {
                // Absent first: who repeats this gives no frame back twice.
                if (memory.compareAndSet(at, entry, 0)) {
                    freedLocal[countLocal++] = frame;
                }
            } else if (frame < region.superblock().frameCount() && memory.compareAndSet(
                    region.wordOffset(size, frame),
                    size == PageSize.SMALL ? FrameWord.used(vm, firstPage + i) : BlockWord.largeUsed(vm, firstPage + i),
                    FrameWord.FREE)) {
                freed[count++] = frame;
            }
        }
        persistSorted(region, size, freed, count);
        if (local != null && countLocal > 0) {
            local.give(size, freedLocal, countLocal);
        }
    }

    private static void persistSorted(Region region, PageSize size, long[] frames, int count) {
        Arrays.sort(frames, 0, count);
        int i = 0;
        while (i < count) {
            int from = i++;
            while (i < count && frames[i] == frames[i - 1] + size.frames()) {
                i++;
            }
            region.memory().persist(region.wordOffset(size, frames[from]), (i - from) * 8L);
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

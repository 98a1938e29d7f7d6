package io.tombolo.region;

/// How a VM becomes protected and how that ends. By its owner, with the guest stopped between two instructions.
///
/// Start, each step persisted before the next: the log's place in the VM slot, which announces its run of frames; the
/// run's frame words, TABLE; the zeroed log; a stock of frames. The first [PageCheckpoint#commit] makes the VM
/// protected. What a death leaves before that is found from the log's place, and given back by [#release].
public final class Protection {
    /// Most pre-images of a VM: 256 MiB of them, in 2 MiB of log.
    public static final int PREIMAGES_MAX = 1 << 16;

    private Protection() {
    }

    /// Prepares the protection of a VM that this host owns. The VM is protected with the first commit of what this
    /// returns, and then runs at the next epoch.
    ///
    /// @param checkpointUs how often the VM shall be committed, in microseconds
    /// @throws TomboloException REGION_PROTECTION_STATE, REGION_NOT_PROTECTABLE, REGION_FULL; nothing has changed then
    public static PageCheckpoint start(Region region, FrameAllocator allocator, VmSlot vm, int checkpointUs) {
        return region.guarded(() -> startNow(region, allocator, vm, checkpointUs));
    }

    private static PageCheckpoint startNow(Region region, FrameAllocator allocator, VmSlot vm, int checkpointUs) {
        VmIdentity identity = vm.readIdentity();
        requireProtectable(region, vm, identity);
        release(region, vm);
        long capacity = Math.min(identity.pages(), PREIMAGES_MAX);
        int frames = Math.toIntExact(Math.ceilDiv(capacity, (long) PreimageLog.PER_FRAME));
        allocator.hold();
        boolean done = false;
        try {
            long first = allocator.takeRun(vm.index(), identity.tableFrames(), frames,
                    start -> vm.writeLogPlace(new VmSlot.LogPlace(start, frames, checkpointUs)));
            if (first < 0) {
                throw TomboloException
                        .error(RegionError.REGION_FULL, "the region has no run of free frames for the log")
                        .fact("file", region.file()).fact("vm", identity.name()).fact("needed", frames)
                        .fact("free", allocator.freeFrames()).next("destroy a VM, or use a larger region").build();
            }
            region.memory().zero(region.frameDataOffset(first), (long) frames * RegionLayout.FRAME_BYTES);
            region.memory().persist(region.frameDataOffset(first), (long) frames * RegionLayout.FRAME_BYTES);
            PageCheckpoint checkpoint = new PageCheckpoint(region, allocator, vm,
                    new VmSlot.LogPlace(first, frames, checkpointUs));
            checkpoint.stockUp();
            checkpoint.begin(CommitWord.NONE, 1, 0, 0);
            done = true;
            return checkpoint;
        } finally {
            if (!done) {
                release(region, vm);
            }
            allocator.unhold();
        }
    }

    private static void requireProtectable(Region region, VmSlot vm, VmIdentity identity) {
        if (vm.commitAcquire() != CommitWord.NONE) {
            throw TomboloException.error(RegionError.REGION_PROTECTION_STATE, "the VM is protected already")
                    .fact("file", region.file()).fact("vm", identity.name())
                    .fact("found", CommitWord.describe(vm.commitAcquire())).next("nothing to do").build();
        }
        if (identity.tableFrames() == 0 || identity.pageSize() != PageSize.SMALL || vm.localPagesAcquire() != 0) {
            throw TomboloException
                    .error(RegionError.REGION_NOT_PROTECTABLE, "only a VM whose memory is 4 KiB frames of the region "
                            + "can be protected")
                    .fact("file", region.file()).fact("vm", identity.name()).fact("backing", identity.backing())
                    .fact("pageBytes", identity.pageBytes()).fact("localPages", vm.localPagesAcquire())
                    .next("move its pages to shared memory, or create it with pages of 4 KiB there").build();
        }
    }

    /// What a host needs to execute a VM that is protected already, before it gets it: then [PageCheckpoint#arrive].
    /// Takes a stock of frames.
    ///
    /// @throws TomboloException REGION_PROTECTION_STATE, REGION_FULL
    public static PageCheckpoint prepare(Region region, FrameAllocator allocator, VmSlot vm) {
        PageCheckpoint checkpoint = new PageCheckpoint(region, allocator, vm, requirePlace(region, vm));
        checkpoint.stockUp();
        return checkpoint;
    }

    static VmSlot.LogPlace requirePlace(Region region, VmSlot vm) {
        VmSlot.LogPlace place = CommitWord.isProtected(vm.commitAcquire()) ? vm.logPlaceOrNull() : null;
        if (place == null) {
            throw TomboloException.error(RegionError.REGION_PROTECTION_STATE, "the VM is not protected, or its log's "
                    + "place is damaged").fact("file", region.file()).fact("vm", vm.index())
                    .fact("found", CommitWord.describe(vm.commitAcquire()))
                    .next("tombolo region verify " + region.file()).build();
        }
        return place;
    }

    /// Ends the protection of a VM right after a commit, before anything was written in the next interval, and gives
    /// its pre-images and its log back. False if the VM is not this host's any more.
    public static boolean stop(PageCheckpoint checkpoint) {
        if (checkpoint.dirtyPages() != 0) {
            throw new IllegalStateException("vm slot " + checkpoint.vm().index() + ": " + checkpoint.dirtyPages()
                    + " pages are not committed");
        }
        if (!checkpoint.end()) {
            return false;
        }
        checkpoint.close();
        release(checkpoint.region(), checkpoint.vm());
        return true;
    }

    /// Gives back the pre-images and the log of a VM that is not protected, or that is being destroyed: what a death
    /// left, too. Does nothing if there is no log. Can be repeated.
    static void release(Region region, VmSlot vm) {
        VmSlot.LogPlace place = vm.logPlaceOrNull();
        VmIdentity identity = vm.identityOrNull();
        if (place == null || identity == null) {
            return;
        }
        Memory memory = region.memory();
        int firstIndex = identity.tableFrames();
        PageTable table = new PageTable(region, vm.index(), identity);
        if (isWhole(region, vm, place, firstIndex)) {
            new PreimageLog(region, place).forEach(_ -> true, () -> {
            }, entry -> Rollback.settle(region, table, entry));
            memory.fence();
        }
        for (int i = 0; i < place.frames(); i++) {
            memory.compareAndSet(region.frameWordOffset(place.firstFrame() + i),
                    FrameWord.table(vm.index(), firstIndex + i), FrameWord.FREE);
        }
        memory.persist(region.frameWordOffset(place.firstFrame()), place.frames() * 8L);
        vm.clearLogPlace();
    }

    /// A run that was taken as a whole; only then is what is in it the VM's log. It may not be zeroed yet, and then
    /// nothing in it is an entry of this VM whose frame words say so.
    private static boolean isWhole(Region region, VmSlot vm, VmSlot.LogPlace place, int firstIndex) {
        for (int i = 0; i < place.frames(); i++) {
            if (region.memory().loadAcquire(region.frameWordOffset(place.firstFrame() + i)) != FrameWord
                    .table(vm.index(), firstIndex + i)) {
                return false;
            }
        }
        return true;
    }
}

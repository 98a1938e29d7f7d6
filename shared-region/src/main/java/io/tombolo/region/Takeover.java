package io.tombolo.region;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.UUID;

/// Takes a VM from an owner that has failed, on the host that is to go on with it: docs/takeover.md, steps 4 to 8. One
/// thread for one VM and attempt.
///
/// 1. [#begin]: owner in doubt noted, owner word by CAS, commit word sealed;
/// 2. until [#inDoubt] is empty: wait, store nothing;
/// 3. [#recover]: frames of the dead, rollback, table;
/// 4. load the state that it found; [#finish], and run; or [#lose].
///
/// A death anywhere leaves the VM to whoever begins next, with one more owner in doubt. [#begin] fails if anybody
/// changed the owner word first; everything after it checks that the word is still this host's.
public final class Takeover {
    private Takeover() {
    }

    /// An owner that is not confirmed stopped.
    public record Doubt(int hostSlot, long incarnation) {
    }

    /// What [#recover] found.
    ///
    /// @param state           the state to go on from, in the caller's buffer; null if there is none
    /// @param lostReason      why there is none; empty if there is one
    /// @param pagesRolledBack pages that were written after the last commit
    /// @param localPages      pages that died with their host
    public record Recovered(Blob state, String lostReason, long pagesRolledBack, long localPages) {
        public boolean isResumable() {
            return state != null;
        }
    }

    /// Takes the VM: RUNNING, CLAIMED, LOST or RECOVERING -> RECOVERING, OFFERED, PAUSED or RESTORING -> RESTORING, by
    /// `executorSlot` at the next epoch; then no commit of an earlier owner succeeds any more.
    ///
    /// @param expect the owner word that was judged
    /// @return the owner word that is now this host's, 0 if it was not `expect` any more
    /// @throws TomboloException REGION_WRONG_STATE if the word is one that nobody takes over
    public static long begin(Region region, VmSlot vm, int executorSlot, long expect) {
        while (true) {
            long seen = vm.doubtAcquire(0);
            if (vm.ownerAcquire() != expect) {
                return 0;
            }
            long next = OwnerWord.pack(successor(region, vm, expect), executorSlot, OwnerWord.nextEpoch(expect));
            if (!OwnersInDoubt.note(region, vm, seen, expect, executorSlot)) {
                continue;
            }
            if (!vm.compareAndSetOwner(expect, next)) {
                return 0;
            }
            seal(vm, next);
            return next;
        }
    }

    private static OwnerState successor(Region region, VmSlot vm, long owner) {
        return switch (OwnerWord.state(owner)) {
            case RUNNING, CLAIMED, RECOVERING, LOST -> OwnerState.RECOVERING;
            case OFFERED, PAUSED, RESTORING -> OwnerState.RESTORING;
            case FREE, CREATING, DESTROYING -> throw TomboloException
                    .error(RegionError.REGION_WRONG_STATE, "nobody takes such a VM over")
                    .fact("file", region.file()).fact("vm", vm.index()).fact("found", OwnerWord.describe(owner))
                    .next("recovery of its host ends what the host had begun").build();
            case null -> throw TomboloException.error(RegionError.REGION_WRONG_STATE, "the owner word is damaged")
                    .fact("file", region.file()).fact("vm", vm.index()).fact("found", OwnerWord.describe(owner))
                    .next("tombolo region verify " + region.file()).build();
        };
    }

    /// Puts the epoch of a takeover into the commit word, never over the seal of a later one: that one has changed the
    /// owner word before it seals.
    private static void seal(VmSlot vm, long mine) {
        while (true) {
            long commit = vm.commitAcquire();
            long sealed = CommitWord.sealed(commit, OwnerWord.epoch(mine));
            if (!CommitWord.isProtected(commit) || commit == sealed || vm.ownerAcquire() != mine
                    || vm.compareAndSetCommit(commit, sealed)) {
                return;
            }
        }
    }

    /// Owners of the VM that may still be at work; while there are any, nobody stores to the VM.
    ///
    /// @param mine what [#begin] returned
    public static List<Doubt> inDoubt(Region region, VmSlot vm, long mine) {
        return OwnersInDoubt.all(vm, mine).stream().filter(word -> !OwnersInDoubt.isConfirmed(region, word))
                .map(word -> new Doubt(DoubtWord.slot(word), DoubtWord.incarnation(word))).toList();
    }

    /// Makes the VM's memory what it was at the state that it finds. To be repeated if it is interrupted, by whomever.
    ///
    /// @param mine what [#begin] returned
    /// @param into private memory as large as a metadata slot
    /// @throws TomboloException REGION_HOST_NOT_CONFIRMED, REGION_WRONG_STATE if the VM is not this host's any more
    public static Recovered recover(Region region, VmSlot vm, long mine, MemorySegment into) {
        return recover(region, vm, mine, into, () -> {
        });
    }

    /// The same for who must look at its right again and again while it stores.
    ///
    /// @param check called every few hundred frames or entries; what it throws ends the recovery where it is
    public static Recovered recover(Region region, VmSlot vm, long mine, MemorySegment into, Runnable check) {
        return region.guarded(() -> recoverNow(region, vm, mine, into, check));
    }

    private static Recovered recoverNow(Region region, VmSlot vm, long mine, MemorySegment into, Runnable check) {
        requireMine(region, vm, mine);
        int executor = OwnerWord.slot(mine);
        // Whoever was host C before may have died between its compare-and-set and its seal.
        seal(vm, mine);
        for (long word : OwnersInDoubt.all(vm, mine)) {
            recoverHost(region, word, executor, check);
        }
        VmIdentity identity = vm.readIdentity();
        boolean isProtected = CommitWord.isProtected(vm.commitAcquire());
        long rolledBack = 0;
        if (isProtected) {
            rolledBack = Rollback.run(region, vm, check);
        } else {
            // A death in the middle of protecting it, or of the opposite.
            Protection.release(region, vm);
        }
        Recovery.VmReport report = Recovery.recoverVm(region, vm, executor, check);
        if (report.localPages() > 0) {
            return new Recovered(null, report.localPages() + " of its pages were in the memory of a host that is gone",
                    rolledBack, report.localPages());
        }
        try {
            Blob state = isProtected
                    ? committed(region, vm, identity.uuid(), into, check)
                    : OwnerWord.is(mine, OwnerState.RESTORING) ? saved(region, vm, identity.uuid(), into) : null;
            return new Recovered(state, state == null ? "it was not protected, and no state was saved" : "", rolledBack,
                    0);
        } catch (TomboloException e) {
            if (e.code() != RegionError.REGION_METADATA_DAMAGED && e.code() != RegionError.REGION_METADATA_FOREIGN) {
                throw e;
            }
            return new Recovered(null, "its saved state is damaged: " + e.getMessage(), rolledBack, 0);
        }
    }

    private static void recoverHost(Region region, long doubt, int executor, Runnable check) {
        int slot = DoubtWord.slot(doubt);
        long word = region.host(slot).wordAcquire();
        if (DoubtWord.sameIncarnation(doubt, word) && SlotWord.state(word) != HostState.FREE) {
            Recovery.recover(region, slot, SlotWord.incarnation(word), executor, check);
        }
    }

    /// The state that was committed, with as many spare pre-images as are left of those that it had.
    private static Blob committed(Region region, VmSlot vm, UUID uuid, MemorySegment into, Runnable check) {
        Blob blob = vm.metadata(CommitWord.slot(vm.commitAcquire())).readChecked(uuid, into);
        return blob.withLogSpare(Rollback.spares(region, vm, blob, check));
    }

    /// The newest of both slots. One that is damaged may have been the newest, so it is not passed over.
    private static Blob saved(Region region, VmSlot vm, UUID uuid, MemorySegment into) {
        int newest = -1;
        long epoch = -1;
        for (int which = 0; which < 2; which++) {
            MetadataSlot slot = vm.metadata(which);
            if (slot.isEmpty()) {
                continue;
            }
            try {
                Blob blob = slot.readChecked(uuid, into);
                if (blob.epoch() > epoch && blob.epoch() <= OwnerWord.epoch(vm.ownerAcquire())) {
                    newest = which;
                    epoch = blob.epoch();
                }
            } catch (TomboloException e) {
                if (e.code() != RegionError.REGION_METADATA_FOREIGN) {
                    throw e;
                }
                // What an earlier VM in this slot left.
            }
        }
        if (newest < 0) {
            throw TomboloException.error(RegionError.REGION_METADATA_FOREIGN, "no saved state is of this VM")
                    .fact("file", region.file()).fact("vm", vm.index()).next("destroy the VM").build();
        }
        return vm.metadata(newest).readChecked(uuid, into);
    }

    /// What a protected VM needs to go on here: its state is committed with it once more before [#finish], under a
    /// number that no interval had.
    ///
    /// @param state that [#recover] found
    /// @throws TomboloException REGION_FULL
    public static PageCheckpoint checkpoint(Region region, FrameAllocator allocator, VmSlot vm, long mine, Blob state) {
        requireMine(region, vm, mine);
        PageCheckpoint checkpoint = new PageCheckpoint(region, allocator, vm, Protection.requirePlace(region, vm));
        // With this takeover's own seal: who takes the VM over meanwhile has put another one in, and this host must not
        // commit over it.
        checkpoint.begin(CommitWord.sealed(vm.commitAcquire(), OwnerWord.epoch(mine)), 2, state.logHead(),
                state.logSpare());
        checkpoint.stockUp();
        return checkpoint;
    }

    /// The VM is this host's: -> RUNNING or PAUSED at the same epoch. A protected VM was committed before. False if
    /// somebody took it over meanwhile.
    public static boolean finish(Region region, VmSlot vm, long mine, OwnerState to) {
        requireConfirmed(region, vm, mine);
        OwnersInDoubt.clear(vm);
        return vm.compareAndSetOwner(mine, OwnerWord.pack(to, OwnerWord.slot(mine), OwnerWord.epoch(mine)));
    }

    /// The VM cannot go on: -> LOST at the same epoch, until somebody destroys it. After [#recover], so that its memory
    /// is whole.
    public static boolean lose(Region region, VmSlot vm, long mine) {
        return finish(region, vm, mine, OwnerState.LOST);
    }

    private static void requireMine(Region region, VmSlot vm, long mine) {
        long owner = vm.ownerAcquire();
        boolean taken = OwnerWord.is(mine, OwnerState.RECOVERING) || OwnerWord.is(mine, OwnerState.RESTORING);
        if (!taken || owner != mine) {
            throw TomboloException.error(RegionError.REGION_WRONG_STATE, "the VM is not this takeover's any more")
                    .fact("file", region.file()).fact("vm", vm.index()).fact("found", OwnerWord.describe(owner))
                    .fact("expected", OwnerWord.describe(mine)).next("whoever owns it now goes on with it").build();
        }
        requireConfirmed(region, vm, mine);
    }

    private static void requireConfirmed(Region region, VmSlot vm, long mine) {
        List<Doubt> open = inDoubt(region, vm, mine);
        if (!open.isEmpty()) {
            throw TomboloException
                    .error(RegionError.REGION_HOST_NOT_CONFIRMED, "an owner of the VM may still be at work")
                    .fact("file", region.file()).fact("vm", vm.index()).fact("inDoubt", open)
                    .next("fence the host and confirm that it has stopped").build();
        }
    }
}

package io.tombolo.region;

import java.util.ArrayList;
import java.util.List;

/// Puts right what a dead host incarnation left behind: reserved frames, blocks, half-built and half-destroyed VMs. It
/// runs only after the incarnation is confirmed stopped, can be repeated from any point, and may be run by several at
/// once (every word it changes is changed by CAS). It never looks at frames outside the dead incarnation's blocks
/// (2 MiB frames that its slot has reserved are blocks), never infers from the absence of a pointer, and never walks
/// the table of a VM that it does not own.
///
/// Order of the steps, each persisted before the next:
/// 1. settle each frame, 4 KiB or 2 MiB, reserved by the slot: the one entry that its word names decides;
/// 2. withdraw the slot's right to take VMs back;
/// 3. VMs that the slot was creating or destroying: DESTROYING by the executor at the next epoch, then frames,
///    identity, FREE;
/// 4. give the blocks back.
///
/// Frames must be recovered before anybody takes over the incarnation's running VMs; the table of such a VM is put
/// right by [#recoverVm].
public final class Recovery {
    /// What was done. `vmsPending` are VM slots that the dead slot still owns in other states: takeover decides about
    /// them.
    public record Report(int slot, long incarnation, long framesFreed, long framesKept, int blocksReleased,
            List<Integer> vmsDestroyed, List<Integer> vmsPending) {
    }

    /// Ranges of lost pages that are listed at most.
    public static final int LOST_RANGES_MAX = 1024;

    /// What was found in a VM's table. `localPages` pages were in the private memory of the dead host and are lost;
    /// `lost` are their ranges in order, the first [#LOST_RANGES_MAX] of them. `unmarked` pages were being moved and
    /// are where they were.
    public record VmReport(int vm, long localPages, List<PageRange> lost, long unmarked) {
        public VmReport {
            lost = List.copyOf(lost);
        }
    }

    private Recovery() {
    }

    /// Without an executor: half-built and half-destroyed VMs stay and are reported as pending.
    public static Report recover(Region region, int deadSlot, long incarnation) {
        return recover(region, deadSlot, incarnation, -1);
    }

    /// `executorSlot` is the live host on which this runs; it becomes the owner of the VMs that it destroys.
    public static Report recover(Region region, int deadSlot, long incarnation, int executorSlot) {
        return recover(region, deadSlot, incarnation, executorSlot, () -> {
        });
    }

    /// `check` is called before every block of frames.
    static Report recover(Region region, int deadSlot, long incarnation, int executorSlot, Runnable check) {
        return region.guarded(() -> recoverNow(region, deadSlot, incarnation, executorSlot, check));
    }

    private static Report recoverNow(Region region, int deadSlot, long incarnation, int executorSlot, Runnable check) {
        requireConfirmed(region, deadSlot, incarnation);
        long ownedWord = BlockWord.owned(deadSlot, incarnation);
        ReservedFrames reserved = new ReservedFrames(region, deadSlot, incarnation);
        List<Long> blocks = new ArrayList<>();
        for (long block = 0; block < region.superblock().blockCount(); block++) {
            check.run();
            if (region.memory().loadAcquire(region.blockOffset(block)) == ownedWord) {
                blocks.add(block);
                reserved.settleBlock(block);
            } else {
                reserved.settleLarge(block);
            }
        }
        withdrawTakeBack(region, deadSlot);
        List<Integer> destroyed = new ArrayList<>();
        List<Integer> pending = new ArrayList<>();
        for (int i = 0; i < region.vmSlots(); i++) {
            VmSlot vm = region.vm(i);
            long owner = vm.ownerAcquire();
            if (OwnerWord.is(owner, OwnerState.FREE) || OwnerWord.slot(owner) != deadSlot) {
                continue;
            }
            if (executorSlot >= 0 && finishDestroy(region, vm, owner, executorSlot)) {
                destroyed.add(i);
            } else {
                pending.add(i);
            }
        }
        int released = 0;
        for (long block : blocks) {
            if (region.memory().compareAndSet(region.blockOffset(block), ownedWord, BlockWord.FREE)) {
                released++;
            }
            region.memory().persist(region.blockOffset(block), 8);
        }
        return new Report(deadSlot, incarnation, reserved.freed(), reserved.kept(), released, List.copyOf(destroyed),
                List.copyOf(pending));
    }

    /// Makes the memory of a VM whole for its new owner: `vm` is RECOVERING or RESTORING by `executorSlot`, and the
    /// frames of the dead incarnation were recovered before. Entries that are MIGRATING or COPYING become PRESENT with
    /// the same frame and the next tag; local pages are counted and listed; `local_pages`, pins and the gate are put
    /// right. Walks the table once; can be repeated.
    public static VmReport recoverVm(Region region, VmSlot vm, int executorSlot) {
        return recoverVm(region, vm, executorSlot, () -> {
        });
    }

    /// `check` is called every few hundred entries.
    static VmReport recoverVm(Region region, VmSlot vm, int executorSlot, Runnable check) {
        long owner = vm.ownerAcquire();
        boolean taken = OwnerWord.is(owner, OwnerState.RECOVERING) || OwnerWord.is(owner, OwnerState.RESTORING);
        if (!taken || OwnerWord.slot(owner) != executorSlot) {
            throw TomboloException.error(RegionError.REGION_WRONG_STATE, "only the host that recovers a VM does this")
                    .fact("file", region.file()).fact("vm", vm.index()).fact("found", OwnerWord.describe(owner))
                    .fact("expected", "RECOVERING or RESTORING host " + executorSlot).next("take the VM over first")
                    .build();
        }
        return region.guarded(() -> VmRecovery.recover(region, vm, check));
    }

    /// Takes from a slot that is being fenced the right to take back the VMs it has offered: OFFERED B e -> OFFERED B
    /// e+1, for which no from word holds. Returns how many.
    public static int withdrawTakeBack(Region region, int slot) {
        int withdrawn = 0;
        for (int i = 0; i < region.vmSlots(); i++) {
            VmSlot vm = region.vm(i);
            long owner = vm.ownerAcquire();
            while (FromWord.allows(vm.fromAcquire(), slot, owner)) {
                if (vm.compareAndSetOwner(owner,
                        OwnerWord.pack(OwnerState.OFFERED, OwnerWord.slot(owner), OwnerWord.nextEpoch(owner)))) {
                    withdrawn++;
                }
                owner = vm.ownerAcquire();
            }
        }
        return withdrawn;
    }

    private static boolean finishDestroy(Region region, VmSlot vm, long owner, int executorSlot) {
        if (!OwnerWord.is(owner, OwnerState.CREATING) && !OwnerWord.is(owner, OwnerState.DESTROYING)) {
            return false;
        }
        long mine = OwnerWord.pack(OwnerState.DESTROYING, executorSlot, OwnerWord.nextEpoch(owner));
        return vm.compareAndSetOwner(owner, mine) && VmSlots.destroy(region, vm, mine);
    }

    private static void requireConfirmed(Region region, int slot, long incarnation) {
        long word = region.host(slot).wordAcquire();
        HostState state = SlotWord.state(word);
        if (SlotWord.incarnation(word) != incarnation || (state != HostState.CONFIRMED && state != HostState.STOPPED)) {
            throw TomboloException
                    .error(RegionError.REGION_HOST_NOT_CONFIRMED, "only a host that is confirmed stopped is recovered")
                    .fact("file", region.file()).fact("host", slot).fact("found", SlotWord.describe(word))
                    .fact("expected", "CONFIRMED or STOPPED incarnation " + incarnation)
                    .next("fence the host and confirm that it has stopped").build();
        }
    }
}

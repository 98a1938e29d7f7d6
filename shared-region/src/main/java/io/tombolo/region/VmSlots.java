package io.tombolo.region;

/// How a VM gets a slot and how the slot becomes free again.
public final class VmSlots {
    private VmSlots() {
    }

    /// Takes a free slot for `hostSlot`: FREE e -> CREATING hostSlot e+1. Throws REGION_VM_SLOTS_EXHAUSTED.
    public static VmSlot claim(Region region, int hostSlot) {
        for (int i = 0; i < region.vmSlots(); i++) {
            VmSlot vm = region.vm(i);
            long owner = vm.ownerAcquire();
            if (OwnerWord.is(owner, OwnerState.FREE) && OwnerWord.epoch(owner) < OwnerWord.EPOCH_MAX
                    && vm.compareAndSetOwner(
                            owner, OwnerWord.pack(OwnerState.CREATING, hostSlot, OwnerWord.nextEpoch(owner)))) {
                return vm;
            }
        }
        throw TomboloException.error(RegionError.REGION_VM_SLOTS_EXHAUSTED, "no VM slot is free")
                .fact("file", region.file())
                .fact("slots", region.vmSlots()).next("destroy a VM, or format with more VM slots").build();
    }

    /// As [#destroy(Region, VmSlot, long, LocalFrames)] on a host without the VM's local frames.
    public static boolean destroy(Region region, VmSlot vm, long expect) {
        return destroy(region, vm, expect, null);
    }

    /// Gives everything of the VM back and frees the slot: -> DESTROYING (unless it is already) -> frames, identity ->
    /// FREE. The caller is the owner, in CREATING, RUNNING, PAUSED, RECOVERING, LOST or DESTROYING, and has stopped
    /// every thread that touches the VM. False if the owner word was not `expect`.
    ///
    /// `local` as in [VmMemory#release(Region, VmSlot, LocalFrames)].
    public static boolean destroy(Region region, VmSlot vm, long expect, LocalFrames local) {
        long destroying = expect;
        if (!OwnerWord.is(expect, OwnerState.DESTROYING)) {
            destroying = OwnerWord.pack(OwnerState.DESTROYING, OwnerWord.slot(expect), OwnerWord.nextEpoch(expect));
            if (!vm.compareAndSetOwner(expect, destroying)) {
                return false;
            }
        } else if (vm.ownerAcquire() != expect) {
            return false;
        }
        VmMemory.release(region, vm, local);
        return vm.compareAndSetOwner(destroying, OwnerWord.pack(OwnerState.FREE, 0, OwnerWord.epoch(destroying)));
    }
}

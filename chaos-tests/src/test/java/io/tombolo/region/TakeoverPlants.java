package io.tombolo.region;

/// Parts of a takeover that do not what they must, for tests.
public final class TakeoverPlants {
    private TakeoverPlants() {
    }

    /// Goes on in the interval that was rolled back, under its number.
    public static PageCheckpoint sameInterval(Region region, FrameAllocator allocator, VmSlot vm) {
        PageCheckpoint checkpoint = Protection.prepare(region, allocator, vm);
        checkpoint.begin(vm.commitAcquire(), 1, 0, 0);
        return checkpoint;
    }
}

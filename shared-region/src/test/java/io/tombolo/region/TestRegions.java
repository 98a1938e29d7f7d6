package io.tombolo.region;

import java.nio.file.Path;
import java.util.UUID;

/// Small regions for tests.
final class TestRegions {
    static final UUID CLUSTER = new UUID(0x0123456789abcdefL, 0x8899aabbccddeeffL);
    static final UUID BOOT = new UUID(7, 8);

    private TestRegions() {
    }

    /// Metadata slots of a size that fills the control area up to 2 MiB: verify looks at every byte of the gap before
    /// the frames.
    static FormatOptions options(long dataBytes) {
        return FormatOptions.of(CLUSTER, dataBytes).withHostSlots(4).withVmSlots(4).withMetadataSlotBytes(62 * 4096);
    }

    static Region format(Path file, long dataBytes) {
        Region.format(file, options(dataBytes));
        return Region.open(file, OpenOptions.ofCluster(CLUSTER));
    }

    static HostIdentity host(String name) {
        return new HostIdentity(new UUID(1, name.hashCode()), name, BOOT, ProcessHandle.current().pid(),
                WatchdogBound.UNKNOWN);
    }

    static VmIdentity vm(String name, long pages) {
        return VmIdentity.frames(new UUID(2, name.hashCode()), name, pages * 4096, 1, "simulated");
    }

    static VmIdentity largeVm(String name, long pages) {
        return VmIdentity.frames(new UUID(2, name.hashCode()), name, pages << 21, PageSize.LARGE, 1, "simulated");
    }

    /// Reserves one frame for a page; -1 if none is free.
    static long reserve(FrameAllocator allocator, PageSize size, int vm, long page) {
        long[] frame = {-1};
        allocator.reserve(size, vm, new long[]{page}, 1, frame);
        return frame[0];
    }

    /// Claims a slot, populates and runs it on `host`.
    static VmSlot runningVm(Region region, ClaimedSlot host, String name, long pages) {
        VmSlot vm = VmSlots.claim(region, host.slot());
        VmMemory.populate(region, region.allocator(host.slot()), vm, vm(name, pages));
        long owner = vm.ownerAcquire();
        if (!vm.compareAndSetOwner(owner, OwnerWord.pack(OwnerState.RUNNING, host.slot(), OwnerWord.epoch(owner)))) {
            throw new AssertionError("owner word changed");
        }
        return vm;
    }
}

package io.tombolo.region;

import static java.util.Objects.requireNonNull;

import java.util.UUID;

/// What a VM is, as the region keeps it. `memoryBytes` is a multiple of `pageBytes`, which is
/// that of a [PageSize]. `segmentUuid` is all zero
/// for [Backing#FRAMES]; the table fields are zero for [Backing#SEGMENT], and filled in by [VmMemory#populate]
/// otherwise.
public record VmIdentity(UUID uuid, String name, long memoryBytes, int pageBytes, int vcpus, Backing backing,
        String driver,
        UUID segmentUuid, long tableFirstFrame, int tableFrames) {
    /// No segment.
    public static final UUID NO_SEGMENT = new UUID(0, 0);
    /// 32 bits of page number.
    public static final long MEMORY_BYTES_MAX = 1L << 44;

    public VmIdentity {
        requireNonNull(uuid, "uuid is null");
        requireNonNull(name, "name is null");
        requireNonNull(backing, "backing is null");
        requireNonNull(driver, "driver is null");
        segmentUuid = segmentUuid == null ? NO_SEGMENT : segmentUuid;
        if (PageSize.ofBytes(pageBytes) == null || memoryBytes <= 0 || memoryBytes % pageBytes != 0
                || memoryBytes > MEMORY_BYTES_MAX || vcpus < 1) {
            throw TomboloException.error(RegionError.REGION_OPTIONS_INVALID, "the VM's shape is out of range")
                    .fact("vm", name)
                    .fact("memoryBytes", memoryBytes).fact("pageBytes", pageBytes).fact("vcpus", vcpus)
                    .fact("expected",
                            "pages of 4096 or 2097152, a multiple of that up to 16 TiB, at least one vCPU")
                    .next("correct the VM definition").build();
        }
    }

    /// A VM in frames of the region with pages of 4 KiB, not yet populated.
    public static VmIdentity frames(UUID uuid, String name, long memoryBytes, int vcpus, String driver) {
        return frames(uuid, name, memoryBytes, PageSize.SMALL, vcpus, driver);
    }

    /// A VM in frames of the region, not yet populated.
    public static VmIdentity frames(UUID uuid, String name, long memoryBytes, PageSize pageSize, int vcpus,
            String driver) {
        return new VmIdentity(uuid, name, memoryBytes, pageSize.bytes(), vcpus, Backing.FRAMES, driver, NO_SEGMENT, 0,
                0);
    }

    /// A VM in a segment file.
    public static VmIdentity segment(UUID uuid, String name, long memoryBytes, int vcpus, String driver,
            UUID segmentUuid) {
        return new VmIdentity(uuid, name, memoryBytes, RegionLayout.FRAME_BYTES, vcpus, Backing.SEGMENT, driver,
                segmentUuid,
                0, 0);
    }

    public PageSize pageSize() {
        return PageSize.ofBytes(pageBytes);
    }

    public long pages() {
        return memoryBytes / pageBytes;
    }

    /// Frames that the page table of this much memory takes.
    public int tableFramesNeeded() {
        return Math.toIntExact(Math.ceilDiv(pages() * 8, (long) RegionLayout.FRAME_BYTES));
    }

    VmIdentity withTable(long firstFrame, int frames) {
        return new VmIdentity(uuid, name, memoryBytes, pageBytes, vcpus, backing, driver, segmentUuid, firstFrame,
                frames);
    }
}

package io.tombolo.region;

import static java.util.Objects.requireNonNull;

import java.util.UUID;

/// How to format a region. `dataBytes` is the room for frames (guest pages and page tables), rounded up to 2 MiB;
/// `reserve` takes the room from the file system at once, so that a full tmpfs is an error now and not a fault later.
public record FormatOptions(UUID clusterUuid, int hostSlots, int vmSlots, long dataBytes, int metadataSlotBytes,
        boolean force, boolean reserve) {

    public FormatOptions {
        requireNonNull(clusterUuid, "clusterUuid is null");
        check(hostSlots >= 1 && hostSlots <= RegionLayout.HOST_SLOTS_MAX, "hostSlots", hostSlots, "1 to 4095");
        check(vmSlots >= 1 && vmSlots <= RegionLayout.VM_SLOTS_MAX, "vmSlots", vmSlots, "1 to 65535");
        check(dataBytes > 0 && dataBytes <= 1L << 48, "dataBytes", dataBytes, "1 to 256 TiB");
        check(metadataSlotBytes >= 4096 && metadataSlotBytes % 4096 == 0 && metadataSlotBytes <= 1 << 30,
                "metadataSlotBytes",
                metadataSlotBytes, "multiple of 4096, at most 1 GiB");
    }

    /// 64 host slots, 64 VM slots, metadata slots of 1 MiB, no force, room reserved.
    public static FormatOptions of(UUID clusterUuid, long dataBytes) {
        return new FormatOptions(clusterUuid, 64, 64, dataBytes, 1 << 20, false, true);
    }

    public FormatOptions withHostSlots(int count) {
        return new FormatOptions(clusterUuid, count, vmSlots, dataBytes, metadataSlotBytes, force, reserve);
    }

    public FormatOptions withVmSlots(int count) {
        return new FormatOptions(clusterUuid, hostSlots, count, dataBytes, metadataSlotBytes, force, reserve);
    }

    public FormatOptions withMetadataSlotBytes(int bytes) {
        return new FormatOptions(clusterUuid, hostSlots, vmSlots, dataBytes, bytes, force, reserve);
    }

    public FormatOptions withForce(boolean yes) {
        return new FormatOptions(clusterUuid, hostSlots, vmSlots, dataBytes, metadataSlotBytes, yes, reserve);
    }

    public FormatOptions withReserve(boolean yes) {
        return new FormatOptions(clusterUuid, hostSlots, vmSlots, dataBytes, metadataSlotBytes, force, yes);
    }

    private static void check(boolean ok, String name, long found, String expected) {
        if (!ok) {
            throw TomboloException.error(RegionError.REGION_OPTIONS_INVALID, "a format option is out of range")
                    .fact("option", name).fact("found", found).fact("expected", expected)
                    .next("choose a value in the range").build();
        }
    }
}

package io.tombolo.region;

import java.nio.file.Path;

/// Decides whether a superblock may be used (I6). The order matters: identity and version first, because nothing after
/// them can be trusted to be where this version puts it.
final class SuperblockReader {
    private SuperblockReader() {
    }

    /// `fileBytes` is the length of the file as found.
    static Superblock check(FieldBuffer raw, Path file, long fileBytes, OpenOptions options) {
        if (raw.word("magic") != RegionLayout.MAGIC) {
            throw refuse(RegionError.REGION_NOT_A_REGION, "the file is not a region", file, "magic",
                    hex(raw.word("magic")), hex(RegionLayout.MAGIC))
                    .next("check the path; tombolo region format makes a region")
                    .build();
        }
        if (raw.int32("major") != RegionLayout.MAJOR) {
            throw refuse(RegionError.REGION_VERSION_UNKNOWN, "the region has another major version", file, "major",
                    raw.int32("major") + "." + raw.int32("minor"), RegionLayout.MAJOR + ".x")
                    .next("use the Tombolo version that formatted the region").build();
        }
        if (raw.word("ready") != RegionLayout.READY) {
            throw refuse(RegionError.REGION_NOT_READY, "formatting did not end", file, "ready", hex(raw.word("ready")),
                    hex(RegionLayout.READY)).next("tombolo region format --force " + file).build();
        }
        if (!raw.crcMatches("magic")) {
            throw refuse(RegionError.REGION_SUPERBLOCK_DAMAGED, "the superblock's checksum is wrong", file, "crc",
                    hex(raw.int32("crc")), hex(raw.crc("magic"))).next("tombolo region verify " + file).build();
        }
        Superblock superblock = Superblock.decode(raw);
        checkFeatures(superblock, file, options);
        if (!superblock.geometryIsSound() || raw.int32("frame_bytes") != RegionLayout.FRAME_BYTES
                || raw.int32("block_frames") != BlockWord.FRAMES
                || raw.int32("host_slot_bytes") != RegionLayout.HOST_SLOT.bytes()
                || raw.int32("vm_slot_bytes") != RegionLayout.VM_SLOT.bytes()
                || raw.int32("superblock_bytes") != RegionLayout.SUPERBLOCK.bytes()) {
            throw refuse(RegionError.REGION_SUPERBLOCK_DAMAGED, "the superblock's geometry is impossible", file,
                    "frame_count",
                    superblock, "areas in the order of the format").next("tombolo region verify " + file).build();
        }
        if (fileBytes < superblock.fileBytes()) {
            throw refuse(RegionError.REGION_TRUNCATED, "the file is shorter than its superblock says", file,
                    "file_bytes",
                    fileBytes, superblock.fileBytes()).next("restore the file or format a new region").build();
        }
        if (fileBytes > superblock.fileBytes()) {
            throw refuse(RegionError.REGION_SIZE_MISMATCH, "the file is longer than its superblock says", file,
                    "file_bytes",
                    fileBytes, superblock.fileBytes()).next("restore the file or format a new region").build();
        }
        if (options.expectedCluster() != null && !options.expectedCluster().equals(superblock.clusterUuid())) {
            throw refuse(RegionError.REGION_OTHER_CLUSTER, "the region belongs to another cluster", file,
                    "cluster_uuid",
                    superblock.clusterUuid(), options.expectedCluster())
                    .next("check the path of the region and the cluster in the configuration").build();
        }
        return superblock;
    }

    private static void checkFeatures(Superblock superblock, Path file, OpenOptions options) {
        long incompat = superblock.incompat() & ~RegionLayout.INCOMPAT_KNOWN;
        if (incompat != 0) {
            throw refuse(RegionError.REGION_FEATURE_UNKNOWN,
                    "the region has a feature that must be understood and is not", file,
                    "incompat", hex(superblock.incompat()), hex(RegionLayout.INCOMPAT_KNOWN))
                    .next("use the Tombolo version that formatted the region").build();
        }
        if ((superblock.incompat() & RegionLayout.INCOMPAT_COHERENT_CONTROL) == 0) {
            throw refuse(RegionError.REGION_FEATURE_UNKNOWN,
                    "the region does not say that its control area is coherent between hosts", file,
                    "incompat", hex(superblock.incompat()), hex(RegionLayout.INCOMPAT_KNOWN))
                    .next("use memory on which compare-and-set works between hosts").build();
        }
        long roCompat = superblock.roCompat() & ~RegionLayout.RO_COMPAT_KNOWN;
        if (roCompat != 0 && !options.readOnly()) {
            throw refuse(RegionError.REGION_FEATURE_UNKNOWN, "the region has a feature with which it may only be read",
                    file,
                    "ro_compat", hex(superblock.roCompat()), hex(RegionLayout.RO_COMPAT_KNOWN))
                    .next("open it read-only, or use the Tombolo version that formatted the region").build();
        }
    }

    static TomboloException.Builder refuse(RegionError code, String what, Path file, String field, Object found,
            Object expected) {
        return TomboloException.error(code, what).fact("file", file).fact("structure", "superblock")
                .fact("field", field)
                .fact("offset", RegionLayout.SUPERBLOCK.offset(field)).fact("found", found).fact("expected", expected);
    }

    static String hex(long value) {
        return "0x" + Long.toHexString(value);
    }

    static String hex(int value) {
        return "0x" + Integer.toHexString(value);
    }
}

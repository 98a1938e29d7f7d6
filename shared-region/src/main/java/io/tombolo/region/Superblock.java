package io.tombolo.region;

import java.util.UUID;

/// What the superblock says; immutable. Offsets and lengths in bytes.
public record Superblock(int major, int minor, long compat, long roCompat, long incompat, UUID regionUuid,
        UUID clusterUuid,
        int hostSlots, int vmSlots, int metadataSlotBytes, long frameCount, long fileBytes, long hostOffset,
        long vmOffset,
        long metadataOffset, long blockOffset, long frameOffset, long dataOffset, long formattedAtMs) {

    static final long HUGE = 2L << 20;

    public int frameBytes() {
        return RegionLayout.FRAME_BYTES;
    }

    /// Blocks of 512 frames.
    public long blockCount() {
        return frameCount / BlockWord.FRAMES;
    }

    /// Feature names for people.
    public String features() {
        return (incompat & RegionLayout.INCOMPAT_COHERENT_CONTROL) != 0 ? "COHERENT_CONTROL" : "none";
    }

    /// Computes the geometry; `dataBytes` is rounded up to whole blocks.
    static Superblock plan(FormatOptions options, UUID regionUuid, long nowMs) {
        long frames = Math.ceilDiv(options.dataBytes(), (long) RegionLayout.FRAME_BYTES * BlockWord.FRAMES)
                * BlockWord.FRAMES;
        long host = RegionLayout.SUPERBLOCK.bytes();
        long vm = align(host + options.hostSlots() * RegionLayout.HOST_SLOT.bytes(), 4096);
        long metadata = align(vm + options.vmSlots() * RegionLayout.VM_SLOT.bytes(), 4096);
        long block = metadata + 2L * options.vmSlots() * options.metadataSlotBytes();
        long frame = align(block + frames / BlockWord.FRAMES * 8, 4096);
        long data = align(frame + frames * 8, HUGE);
        return new Superblock(RegionLayout.MAJOR, RegionLayout.MINOR, 0, 0, RegionLayout.INCOMPAT_COHERENT_CONTROL,
                regionUuid,
                options.clusterUuid(), options.hostSlots(), options.vmSlots(), options.metadataSlotBytes(), frames,
                data + frames * RegionLayout.FRAME_BYTES, host, vm, metadata, block, frame, data, nowMs);
    }

    /// True if the areas follow each other as [#plan] lays them out. Anything else is damage even if the checksum fits.
    boolean geometryIsSound() {
        if (hostSlots < 1 || hostSlots > RegionLayout.HOST_SLOTS_MAX || vmSlots < 1
                || vmSlots > RegionLayout.VM_SLOTS_MAX
                || metadataSlotBytes < 4096 || metadataSlotBytes % 4096 != 0 || frameCount < BlockWord.FRAMES
                || frameCount % BlockWord.FRAMES != 0 || frameCount > 1L << 36) {
            return false;
        }
        Superblock planned = plan(
                new FormatOptions(clusterUuid, hostSlots, vmSlots, frameCount * RegionLayout.FRAME_BYTES,
                        metadataSlotBytes, false, false),
                regionUuid, formattedAtMs);
        return planned.hostOffset == hostOffset && planned.vmOffset == vmOffset
                && planned.metadataOffset == metadataOffset
                && planned.blockOffset == blockOffset && planned.frameOffset == frameOffset
                && planned.dataOffset == dataOffset && planned.fileBytes == fileBytes;
    }

    FieldBuffer encode() {
        FieldBuffer buffer = new FieldBuffer(RegionLayout.SUPERBLOCK);
        buffer.word("magic", RegionLayout.MAGIC).int32("major", major).int32("minor", minor).word("compat", compat)
                .word("ro_compat", roCompat).word("incompat", incompat).uuid("region_uuid", regionUuid)
                .uuid("cluster_uuid", clusterUuid).int32("superblock_bytes", (int) RegionLayout.SUPERBLOCK.bytes())
                .int32("frame_bytes", RegionLayout.FRAME_BYTES).int32("host_slots", hostSlots)
                .int32("vm_slots", vmSlots)
                .int32("host_slot_bytes", (int) RegionLayout.HOST_SLOT.bytes())
                .int32("vm_slot_bytes", (int) RegionLayout.VM_SLOT.bytes())
                .int32("metadata_slot_bytes", metadataSlotBytes)
                .int32("block_frames", BlockWord.FRAMES).word("frame_count", frameCount).word("file_bytes", fileBytes)
                .word("host_offset", hostOffset).word("vm_offset", vmOffset).word("metadata_offset", metadataOffset)
                .word("block_offset", blockOffset).word("frame_offset", frameOffset).word("data_offset", dataOffset)
                .word("formatted_at_ms", formattedAtMs);
        return buffer.int32("crc", buffer.crc("magic"));
    }

    static Superblock decode(FieldBuffer buffer) {
        return new Superblock(buffer.int32("major"), buffer.int32("minor"), buffer.word("compat"),
                buffer.word("ro_compat"),
                buffer.word("incompat"), buffer.uuid("region_uuid"), buffer.uuid("cluster_uuid"),
                buffer.int32("host_slots"),
                buffer.int32("vm_slots"), buffer.int32("metadata_slot_bytes"), buffer.word("frame_count"),
                buffer.word("file_bytes"), buffer.word("host_offset"), buffer.word("vm_offset"),
                buffer.word("metadata_offset"), buffer.word("block_offset"), buffer.word("frame_offset"),
                buffer.word("data_offset"), buffer.word("formatted_at_ms"));
    }

    private static long align(long value, long to) {
        return Math.ceilDiv(value, to) * to;
    }
}

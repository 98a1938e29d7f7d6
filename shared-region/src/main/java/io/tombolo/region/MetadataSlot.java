package io.tombolo.region;

import java.lang.foreign.MemorySegment;
import java.util.UUID;

/// One of a VM's two metadata slots: a checked header and the payload (vCPU and device state). Writer: the owner, and
/// only the slot that nobody may be reading. A reader copies the payload to private memory and checks the copy; nothing
/// is used in place.
///
/// Not thread safe for writing (the owner's switching thread writes); reading is.
public final class MetadataSlot {
    private static final Struct LAYOUT = RegionLayout.METADATA_HEADER;
    private static final long EPOCH = LAYOUT.offset("epoch");
    private static final long INTERVAL = LAYOUT.offset("interval");
    private static final long VM_UUID = LAYOUT.offset("vm_uuid");
    private static final long LENGTH = LAYOUT.offset("length");
    private static final long PAYLOAD_CRC = LAYOUT.offset("payload_crc");
    private static final long FLAGS = LAYOUT.offset("flags");
    private static final long LOG_HEAD = LAYOUT.offset("log_head");
    private static final long LOG_SPARE = LAYOUT.offset("log_spare");
    private static final long CRC = LAYOUT.offset("crc");
    private static final int PAUSED = 1;
    static final long HEADER_BYTES = LAYOUT.bytes();

    private final Region region;
    private final Memory memory;
    private final int vm;
    private final int which;
    private final long base;
    private final int capacity;
    private final MemorySegment payload;
    private final byte[] chunk = new byte[4096];
    private final MemorySegment header = MemorySegment.ofArray(new byte[(int) HEADER_BYTES]);

    MetadataSlot(Region region, int vm, int which) {
        this.region = region;
        this.memory = region.memory();
        this.vm = vm;
        this.which = which;
        Superblock superblock = region.superblock();
        this.base = superblock.metadataOffset() + (2L * vm + which) * superblock.metadataSlotBytes();
        this.capacity = superblock.metadataSlotBytes() - (int) HEADER_BYTES;
        this.payload = memory.segment(base + HEADER_BYTES, capacity);
    }

    /// Greatest payload length in bytes.
    public int capacity() {
        return capacity;
    }

    long base() {
        return base;
    }

    /// Region memory of the payload; the owner encodes into it, then publishes.
    public MemorySegment payload() {
        return payload;
    }

    /// Copies `length` bytes to the start of the payload through the memory port.
    public void writePayload(MemorySegment source, int length) {
        checkLength(length, capacity);
        memory.copyIn(source, 0, base + HEADER_BYTES, length);
    }

    /// Persists the first `length` bytes of the payload, then writes and persists the header over them. Readers see it
    /// by the owner word's change that follows.
    public void publish(long epoch, long interval, int length, int schema, UUID vmUuid) {
        publish(epoch, interval, length, schema, vmUuid, false, 0, 0);
    }

    /// The same of a VM that is paused.
    public void publishPaused(long epoch, int length, int schema, UUID vmUuid) {
        publish(epoch, 0, length, schema, vmUuid, true, 0, 0);
    }

    /// The same of a protected VM.
    ///
    /// @param logHead  entries ever written to its pre-image log
    /// @param logSpare how many of the last of them name a spare pre-image
    void publish(long epoch, long interval, int length, int schema, UUID vmUuid, boolean paused, long logHead,
            int logSpare) {
        checkLength(length, capacity);
        int payloadCrc = Crc.of(memory, base + HEADER_BYTES, length, chunk);
        memory.persist(base + HEADER_BYTES, length);
        header.set(Struct.PRIVATE_LONG, EPOCH, epoch);
        header.set(Struct.PRIVATE_LONG, INTERVAL, interval);
        header.set(Struct.PRIVATE_LONG, VM_UUID, vmUuid.getMostSignificantBits());
        header.set(Struct.PRIVATE_LONG, VM_UUID + 8, vmUuid.getLeastSignificantBits());
        header.set(Struct.PRIVATE_LONG, LENGTH, (length & 0xFFFF_FFFFL) | (long) schema << 32);
        header.set(Struct.PRIVATE_INT, PAYLOAD_CRC, payloadCrc);
        header.set(Struct.PRIVATE_INT, FLAGS, paused ? PAUSED : 0);
        header.set(Struct.PRIVATE_LONG, LOG_HEAD, logHead);
        header.set(Struct.PRIVATE_INT, LOG_SPARE, logSpare);
        header.set(Struct.PRIVATE_INT, CRC, Crc.of(header, 0, CRC));
        memory.copyIn(header, 0, base, HEADER_BYTES);
        memory.persist(base, HEADER_BYTES);
    }

    /// Copies the payload into `into` (private memory) and checks the copy: header, length, checksum, VM and epoch.
    /// Throws REGION_METADATA_DAMAGED if it is not whole, REGION_METADATA_FOREIGN if it is whole but of another VM or
    /// epoch, REGION_METADATA_TOO_LARGE if `into` is short.
    public Blob readChecked(long expectedEpoch, UUID vmUuid, MemorySegment into) {
        Blob blob = readChecked(vmUuid, into);
        if (blob.epoch() != expectedEpoch) {
            throw refuse(RegionError.REGION_METADATA_FOREIGN, "the metadata is of another epoch", EPOCH, blob.epoch(),
                    expectedEpoch);
        }
        return blob;
    }

    /// As the other form, but with any epoch: for recovery, which chooses between the two slots.
    public Blob readChecked(UUID vmUuid, MemorySegment into) {
        MemorySegment copy = MemorySegment.ofArray(new byte[(int) HEADER_BYTES]);
        memory.copyOut(base, copy, 0, HEADER_BYTES);
        int headerCrc = Crc.of(copy, 0, CRC);
        if (copy.get(Struct.PRIVATE_INT, CRC) != headerCrc || isZero(copy)) {
            throw refuse(RegionError.REGION_METADATA_DAMAGED, "the metadata header's checksum is wrong", CRC,
                    SuperblockReader.hex(copy.get(Struct.PRIVATE_INT, CRC)), SuperblockReader.hex(headerCrc));
        }
        int length = copy.get(Struct.PRIVATE_INT, LENGTH);
        if (length < 0 || length > capacity) {
            throw refuse(RegionError.REGION_METADATA_DAMAGED, "the metadata length is impossible", LENGTH, length,
                    "0 to " + capacity);
        }
        UUID found = new UUID(copy.get(Struct.PRIVATE_LONG, VM_UUID), copy.get(Struct.PRIVATE_LONG, VM_UUID + 8));
        if (!found.equals(vmUuid)) {
            throw refuse(RegionError.REGION_METADATA_FOREIGN, "the metadata is of another VM", VM_UUID, found, vmUuid);
        }
        checkLength(length, into.byteSize());
        MemorySegment bytes = into.asSlice(0, length);
        memory.copyOut(base + HEADER_BYTES, bytes, 0, length);
        int payloadCrc = Crc.of(bytes, 0, length);
        if (payloadCrc != copy.get(Struct.PRIVATE_INT, PAYLOAD_CRC)) {
            throw refuse(RegionError.REGION_METADATA_DAMAGED, "the metadata payload's checksum is wrong", PAYLOAD_CRC,
                    SuperblockReader.hex(copy.get(Struct.PRIVATE_INT, PAYLOAD_CRC)), SuperblockReader.hex(payloadCrc));
        }
        return new Blob(bytes, length, copy.get(Struct.PRIVATE_INT, LENGTH + 4), copy.get(Struct.PRIVATE_LONG, EPOCH),
                copy.get(Struct.PRIVATE_LONG, INTERVAL), payloadCrc,
                (copy.get(Struct.PRIVATE_INT, FLAGS) & PAUSED) != 0,
                copy.get(Struct.PRIVATE_LONG, LOG_HEAD), copy.get(Struct.PRIVATE_INT, LOG_SPARE));
    }

    /// True if nothing was ever published here since format.
    boolean isEmpty() {
        MemorySegment copy = MemorySegment.ofArray(new byte[(int) HEADER_BYTES]);
        memory.copyOut(base, copy, 0, HEADER_BYTES);
        return isZero(copy);
    }

    private static boolean isZero(MemorySegment words) {
        for (long at = 0; at < words.byteSize(); at += 8) {
            if (words.get(Struct.PRIVATE_LONG, at) != 0) {
                return false;
            }
        }
        return true;
    }

    private void checkLength(int length, long room) {
        if (length < 0 || length > room) {
            throw TomboloException.error(RegionError.REGION_METADATA_TOO_LARGE, "the VM's metadata does not fit")
                    .fact("file", region.file()).fact("vm", vm).fact("slot", which).fact("found", length)
                    .fact("expected", "at most " + room)
                    .next("format the region with larger metadata slots, or give the VM fewer vCPUs and devices")
                    .build();
        }
    }

    private TomboloException refuse(RegionError code, String what, long fieldOffset, Object found, Object expected) {
        return TomboloException.error(code, what).fact("file", region.file()).fact("vm", vm).fact("slot", which)
                .fact("offset", base + fieldOffset).fact("found", found).fact("expected", expected)
                .next("tombolo region inspect " + region.file() + " metadata " + vm + " " + which).build();
    }
}

package io.tombolo.region;

import java.util.List;

/// The byte layout of format 1.0. Offsets in the code come from here, and so do the tables in docs/region-format.md (a
/// test compares them). Picture of the areas, each starting at the offset that the superblock names:
///
/// ```text
/// 0          4096          …             …               …               …              …            dataOffset (2 MiB
/// aligned)
/// +----------+-------------+-------------+---------------+---------------+--------------+------------+---------------
/// |superblock| host slots  | VM slots    | metadata      | block owners  | frame words  | (zero)     | frames, 4 KiB
/// +----------+-------------+-------------+---------------+---------------+--------------+------------+---------------
/// ```
public final class RegionLayout {
    /// "TOMBOLO" and a byte that no text has, read as a little-endian word.
    public static final long MAGIC = 0x9D4F_4C4F_424D_4F54L;
    public static final int MAJOR = 1;
    public static final int MINOR = 0;
    /// Stored last by format: the region is ready.
    public static final long READY = 0x9D21_5944_4145_5221L;
    /// "TSEGMNT" and a byte that no text has.
    public static final long SEGMENT_MAGIC = 0x9D54_4E4D_4745_5354L;
    public static final int FRAME_BYTES = 4096;
    /// The control area must be coherent in hardware between all hosts that map it: compare-and-set works across them.
    public static final long INCOMPAT_COHERENT_CONTROL = 1;
    public static final long COMPAT_KNOWN = 0;
    public static final long RO_COMPAT_KNOWN = 0;
    public static final long INCOMPAT_KNOWN = INCOMPAT_COHERENT_CONTROL;
    public static final int HOST_SLOTS_MAX = 4095;
    public static final int VM_SLOTS_MAX = 65535;
    public static final int HOST_NAME_BYTES_MAX = 63;
    public static final int VM_NAME_BYTES_MAX = 63;
    public static final int DRIVER_BYTES_MAX = 31;
    /// Places in a VM slot for owners in doubt, beside the one that it was taken from.
    public static final int OWNERS_IN_DOUBT_MAX = 15;

    static final Struct SUPERBLOCK = Struct.named("superblock", "Superblock, at offset 0 of the region file")
            .word("magic", "format", "`TOMBOLO` 0x9D")
            .int32("major", "format", "1; another major version is refused")
            .int32("minor", "format", "0; a higher minor version is read")
            .word("compat", "format", "features that an old reader may ignore")
            .word("ro_compat", "format", "features that an old reader may ignore if it only reads")
            .word("incompat", "format", "features that must be known; bit 0 COHERENT_CONTROL")
            .uuid("region_uuid", "format", "identity of this region, new at each format")
            .uuid("cluster_uuid", "format", "cluster that the region belongs to")
            .int32("superblock_bytes", "format", "4096").int32("frame_bytes", "format", "4096")
            .int32("host_slots", "format", "number of host slots, 1 to 4095")
            .int32("vm_slots", "format", "number of VM slots, 1 to 65535")
            .int32("host_slot_bytes", "format", "1024").int32("vm_slot_bytes", "format", "2048")
            .int32("metadata_slot_bytes", "format", "header and payload of one metadata slot; multiple of 4096")
            .int32("block_frames", "format", "512; frames that one block owner word covers")
            .word("frame_count", "format", "frames in the data area; multiple of 512")
            .word("file_bytes", "format", "length of the region file; multiple of 2 MiB")
            .word("host_offset", "format", "byte offset of the host slots")
            .word("vm_offset", "format", "byte offset of the VM slots")
            .word("metadata_offset", "format", "byte offset of the metadata slots")
            .word("block_offset", "format", "byte offset of the block owner words")
            .word("frame_offset", "format", "byte offset of the frame words")
            .word("data_offset", "format", "byte offset of frame 0; multiple of 2 MiB")
            .word("formatted_at_ms", "format", "wall clock at format, for people only").upTo(248)
            .int32("pad", "format", "0").int32("crc", "format", "CRC-32C of bytes 0 to 251")
            .word("ready", "format", "0 until everything else is persisted, then 0x9D21594441455221, stored last")
            .upTo(384).reserved("topology", 128, "reserved for memory targets and links, zero").upTo(4096).build(4096);

    static final Struct HOST_SLOT = Struct.named("host_slot", "Host slot, 1024 bytes each")
            .word("word", "CAS: claimant, the incarnation itself, its fencer",
                    "state 4 bits (63..60), incarnation 60 (59..0)")
            .upTo(384).word("incarnation", "claimant while CLAIMING", "incarnation this identity belongs to")
            .uuid("host_uuid", "claimant while CLAIMING", "identity of the host")
            .uuid("boot_id", "claimant while CLAIMING", "boot id of the host's kernel")
            .word("pid", "claimant while CLAIMING", "process id of the agent, on its host")
            .int32("name_bytes", "claimant while CLAIMING", "length of the name, 1 to 63")
            .bytes("name", 64, "claimant while CLAIMING", "host name, UTF-8, rest zero")
            .int32("pet_factor", "claimant while CLAIMING", "watchdog: 1 time-stamped pets, 2 plain pets, 0 unknown")
            .word("watchdog_ns", "claimant while CLAIMING", "watchdog: W")
            .word("check_ns", "claimant while CLAIMING", "watchdog: C, greatest age of a thread's check")
            .word("scan_ns", "claimant while CLAIMING", "watchdog: S, supervisor scan and scheduling")
            .word("kill_ns", "claimant while CLAIMING", "watchdog: Kr, SIGKILL until reaped")
            .int32("drift_ppm", "claimant while CLAIMING", "watchdog: rho, clock drift")
            .int32("outside_domain", "claimant while CLAIMING",
                    "watchdog: 1 if it is outside the host's stall domain, else 0")
            .reserved("watchdog_reserved", 32, "reserved for more watchdog bounds, zero")
            .int32("pad", "claimant while CLAIMING", "0")
            .int32("crc", "claimant while CLAIMING", "CRC-32C of the identity up to here, from incarnation")
            .upTo(768).reserved("mailbox", 128, "reserved for the host mailbox, zero").upTo(1024).build(1024);

    static final Struct VM_SLOT = Struct.named("vm_slot", "VM slot, 2048 bytes each")
            .word("owner", "CAS: see the transition table",
                    "state 4 bits (63..60), host slot 12 (59..48), epoch 48 (47..0)")
            .upTo(128)
            .word("armed", "owner", "intent 36 bits (63..28), target slot 12 (27..16), epoch 16 (15..0); 0 not armed")
            .upTo(256).word("spin", "armed target", "same form as armed; equal to it while the target spins")
            .word("echo", "armed target", "nonce of the intent it is armed for: it maps the same memory")
            .word("beat", "armed target", "counts up while its thread spins: it is on a core")
            .upTo(384).word("from", "owner, before it offers",
                    "host slot 12 bits (59..48), epoch 48 (47..0); right to take back")
            .upTo(512).word("gate", "CAS: threads of the owner",
                    "closed 1 bit (63), pages copied 1 bit (62; only if closed), operations in flight 32 bits (31..0), "
                            + "at most 1023")
            .upTo(640).word("commit", "CAS: owner; takeover, which seals it",
                    "protected 1 bit (63), metadata slot 1 (62), owner epoch 22 (61..40), interval 40 (39..0); 0 not "
                            + "protected")
            .upTo(704).word("log_first_frame", "owner, while commit is 0", "first frame of the pre-image log's run")
            .int32("log_frames", "owner, while commit is 0", "frames in the log's run; 0 none")
            .int32("checkpoint_us", "owner, while commit is 0", "how often the owner commits, in microseconds")
            .int32("log_pad", "owner, while commit is 0", "0")
            .int32("log_crc", "owner, while commit is 0", "CRC-32C of bytes 704 to 723; 0 if there is no log")
            .upTo(768).word("taken_from", "CAS: who takes the VM over",
                    "owner that it was taken from: host slot 12 bits (63..52), incarnation 36 (51..16), epoch of the "
                            + "takeover 16 (15..0); incarnation 0: nobody is in doubt")
            .bytes("owners_in_doubt", 8 * OWNERS_IN_DOUBT_MAX, "CAS: who takes the VM over",
                    "15 x earlier owners in doubt, in the form of taken_from; 0 not in use")
            .word("local_pages", "CAS: threads of the owner", "pages in the owner's local tier, or more")
            .upTo(1024).word("pins", "owner", "places of pin_ranges in use, or more after a death")
            .upTo(1280).uuid("uuid", "creator while CREATING, destroyer", "identity of the VM")
            .word("created_epoch", "creator while CREATING, destroyer", "epoch of the CREATING owner word")
            .word("memory_bytes", "creator while CREATING, destroyer", "guest memory, multiple of page_bytes")
            .int32("page_bytes", "creator while CREATING, destroyer", "4096 or 2097152")
            .int32("vcpus", "creator while CREATING, destroyer", "number of virtual CPUs")
            .int32("backing", "creator while CREATING, destroyer", "1 frames, 2 segment file")
            .int32("table_frames", "creator while CREATING, destroyer",
                    "frames in the page table's run; 0 for a segment")
            .word("table_first_frame", "creator while CREATING, destroyer", "first frame of the page table's run")
            .uuid("segment_uuid", "creator while CREATING, destroyer", "segment file; zero for frames")
            .int32("name_bytes", "creator while CREATING, destroyer", "length of the name, 1 to 63")
            .int32("driver_bytes", "creator while CREATING, destroyer", "length of the driver's name, 1 to 31")
            .bytes("name", 64, "creator while CREATING, destroyer", "VM name, UTF-8, rest zero")
            .bytes("driver", 32, "creator while CREATING, destroyer", "hypervisor driver, UTF-8, rest zero")
            .reserved("identity_reserved", 48, "reserved, zero").int32("pad", "creator while CREATING, destroyer", "0")
            .int32("crc", "creator while CREATING, destroyer", "CRC-32C of the identity up to here, from uuid")
            .upTo(1536)
            .bytes("pin_ranges", VmPins.RANGES_MAX * VmPins.PLACE_BYTES, "owner",
                    "32 x {range: first page 32 bits (63..32), pages 32 (31..0); pin: CRC-32C of range and count 32 "
                            + "(63..32), count 32 (31..0)}; pin 0: not in use")
            .build(2048);

    static final Struct METADATA_HEADER = Struct
            .named("metadata_header", "Header of a metadata slot; the payload follows")
            .word("epoch", "owner", "epoch of the owner word under which it was published")
            .word("interval", "owner", "checkpoint interval; 0 if the VM is not protected")
            .uuid("vm_uuid", "owner", "VM it belongs to").int32("length", "owner", "payload bytes")
            .int32("schema", "owner", "number of the payload's encoding")
            .int32("payload_crc", "owner", "CRC-32C of the payload")
            .int32("flags", "owner", "bit 0: the VM is paused; others 0")
            .word("log_head", "owner", "entries ever written to the pre-image log; 0 if the VM is not protected")
            .int32("log_spare", "owner", "how many of the last entries name a spare pre-image")
            .int32("crc", "owner", "CRC-32C of bytes 0 to 59").build(64);

    static final Struct SEGMENT_TRAILER = Struct
            .named("segment_trailer", "Trailer page of a segment file, at the guest's size")
            .word("magic", "creator", "`TSEGMNT` 0x9D").int32("major", "creator", "1").int32("minor", "creator", "0")
            .uuid("region_uuid", "creator", "region that the segment belongs to")
            .uuid("segment_uuid", "creator", "identity of the segment; also its file name")
            .uuid("vm_uuid", "creator", "VM that the segment was made for")
            .word("guest_bytes", "creator", "length of the file without the trailer").int32("pad", "creator", "0")
            .int32("crc", "creator", "CRC-32C of bytes 0 to 75").upTo(4096).build(4096);

    static final Struct BLOCK_OWNER = Struct.named("block_owner", "Block owner word, one per 512 frames")
            .word("owner", "CAS: any host, owner of the VM, recovery",
                    "state 4 bits (63..60); OWNED: host slot 12 (59..48), incarnation 48 (47..0); LARGE: host slot 12 "
                            + "(59..48; 0 unless RESERVED), VM slot 16 (47..32), page 32 (31..0)")
            .build(8);

    static final Struct FRAME_WORD = Struct.named("frame_word", "Frame word, one per frame")
            .word("frame", "CAS: owner of the block, owner of the VM, recovery",
                    "state 4 bits (63..60), host slot 12 (59..48; 0 unless RESERVED), VM slot 16 (47..32), page 32 (31..0)")
            .build(8);

    static final Struct LOG_ENTRY = Struct
            .named("log_entry", "Entry of a VM's pre-image log, 128 per frame of its run")
            .word("interval", "owner", "interval in which it was written; 0: it only names a spare pre-image")
            .word("old", "owner", "frame with the contents of before")
            .word("fresh", "owner", "frame that the page was written in; the same as old in interval 0")
            .int32("page", "owner", "page, unsigned").int32("crc", "owner", "CRC-32C of bytes 0 to 27").build(32);

    static final Struct PTE = Struct.named("page_table_entry", "Page table entry, one per guest page, in TABLE frames")
            .word("entry", "CAS: owner of the VM",
                    "state 4 bits (63..60), tier 4 (59..56), frame 36 (55..20), change tag 16 (19..4), flags 4 (3..0)")
            .build(8);

    private static final List<Struct> ALL = List.of(SUPERBLOCK, HOST_SLOT, VM_SLOT, METADATA_HEADER, BLOCK_OWNER,
            FRAME_WORD, PTE, LOG_ENTRY, SEGMENT_TRAILER);

    /// One row of the table.
    public record Row(String structure, String field, long offset, long bytes, String type, String writer,
            String meaning) {
    }

    private RegionLayout() {
    }

    public static List<Struct> structures() {
        return ALL;
    }

    /// All fields of all structures in order; what `region layout` prints.
    public static List<Row> rows() {
        return ALL.stream().flatMap(struct -> struct.fields().stream().map(field -> new Row(struct.name(), field.name(),
                field.offset(), field.bytes(), field.type(), field.writer(), field.meaning()))).toList();
    }

    /// The byte table of one structure in Markdown, as docs/region-format.md quotes it.
    public static String markdown(Struct struct) {
        StringBuilder text = new StringBuilder("| offset | bytes | field | type | writer | meaning |\n");
        text.append("|---:|---:|---|---|---|---|\n");
        for (Struct.Field field : struct.fields()) {
            text.append("| ").append(field.offset()).append(" | ").append(field.bytes()).append(" | ")
                    .append(field.name())
                    .append(" | ").append(field.type()).append(" | ").append(field.writer()).append(" | ")
                    .append(field.meaning()).append(" |\n");
        }
        return text.toString();
    }
}

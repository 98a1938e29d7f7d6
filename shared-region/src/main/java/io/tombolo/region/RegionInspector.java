package io.tombolo.region;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/// Decodes any structure of a region for people and programs. Reads only, and never refuses damaged contents: what
/// cannot be decoded is shown raw and named in `problem`.
public final class RegionInspector {
    /// One decoded structure: `title` names it, `offset` is in the region file, `fields` are in the order of the
    /// format, `problem` is empty if it looks sound by itself (verify compares structures with each other).
    public record Decoded(String title, long offset, Map<String, String> fields, String problem) {
        /// `title at offset`, then one line per field.
        public String text() {
            StringBuilder text = new StringBuilder(title).append(" at ").append(offset).append('\n');
            fields.forEach((name, value) -> text.append("  ").append(name).append(": ").append(value).append('\n'));
            return problem.isEmpty()
                    ? text.toString()
                    : text.append("  problem: ").append(problem).append('\n').toString();
        }
    }

    private final Region region;
    private final Memory memory;

    private RegionInspector(Region region) {
        this.region = region;
        this.memory = region.memory();
    }

    public static RegionInspector of(Region region) {
        return new RegionInspector(region);
    }

    public Decoded superblock() {
        FieldBuffer raw = new FieldBuffer(RegionLayout.SUPERBLOCK).load(memory, 0, 0, RegionLayout.SUPERBLOCK.bytes());
        Map<String, String> fields = fields(RegionLayout.SUPERBLOCK, raw);
        fields.put("features", region.superblock().features());
        return new Decoded("superblock", 0, fields, crcProblem(raw, "magic"));
    }

    public Decoded host(int slot) {
        HostSlot host = region.host(slot);
        FieldBuffer raw = host.load();
        Map<String, String> fields = fields(RegionLayout.HOST_SLOT, raw);
        long word = raw.word("word");
        fields.put("word", SlotWord.describe(word));
        text(fields, raw, "name", "name_bytes");
        boolean identity = SlotWord.state(word) != HostState.FREE && SlotWord.state(word) != HostState.CLAIMING;
        return new Decoded("host_slot " + slot, host.base(), fields, identity ? crcProblem(raw, "incarnation") : "");
    }

    public Decoded vm(int slot) {
        VmSlot vm = region.vm(slot);
        FieldBuffer raw = vm.load();
        Map<String, String> fields = fields(RegionLayout.VM_SLOT, raw);
        long owner = raw.word("owner");
        fields.put("owner", OwnerWord.describe(owner));
        fields.put("armed", ArmedWord.describe(raw.word("armed")));
        fields.put("spin", ArmedWord.describe(raw.word("spin")));
        fields.put("from", FromWord.describe(raw.word("from")));
        fields.put("gate", VmGate.describe(raw.word("gate")));
        fields.put("commit", CommitWord.describe(raw.word("commit")));
        fields.put("taken_from", DoubtWord.describe(raw.word("taken_from")));
        fields.put("owners_in_doubt", OwnersInDoubt.describe(vm));
        fields.put("pin_ranges", vm.pins().list().stream()
                .map(pin -> pin.first() + " to " + (pin.first() + pin.count() - 1) + " x " + pin.pins())
                .collect(Collectors.joining(", ")));
        Backing backing = Backing.ofCode(raw.int32("backing"));
        fields.put("backing", backing == null ? "none" : backing.name());
        text(fields, raw, "name", "name_bytes");
        text(fields, raw, "driver", "driver_bytes");
        boolean identity = !OwnerWord.is(owner, OwnerState.FREE) && !OwnerWord.is(owner, OwnerState.CREATING);
        return new Decoded("vm_slot " + slot, vm.base(), fields, identity ? crcProblem(raw, "uuid") : "");
    }

    public Decoded metadata(int vm, int which) {
        MetadataSlot slot = region.vm(vm).metadata(which);
        FieldBuffer raw = new FieldBuffer(RegionLayout.METADATA_HEADER).load(memory, slot.base(), 0,
                RegionLayout.METADATA_HEADER.bytes());
        String problem = slot.isEmpty() ? "never published" : crcProblem(raw, "epoch");
        if (problem.isEmpty()) {
            try {
                slot.readChecked(raw.uuid("vm_uuid"), MemorySegment.ofArray(new byte[slot.capacity()]));
            } catch (TomboloException e) {
                problem = e.getMessage();
            }
        }
        return new Decoded("metadata " + vm + " " + which, slot.base(), fields(RegionLayout.METADATA_HEADER, raw),
                problem);
    }

    public Decoded block(long block) {
        check(block, region.superblock().blockCount(), "block");
        long at = region.blockOffset(block);
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("owner", BlockWord.describe(memory.loadAcquire(at)));
        fields.put("frames", block * BlockWord.FRAMES + " to " + ((block + 1) * BlockWord.FRAMES - 1));
        return new Decoded("block_owner " + block, at, fields, "");
    }

    public Decoded frame(long frame) {
        check(frame, region.superblock().frameCount(), "frame");
        long at = region.frameWordOffset(frame);
        long word = memory.loadAcquire(at);
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("frame", FrameWord.describe(word));
        fields.put("block", Long.toString(frame / BlockWord.FRAMES));
        long block = memory.loadAcquire(region.blockOffset(frame / BlockWord.FRAMES));
        if (BlockWord.isLarge(block)) {
            fields.put("inside", BlockWord.describe(block));
        }
        fields.put("data_offset", Long.toString(region.frameDataOffset(frame)));
        return new Decoded("frame_word " + frame, at, fields, FrameWord.state(word) == null ? "illegal state" : "");
    }

    public Decoded pte(int vm, long page) {
        VmIdentity identity = region.vm(vm).readIdentity();
        if (identity.tableFrames() == 0) {
            return new Decoded("page_table_entry vm " + vm + " page " + page, 0, Map.of(), "the VM has no page table");
        }
        check(page, identity.pages(), "page");
        long at = region.frameDataOffset(identity.tableFirstFrame()) + page * 8;
        long entry = memory.loadAcquire(at);
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("entry", PageTableEntry.describe(entry));
        long frame = PageTableEntry.frame(entry);
        if (PageTableEntry.state(entry) != PteState.ABSENT && PageTableEntry.tier(entry) == Tier.SHARED
                && frame < region.superblock().frameCount()) {
            long word = memory.loadAcquire(region.wordOffset(identity.pageSize(), frame));
            fields.put(identity.pageSize() == PageSize.SMALL ? "frame_word" : "block_word",
                    identity.pageSize() == PageSize.SMALL ? FrameWord.describe(word) : BlockWord.describe(word));
        }
        boolean legal = PageTableEntry.state(entry) != null && PageTableEntry.tier(entry) != null;
        return new Decoded("page_table_entry vm " + vm + " page " + page, at, fields,
                legal ? "" : "illegal state or tier");
    }

    /// Every field as it is stored; reserved fields only if they are not zero.
    private static Map<String, String> fields(Struct struct, FieldBuffer raw) {
        Map<String, String> fields = new LinkedHashMap<>();
        for (Struct.Field field : struct.fields()) {
            switch (field.type()) {
                case "u64" -> fields.put(field.name(), Long.toUnsignedString(raw.word(field.name())));
                case "u32" -> fields.put(field.name(), field.name().contains("crc")
                        ? SuperblockReader.hex(raw.int32(field.name()))
                        : Integer.toUnsignedString(raw.int32(field.name())));
                case "uuid" -> fields.put(field.name(), raw.uuid(field.name()).toString());
                case "bytes" -> fields.put(field.name(), "");
                default -> {
                    if (!raw.allZero(field.offset(), field.offset() + field.bytes())) {
                        fields.put(field.name(), "NOT ZERO");
                    }
                }
            }
        }
        return fields;
    }

    private static void text(Map<String, String> fields, FieldBuffer raw, String field, String lengthField) {
        String text = raw.text(field, lengthField);
        fields.put(field, text == null ? "" : text);
    }

    private static String crcProblem(FieldBuffer raw, String first) {
        return raw.crcMatches(first)
                ? ""
                : "crc is " + SuperblockReader.hex(raw.int32("crc")) + ", of the contents "
                        + SuperblockReader.hex(raw.crc(first));
    }

    private static void check(long index, long count, String kind) {
        if (index < 0 || index >= count) {
            throw new IndexOutOfBoundsException(kind + " " + index + " is not below " + count);
        }
    }
}

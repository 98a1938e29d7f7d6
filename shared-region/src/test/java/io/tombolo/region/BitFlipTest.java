package io.tombolo.region;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.LongFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Flips every bit of every field of every kind of structure, one bit of every word of reserve, and asks verify. A bit
/// that verify does not see must be in the list of those that it cannot see, and the other way round.
class BitFlipTest {
    private static final long SEED = Long.getLong("tombolo.seed", 20260101L);
    private static final long MIB = 1 << 20;

    @TempDir
    Path directory;
    private Region region;
    private VmSlot offered;
    private VmSlot inSegment;
    private long reservedFrame;
    private final Random random = new Random(SEED);

    @BeforeEach
    void build() {
        region = TestRegions.format(directory.resolve("region"), 8 * MIB);
        ClaimedSlot a = HostSlots.claim(region, TestRegions.host("a"));
        ClaimedSlot b = HostSlots.claim(region, TestRegions.host("b"));
        TestRegions.runningVm(region, a, "running", 5).pins().pin(1, 2);
        moveToLocal(region.vm(0), 4);
        offered = TestRegions.runningVm(region, a, "offered", 5);
        offered.metadata(0).publish(1, 0, 100, 1, offered.readIdentity().uuid());
        swap(offered, OwnerWord.pack(OwnerState.OFFERED, b.slot(), 2));
        inSegment = VmSlots.claim(region, a.slot());
        UUID segment = UUID.randomUUID();
        region.segments().create(segment, new UUID(2, 9), 2 * 4096);
        VmMemory.populate(region, region.allocator(a.slot()), inSegment,
                VmIdentity.segment(new UUID(2, 9), "segment", 2 * 4096, 1, "qemu", segment));
        swap(inSegment, OwnerWord.pack(OwnerState.RUNNING, a.slot(), 1));
        reservedFrame = TestRegions.reserve(region.allocator(a.slot()), PageSize.SMALL, inSegment.index(), 7);
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
    }

    /// Without the copy.
    private void moveToLocal(VmSlot vm, long page) {
        FrameAllocator allocator = region.allocator(0);
        long[] pages = {page};
        long entry = vm.pageTable().entryAcquire(page);
        long[] frame = {PageTableEntry.frame(entry)};
        vm.addLocalPages(1);
        allocator.retire(PageSize.SMALL, vm.index(), pages, frame, 1, new boolean[1]);
        assertThat(vm.pageTable().compareAndSet(page, entry,
                PageTableEntry.pack(PteState.PRESENT, Tier.LOCAL, 77, 2, 0))).isTrue();
        allocator.release(PageSize.SMALL, vm.index(), pages, frame, 1);
        allocator.trim();
    }

    @AfterEach
    void close() {
        region.close();
    }

    @Test
    void findsFlipsInTheSuperblock() {
        flipStruct(RegionLayout.SUPERBLOCK, 0, "superblock", (_, _) -> true);
    }

    @Test
    void findsFlipsInALiveHostSlot() {
        flipStruct(RegionLayout.HOST_SLOT, region.host(0).base(), "host_slot 0", (field, bit) -> switch (field) {
            // LIVE into FENCING or FAILED is what fencing does.
            case "word" -> bit != 60 && bit != 62;
            default -> true;
        });
    }

    @Test
    void findsFlipsInTheSlotOfARunningVm() {
        flipStruct(RegionLayout.VM_SLOT, region.vm(0).base(), "vm_slot 0", (field, bit) -> switch (field) {
            // The gate of a running VM: closed, or operations in flight.
            case "gate" -> bit >= 10 && bit != 63;
            // RUNNING into PAUSED, host 0 into host 1, and a later epoch are legal words.
            case "owner" -> bit == 0 || (bit >= 49 && bit != 62);
            default -> vmWordSeen(field, bit);
        });
    }

    @Test
    void findsFlipsInTheSlotOfAnOfferedVm() {
        flipStruct(RegionLayout.VM_SLOT, offered.base(), "vm_slot 1", (field, bit) -> switch (field) {
            // Closed is what the gate of an offered VM is.
            case "gate" -> bit != 63;
            // OFFERED into RUNNING, CREATING, DESTROYING; host 1 into host 0; another epoch not below that of the blob.
            case "owner" -> bit == 1 || (bit >= 49 && bit <= 59) || bit == 63;
            default -> vmWordSeen(field, bit);
        });
    }

    @Test
    void findsFlipsInFreeSlots() {
        flipStruct(RegionLayout.VM_SLOT, region.vm(3).base(), "vm_slot 3",
                // FREE at another epoch, and FREE into CREATING by host 0, are legal.
                (field, bit) -> switch (field) {
                    case "owner" -> bit >= 48 && bit != 60;
                    // Words of the armed target, which is not the owner and may be late.
                    case "spin", "echo", "beat" -> false;
                    default -> true;
                });
        flipStruct(RegionLayout.HOST_SLOT, region.host(3).base(), "host_slot 3", (field, bit) -> switch (field) {
            case "word" -> bit >= 48 && (bit < 60 || bit == 61 || bit == 63);
            default -> true;
        });
    }

    private static boolean vmWordSeen(String field, int bit) {
        return switch (field) {
            case "armed", "spin" -> bit < 28;
            case "from" -> bit >= 50;
            case "echo", "beat" -> false;
            // Whom the VM was taken from last means nothing while it runs; only a host that cannot be is seen.
            case "taken_from" -> bit >= 54;
            // An incarnation of host 0, which is there.
            case "owners_in_doubt" -> bit < 16 || bit >= 52;
            default -> true;
        };
    }

    @Test
    void findsFlipsInAProtectedVm() {
        VmSlot vm = region.vm(0);
        moveBack(vm, 4);
        PageCheckpoint checkpoint = Protection.start(region, region.allocator(0), vm, 5_000);
        assertThat(checkpoint.commit(1, 100, 1, false)).isTrue();
        swap(vm, OwnerWord.pack(OwnerState.RUNNING, 0, 2));
        long entry = vm.pageTable().entryAcquire(2);
        long old = PageTableEntry.frame(entry);
        assertThat(PageTableEntry.isPresentShared(checkpoint.firstWrite(2, entry))).isTrue();
        assertThat(checkpoint.commit(2, 100, 1, false)).isTrue();
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
        flipStruct(RegionLayout.VM_SLOT, vm.base(), "(vm_slot 0|metadata 0|frame_word)",
                (field, bit) -> switch (field) {
                    case "gate" -> bit >= 10 && bit != 63;
                    // RUNNING into PAUSED or OFFERED, a later epoch, another host.
                    case "owner" -> bit == 1 || (bit >= 49 && bit != 60 && bit != 62);
                    // A later interval, another epoch, and the slot with the state of before are legal.
                    case "commit" -> bit == 1 || bit == 63;
                    default -> vmWordSeen(field, bit);
                });
        flipWord(region.frameWordOffset(old), "frame_word " + old, _ -> true, 64);
        long log = region.frameDataOffset(vm.logPlaceOrNull().firstFrame());
        for (long at = log; at < log + RegionLayout.LOG_ENTRY.bytes(); at += 8) {
            flip(region.memory(), at, 64, new Place("frame_word " + old, 0, Long.MAX_VALUE), _ -> true);
        }
        flipWord(region.frameWordOffset(vm.logPlaceOrNull().firstFrame()),
                "frame_word " + vm.logPlaceOrNull().firstFrame(), _ -> true, 64);
    }

    private void moveBack(VmSlot vm, long page) {
        FrameAllocator allocator = region.allocator(0);
        long[] pages = {page};
        long[] frame = new long[1];
        assertThat(allocator.reserve(PageSize.SMALL, vm.index(), pages, 1, frame)).isEqualTo(1);
        long entry = vm.pageTable().entryAcquire(page);
        assertThat(vm.pageTable().compareAndSet(page, entry, PageTableEntry.moved(entry, Tier.SHARED, frame[0])))
                .isTrue();
        allocator.settle(PageSize.SMALL, vm.index(), pages, frame, 1);
        vm.addLocalPages(-1);
        allocator.trim();
    }

    @Test
    void findsFlipsInTheMetadataOfAnOfferedVm() {
        MetadataSlot slot = offered.metadata(0);
        flipStruct(RegionLayout.METADATA_HEADER, slot.base(), "metadata 1( 0)?", (_, _) -> true);
        flipStruct(RegionLayout.METADATA_HEADER, offered.metadata(1).base(), "metadata 1 1", (_, _) -> true);
        for (long at = slot.base() + 64; at + 8 <= slot.base() + 64 + 100; at += 8) {
            flip(region.memory(), at, 64, new Place("metadata 1 0", slot.base(), slot.base() + 64), _ -> true);
        }
    }

    @Test
    void findsFlipsInBlockOwnersAndFrameWordsAndEntries() {
        long entry = region.vm(0).pageTable().entryAcquire(2);
        long usedFrame = PageTableEntry.frame(entry);
        long tableFrame = region.vm(0).readIdentity().tableFirstFrame();
        long freeFrame = 100;
        assertThat(region.memory().load(region.frameWordOffset(freeFrame))).isEqualTo(FrameWord.FREE);
        assertThat(reservedFrame).isGreaterThanOrEqualTo(512);
        flipWord(region.blockOffset(0), "block_owner 0", _ -> true, 64);
        long reservedBlock = reservedFrame / BlockWord.FRAMES;
        flip(region.memory(), region.blockOffset(reservedBlock), 64,
                new Place("(block_owner " + reservedBlock + "|frame_word " + reservedFrame + ")", 0, Long.MAX_VALUE),
                _ -> true);
        flipWord(region.frameWordOffset(usedFrame), "frame_word " + usedFrame, _ -> true, 64);
        flipWord(region.frameWordOffset(tableFrame), "frame_word " + tableFrame, _ -> true, 64);
        flipWord(region.frameWordOffset(freeFrame), "frame_word " + freeFrame, _ -> true, 64);
        // For which page a live host reserves a frame is known to nobody else.
        flipWord(region.frameWordOffset(reservedFrame), "frame_word " + reservedFrame, bit -> bit >= 34, 64);
        long at = region.frameDataOffset(tableFrame) + 2 * 8;
        // Tag and flags have no redundancy; LOCAL leaves the frame unnamed.
        flip(region.memory(), at, 64,
                new Place("(page_table_entry vm 0 page 2|frame_word " + usedFrame + ")", 0, Long.MAX_VALUE),
                bit -> bit >= 20);
        // The frame of a local page means nothing here.
        long local = region.frameDataOffset(tableFrame) + 4 * 8;
        flip(region.memory(), local, 64, new Place("(page_table_entry vm 0 page 4|vm_slot 0)", 0, Long.MAX_VALUE),
                bit -> bit >= 56);
        flipWord(region.frameDataOffset(tableFrame) + 5 * 8, "page_table_entry vm 0 beyond its pages", _ -> true, 64);
    }

    @Test
    void findsFlipsInBlocksOfLargePages() {
        VmSlot vm = VmSlots.claim(region, 0);
        VmIdentity identity = VmMemory.populate(region, region.allocator(0), vm,
                VmIdentity.frames(new UUID(2, 7), "large", 2 * MIB, PageSize.LARGE, 1, "simulated"));
        swap(vm, OwnerWord.pack(OwnerState.RUNNING, 0, 1));
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
        long entry = vm.pageTable().entryAcquire(0);
        long frame = PageTableEntry.frame(entry);
        long block = frame / BlockWord.FRAMES;
        flip(region.memory(), region.blockOffset(block), 64,
                new Place("(block_owner " + block + "|page_table_entry vm 3 page 0)", 0, Long.MAX_VALUE), _ -> true);
        flipWord(region.frameWordOffset(frame + 3), "frame_word " + (frame + 3), _ -> true, 64);
        flip(region.memory(), region.frameDataOffset(identity.tableFirstFrame()), 64,
                new Place("(page_table_entry vm 3 page 0|block_owner " + block + "|vm_slot 3)", 0, Long.MAX_VALUE),
                bit -> bit >= 20);
        // A free block: reserved whole by host 0 for VM 0, which has small pages.
        long free = 0;
        while (region.memory().load(region.blockOffset(free)) != BlockWord.FREE) {
            free++;
        }
        flipWord(region.blockOffset(free), "block_owner " + free, _ -> true, 64);
    }

    @Test
    void findsFlipsInASegmentTrailer() throws IOException {
        UUID uuid = inSegment.readIdentity().segmentUuid();
        Path path = region.segments().path(uuid);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
                Arena arena = Arena.ofConfined()) {
            MappedMemory file = new MappedMemory(channel.map(MapMode.READ_WRITE, 0, channel.size(), arena), path);
            for (long at = 2 * 4096; at < 3 * 4096; at += 8) {
                flip(file, at, at < 2 * 4096 + 80 ? 64 : 1, new Place("segment " + uuid, 2 * 4096, 3 * 4096),
                        _ -> true);
            }
        }
    }

    @Test
    void findsBytesInTheGapsBetweenAreas() {
        Superblock superblock = region.superblock();
        flipWord(superblock.blockOffset() + superblock.blockCount() * 8, "gap after block owners", _ -> true, 4);
        flipWord(superblock.dataOffset() - 8, "gap after frame words", _ -> true, 4);
    }

    private interface Seen {
        boolean test(String field, int bit);
    }

    private void flipStruct(Struct struct, long base, String structure, Seen seen) {
        for (Struct.Field field : struct.fields()) {
            for (long at = field.offset() & -8; at < field.offset() + field.bytes(); at += 8) {
                long first = at;
                // A state word can be sound by itself and wrong because of what names the slot, or of what the state
                // requires.
                String related = List.of("word", "owner", "commit").contains(field.name())
                        ? "vm_slot \\d owner|metadata \\d( \\d)?"
                        : "nothing else";
                flip(region.memory(), base + at, field.reserved() ? 1 : 64,
                        new Place(structure, base, base + struct.bytes(), related),
                        bit -> seen.test(fieldAt(struct, first + bit / 8), (int) bit));
            }
        }
    }

    private static String fieldAt(Struct struct, long offset) {
        return struct.fields().stream().filter(f -> offset >= f.offset() && offset < f.offset() + f.bytes()).findFirst()
                .orElseThrow().name();
    }

    private void flipWord(long at, String structure, LongFunction<Boolean> seen, int bits) {
        flip(region.memory(), at, bits, new Place(structure, at, at + 8), seen);
    }

    /// Where a finding must point: structures that start so, at an offset in the range.
    private record Place(String structures, long from, long to, String related) {
        Place(String structures, long from, long to) {
            this(structures, from, to, "nothing else");
        }

        boolean isNamedBy(Finding finding) {
            boolean inside = finding.offset() >= from && finding.offset() < to;
            return (inside && finding.structure().matches(structures + "($| .*)"))
                    || finding.structure().matches(related);
        }
    }

    private void flip(Memory memory, long at, int bits, Place place, LongFunction<Boolean> seen) {
        List<String> wrong = new ArrayList<>();
        for (int i = 0; i < bits; i++) {
            int bit = bits == 64 ? i : random.nextInt(64);
            long before = memory.load(at);
            memory.store(at, before ^ 1L << bit);
            List<Finding> findings = RegionVerifier.verify(region).findings();
            memory.store(at, before);
            boolean expected = seen.apply(bit);
            if (expected ? findings.stream().noneMatch(place::isNamedBy) : !findings.isEmpty()) {
                wrong.add("bit " + bit + (expected ? " not seen: " : " seen: ") + findings);
            }
        }
        assertThat(wrong.stream().limit(3)).as("%d bits of %s at offset %d, seed %d", wrong.size(), place, at, SEED)
                .isEmpty();
    }

    private void swap(VmSlot vm, long next) {
        assertThat(vm.compareAndSetOwner(vm.ownerAcquire(), next)).isTrue();
    }
}

package io.tombolo.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BadRegionTest {
    private static final long MIB = 1 << 20;

    @TempDir
    Path directory;
    private Path file;

    @BeforeEach
    void name() {
        file = directory.resolve("region");
    }

    @Test
    void refusesAMissingRegion() {
        assertRefused(RegionError.REGION_MISSING);
    }

    @Test
    void refusesAFileShorterThanASuperblock() throws IOException {
        Files.write(file, new byte[100]);
        assertRefused(RegionError.REGION_TOO_SMALL);
    }

    @Test
    void refusesATruncatedRegion() throws IOException {
        format();
        truncate(1 * MIB);
        TomboloException refused = assertRefused(RegionError.REGION_TRUNCATED);
        assertThat(refused.facts()).containsEntry("found", Long.toString(MIB)).containsKeys("file", "offset",
                "expected");
        assertThat(refused.next()).isNotEmpty();
    }

    @Test
    void refusesARegionThatGrew() throws IOException {
        format();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[1]), channel.size());
        }
        assertRefused(RegionError.REGION_SIZE_MISMATCH);
    }

    @Test
    void refusesAFileThatIsNotARegion() throws IOException {
        Files.write(file, new byte[8192]);
        assertRefused(RegionError.REGION_NOT_A_REGION);
    }

    @Test
    void refusesANewerMajorVersion() throws IOException {
        format();
        patch("major", 2, 4);
        assertRefused(RegionError.REGION_VERSION_UNKNOWN);
    }

    @Test
    void readsANewerMinorVersion() throws IOException {
        format();
        patch("minor", 7, 4);
        sealSuperblock();
        try (Region region = Region.open(file, OpenOptions.inspect())) {
            assertThat(region.superblock().minor()).isEqualTo(7);
        }
    }

    @Test
    void refusesAnUnknownIncompatibleFeature() throws IOException {
        format();
        patch("incompat", 1 | 1L << 9, 8);
        sealSuperblock();
        TomboloException refused = assertRefused(RegionError.REGION_FEATURE_UNKNOWN);
        assertThat(refused.facts()).containsEntry("found", "0x201").containsEntry("expected", "0x1");
    }

    @Test
    void refusesAControlAreaThatIsNotCoherent() throws IOException {
        format();
        patch("incompat", 0, 8);
        sealSuperblock();
        TomboloException refused = assertRefused(RegionError.REGION_FEATURE_UNKNOWN);
        assertThat(refused.facts()).containsEntry("found", "0x0").containsEntry("expected", "0x1");
    }

    @Test
    void opensAReadOnlyCompatibleFeatureForReadingOnly() throws IOException {
        format();
        patch("ro_compat", 4, 8);
        patch("compat", 4, 8);
        sealSuperblock();
        assertRefused(RegionError.REGION_FEATURE_UNKNOWN);
        Region.open(file, OpenOptions.inspect()).close();
    }

    @Test
    void refusesTheRegionOfAnotherCluster() {
        format();
        UUID other = UUID.randomUUID();
        TomboloException refused = catchThrowableOfType(TomboloException.class,
                () -> Region.open(file, OpenOptions.ofCluster(other)));
        assertThat(refused.code()).isEqualTo(RegionError.REGION_OTHER_CLUSTER);
        assertThat(refused.facts()).containsEntry("found", TestRegions.CLUSTER.toString()).containsEntry("expected",
                other.toString());
    }

    @Test
    void refusesARegionWhoseFormatNeverEnded() throws IOException {
        format();
        patch("ready", 0, 8);
        assertRefused(RegionError.REGION_NOT_READY);
    }

    @Test
    void refusesASoundChecksumOverAnImpossibleGeometry() throws IOException {
        format();
        patch("frame_count", 513, 8);
        sealSuperblock();
        assertRefused(RegionError.REGION_SUPERBLOCK_DAMAGED);
    }

    @Test
    void doesNotFormatOverARegionUnlessForced() throws IOException {
        format();
        byte[] before = Files.readAllBytes(file);
        assertThatThrownBy(this::format).isInstanceOf(TomboloException.class).hasMessageStartingWith("REGION_EXISTS");
        assertThat(Files.readAllBytes(file)).isEqualTo(before);
        Region.format(file, TestRegions.options(2 * MIB).withForce(true));
        assertThat(Files.readAllBytes(file)).isNotEqualTo(before);
        assertOnlyFile();
    }

    @Test
    void doesNotFormatOverSomebodyElsesFileUnlessForced() throws IOException {
        Files.writeString(file, "precious");
        assertThatThrownBy(this::format).isInstanceOf(TomboloException.class)
                .hasMessageStartingWith("REGION_FILE_NOT_EMPTY");
        assertThat(file).hasContent("precious");
        assertOnlyFile();
    }

    @Test
    void formatsOverAnEmptyFile() throws IOException {
        Files.createFile(file);
        format();
        Region.open(file, OpenOptions.inspect()).close();
        assertOnlyFile();
    }

    @Test
    void takesOverWhatAKilledFormatLeft() throws IOException {
        Files.write(directory.resolve("region.formatting"), new byte[12345]);
        format();
        Region.open(file, OpenOptions.inspect()).close();
        assertOnlyFile();
    }

    @Test
    void refusesASecondFormatOfTheSameFile() throws IOException {
        try (FileChannel channel = FileChannel.open(directory.resolve("region.formatting"), StandardOpenOption.WRITE,
                StandardOpenOption.CREATE); var _ = channel.lock()) {
            assertThatThrownBy(this::format).isInstanceOf(TomboloException.class)
                    .hasMessageStartingWith("REGION_FORMAT_BUSY");
        }
    }

    @Test
    void refusesAFileSystemWithoutRoomAndLeavesNothingBehind() throws IOException {
        long tooMuch = Files.getFileStore(directory).getUsableSpace() + (1L << 30);
        assertThatThrownBy(() -> Region.format(file, TestRegions.options(tooMuch))).isInstanceOf(TomboloException.class)
                .hasMessageStartingWith("REGION_NO_ROOM").hasMessageContaining("Next: make room");
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void refusesOptionsOutOfRange() {
        FormatOptions options = TestRegions.options(2 * MIB);
        assertThatThrownBy(() -> options.withHostSlots(4096)).hasMessageStartingWith("REGION_OPTIONS_INVALID");
        assertThatThrownBy(() -> options.withVmSlots(65536)).hasMessageStartingWith("REGION_OPTIONS_INVALID");
        assertThatThrownBy(() -> options.withMetadataSlotBytes(5000)).hasMessageStartingWith("REGION_OPTIONS_INVALID");
    }

    @Test
    void refusesAVmLargerThanTheFreeFramesAndGivesEverythingBack() {
        format();
        try (Region region = Region.open(file, OpenOptions.readWrite())) {
            ClaimedSlot host = HostSlots.claim(region, TestRegions.host("a"));
            VmSlot vm = VmSlots.claim(region, host.slot());
            FrameAllocator allocator = region.allocator(host.slot());
            long free = allocator.freeFrames();
            TomboloException refused = catchThrowableOfType(TomboloException.class,
                    () -> VmMemory.populate(region, allocator, vm, TestRegions.vm("big", free)));
            assertThat(refused.code()).isEqualTo(RegionError.REGION_FULL);
            assertThat(refused.facts()).containsEntry("needed", Long.toString(free + 1)).containsEntry("free",
                    Long.toString(free));
            assertThat(allocator.freeFrames()).isEqualTo(free);
            VmMemory.populate(region, allocator, vm, TestRegions.vm("fits", free - 1));
            assertThat(allocator.freeFrames()).isZero();
            assertThat(RegionVerifier.verify(region).findings()).isEmpty();
        }
    }

    @Test
    void saysWhenHostOrVmSlotsAreExhausted() {
        format();
        try (Region region = Region.open(file, OpenOptions.readWrite())) {
            for (int i = 0; i < 4; i++) {
                HostSlots.claim(region, TestRegions.host("host" + i));
                VmSlots.claim(region, i);
            }
            assertThatThrownBy(() -> HostSlots.claim(region, TestRegions.host("one more")))
                    .hasMessageStartingWith("REGION_HOST_SLOTS_EXHAUSTED");
            assertThatThrownBy(() -> VmSlots.claim(region, 0)).hasMessageStartingWith("REGION_VM_SLOTS_EXHAUSTED");
        }
    }

    @Test
    void refusesAHostThatIsLiveInAnotherSlotByNameOrByUuid() {
        format();
        try (Region region = Region.open(file, OpenOptions.readWrite())) {
            HostIdentity a = TestRegions.host("a");
            HostSlots.claim(region, a);
            HostIdentity sameUuid = new HostIdentity(a.hostUuid(), "b", a.bootId(), 1, WatchdogBound.UNKNOWN);
            HostIdentity sameName = new HostIdentity(UUID.randomUUID(), "a", a.bootId(), 1, WatchdogBound.UNKNOWN);
            assertThatThrownBy(() -> HostSlots.claim(region, sameUuid)).hasMessageStartingWith("REGION_HOST_LIVE");
            assertThatThrownBy(() -> HostSlots.claim(region, sameName)).hasMessageStartingWith("REGION_HOST_LIVE");
            HostSlots.fence(region, 0, 1);
            assertThat(HostSlots.claim(region, sameName).slot()).isEqualTo(1);
        }
    }

    @Test
    void keepsAHostSlotThatIsStillNamed() {
        format();
        try (Region region = Region.open(file, OpenOptions.readWrite())) {
            ClaimedSlot a = HostSlots.claim(region, TestRegions.host("a"));
            TestRegions.runningVm(region, a, "vm", 3);
            assertThatThrownBy(() -> HostSlots.free(region, a.slot(), 1))
                    .hasMessageStartingWith("REGION_HOST_NOT_CONFIRMED");
            assertThatThrownBy(() -> Recovery.recover(region, a.slot(), 1))
                    .hasMessageStartingWith("REGION_HOST_NOT_CONFIRMED");
            HostSlots.fence(region, a.slot(), 1);
            HostSlots.confirmStopped(region, a.slot(), 1);
            assertThatThrownBy(() -> HostSlots.free(region, a.slot(), 1))
                    .hasMessageStartingWith("REGION_HOST_SLOT_IN_USE");
        }
    }

    @Test
    void turnsAFaultOfATruncatedMappingIntoAnError() throws IOException {
        format();
        try (Region region = Region.open(file, OpenOptions.readWrite())) {
            truncate(RegionLayout.SUPERBLOCK.bytes());
            long data = region.superblock().dataOffset();
            Memory memory = region.memory();
            assertTruncated(region, () -> memory.load(data));
            assertTruncated(region, () -> memory.loadAcquire(data));
            assertTruncated(region, () -> memory.store(data, 1));
            assertTruncated(region, () -> memory.storeRelease(data, 1));
            assertTruncated(region, () -> memory.compareAndSet(data, 0, 1));
            assertTruncated(region, () -> memory.zero(data, 4096));
            assertTruncated(region, () -> memory.copy(data, data + 4096, 4096));
            assertTruncated(region, () -> memory.copyIn(MemorySegment.ofArray(new byte[64]), 0, data, 64));
            assertTruncated(region, () -> memory.copyOut(data, MemorySegment.ofArray(new byte[64]), 0, 64));
            assertThat(RegionVerifier.verify(region).clean()).isFalse();
        }
        assertRefused(RegionError.REGION_TRUNCATED);
    }

    @Test
    void saysWhatAFaultThroughARawSegmentMeans() throws IOException {
        format();
        try (Region region = Region.open(file, OpenOptions.readWrite())) {
            truncate(RegionLayout.SUPERBLOCK.bytes());
            Throwable fault = catchThrowableOfType(InternalError.class, () -> region.data().get(Struct.LONG, 0));
            assertThat(region.translate(fault)).hasMessageStartingWith("REGION_TRUNCATED");
        }
    }

    @Test
    void refusesDamagedAndForeignMetadata() {
        format();
        try (Region region = Region.open(file, OpenOptions.readWrite())) {
            ClaimedSlot a = HostSlots.claim(region, TestRegions.host("a"));
            VmSlot vm = TestRegions.runningVm(region, a, "vm", 1);
            UUID uuid = vm.readIdentity().uuid();
            MetadataSlot slot = vm.metadata(0);
            MemorySegment into = MemorySegment.ofArray(new byte[4096]);
            assertThatThrownBy(() -> slot.readChecked(1, uuid, into)).hasMessageStartingWith("REGION_METADATA_DAMAGED");
            slot.publish(1, 0, 500, 3, uuid);
            assertThat(slot.readChecked(1, uuid, into).schema()).isEqualTo(3);
            assertThatThrownBy(() -> slot.readChecked(2, uuid, into)).hasMessageStartingWith("REGION_METADATA_FOREIGN");
            assertThatThrownBy(() -> slot.readChecked(1, UUID.randomUUID(), into))
                    .hasMessageStartingWith("REGION_METADATA_FOREIGN");
            assertThatThrownBy(() -> slot.readChecked(1, uuid, into.asSlice(0, 499)))
                    .hasMessageStartingWith("REGION_METADATA_TOO_LARGE");
            assertThatThrownBy(() -> slot.publish(1, 0, slot.capacity() + 1, 3, uuid))
                    .hasMessageStartingWith("REGION_METADATA_TOO_LARGE");
            slot.payload().set(java.lang.foreign.ValueLayout.JAVA_BYTE, 499, (byte) 1);
            assertThatThrownBy(() -> slot.readChecked(1, uuid, into)).hasMessageStartingWith("REGION_METADATA_DAMAGED")
                    .hasMessageContaining("offset=");
        }
    }

    private TomboloException assertRefused(RegionError code) {
        TomboloException refused = catchThrowableOfType(TomboloException.class,
                () -> Region.open(file, OpenOptions.ofCluster(TestRegions.CLUSTER)));
        assertThat(refused.code()).isEqualTo(code);
        assertThat(refused.facts()).containsKey("file");
        assertThat(refused.next()).isNotEmpty();
        VerifyReport report = RegionVerifier.verify(file);
        if (code != RegionError.REGION_FEATURE_UNKNOWN) {
            assertThat(report.findings()).hasSize(1);
            assertThat(report.findings().getFirst().structure()).contains(code.name());
        }
        return refused;
    }

    /// The fault comes at the access or, in compiled code, a little later; then translate says the same.
    private static void assertTruncated(Region region, ThrowingCallable access) {
        Throwable failure = catchThrowable(access);
        assertThat(failure).isNotNull();
        assertThat(region.translate(failure)).isInstanceOf(TomboloException.class)
                .hasMessageStartingWith("REGION_TRUNCATED");
    }

    private void assertOnlyFile() throws IOException {
        try (var files = Files.list(directory)) {
            assertThat(files.toList()).containsExactly(file);
        }
    }

    private void format() {
        Region.format(file, TestRegions.options(2 * MIB));
    }

    private void truncate(long bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.truncate(bytes);
        }
    }

    private void patch(String field, long value, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, value).limit(bytes);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(buffer, RegionLayout.SUPERBLOCK.offset(field));
        }
    }

    /// Makes the checksum fit a patched superblock, as a newer program would have written it.
    private void sealSuperblock() throws IOException {
        byte[] raw = new byte[4096];
        try (var in = Files.newInputStream(file)) {
            assertThat(in.readNBytes(raw, 0, raw.length)).isEqualTo(raw.length);
        }
        patch("crc", Crc.of(MemorySegment.ofArray(raw), 0, RegionLayout.SUPERBLOCK.offset("crc")), 4);
    }
}

package io.tombolo.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegionTest {
    private static final long MIB = 1 << 20;

    @TempDir
    Path directory;
    private Region region;

    @BeforeEach
    void format() {
        region = TestRegions.format(directory.resolve("region"), 8 * MIB);
    }

    @AfterEach
    void close() {
        region.close();
    }

    @Test
    void keepsTheGeometryItWasFormattedWith() throws Exception {
        Superblock superblock = region.superblock();
        assertThat(superblock.clusterUuid()).isEqualTo(TestRegions.CLUSTER);
        assertThat(superblock.hostSlots()).isEqualTo(4);
        assertThat(superblock.frameCount()).isEqualTo(2048);
        assertThat(superblock.dataOffset() % (2 * MIB)).isZero();
        assertThat(Files.size(region.file())).isEqualTo(superblock.fileBytes());
        assertThat(region.data().byteSize()).isEqualTo(8 * MIB);
        assertThat(directory).isDirectoryNotContaining(path -> path.toString().endsWith(".formatting"));
    }

    @Test
    void givesAHostASlotWithAnIncarnationThatNeverRepeats() {
        ClaimedSlot first = HostSlots.claim(region, TestRegions.host("a"));
        assertThat(first.incarnation()).isEqualTo(1);
        assertThat(region.host(first.slot()).readIdentity()).isEqualTo(TestRegions.host("a"));
        assertThat(HostSlots.fence(region, first.slot(), 1)).isTrue();
        assertThat(HostSlots.confirmStopped(region, first.slot(), 1)).isTrue();
        HostSlots.free(region, first.slot(), 1);
        ClaimedSlot second = HostSlots.claim(region, TestRegions.host("a"));
        assertThat(second.slot()).isEqualTo(first.slot());
        assertThat(second.incarnation()).isEqualTo(2);
    }

    @Test
    void populatesAVmAndGivesEverythingBack() {
        ClaimedSlot host = HostSlots.claim(region, TestRegions.host("a"));
        FrameAllocator allocator = region.allocator(host.slot());
        long before = allocator.freeFrames();
        VmSlot vm = TestRegions.runningVm(region, host, "vm", 1000);
        assertThat(allocator.freeFrames()).isEqualTo(before - 1000 - 2);
        PageTable table = vm.pageTable();
        for (long page = 0; page < table.pages(); page++) {
            long entry = table.entryAcquire(page);
            assertThat(PageTableEntry.isPresentShared(entry)).isTrue();
            assertThat(region.memory().load(region.frameWordOffset(PageTableEntry.frame(entry))))
                    .isEqualTo(FrameWord.used(vm.index(), page));
        }
        long owner = vm.ownerAcquire();
        assertThat(VmSlots.destroy(region, vm, owner)).isTrue();
        assertThat(allocator.freeFrames()).isEqualTo(before);
        assertThat(OwnerWord.describe(vm.ownerAcquire())).isEqualTo("FREE host 0 epoch 2");
    }

    @Test
    void handsAVmOverThroughTheMetadataSlot() {
        ClaimedSlot a = HostSlots.claim(region, TestRegions.host("a"));
        ClaimedSlot b = HostSlots.claim(region, TestRegions.host("b"));
        VmSlot vm = TestRegions.runningVm(region, a, "vm", 4);
        UUID uuid = vm.readIdentity().uuid();
        byte[] state = "registers".getBytes(StandardCharsets.UTF_8);
        long owner = vm.ownerAcquire();
        long epoch = OwnerWord.epoch(owner);
        MetadataSlot slot = vm.metadata(0);
        MemorySegment.copy(state, 0, slot.payload(), ValueLayout.JAVA_BYTE, 0, state.length);
        slot.publish(epoch, 0, state.length, 1, uuid);
        vm.fromRelease(FromWord.pack(a.slot(), epoch + 1));
        assertThat(vm.compareAndSetOwner(owner, OwnerWord.pack(OwnerState.OFFERED, b.slot(), epoch + 1))).isTrue();

        Blob blob = vm.metadata(0).readChecked(epoch, uuid, MemorySegment.ofArray(new byte[100]));
        assertThat(blob.bytes().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(state);
        assertThat(FromWord.allows(vm.fromAcquire(), a.slot(), vm.ownerAcquire())).isTrue();
        assertThat(vm.compareAndSetOwner(OwnerWord.pack(OwnerState.OFFERED, b.slot(), epoch + 1),
                OwnerWord.pack(OwnerState.RUNNING, b.slot(), epoch + 1))).isTrue();
        assertThat(vm.compareAndSetOwner(OwnerWord.pack(OwnerState.OFFERED, b.slot(), epoch + 1),
                OwnerWord.pack(OwnerState.RUNNING, a.slot(), epoch + 2))).isFalse();
    }

    @Test
    void refusesAnIllegalTransitionOfTheOwnerWordWithItsName() {
        ClaimedSlot a = HostSlots.claim(region, TestRegions.host("a"));
        VmSlot vm = TestRegions.runningVm(region, a, "vm", 4);
        long owner = vm.ownerAcquire();
        assertThatThrownBy(() -> vm.compareAndSetOwner(owner, OwnerWord.pack(OwnerState.CLAIMED, 1, 2)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("vm slot 0: RUNNING host 0 epoch 1 -> CLAIMED host 1 epoch 2");
    }

    @Test
    void checksASegmentFileByItsTrailer() {
        UUID uuid = UUID.randomUUID();
        SegmentFiles.Segment made = region.segments().create(uuid, new UUID(2, 3), 4 * MIB);
        assertThat(made.path().getParent()).isEqualTo(region.segmentDirectory());
        assertThat(region.segments().open(uuid, 4 * MIB)).isEqualTo(made);
        assertThat(region.segments().delete(uuid)).isTrue();
        assertThat(region.segments().delete(uuid)).isFalse();
    }

    @Test
    void freesTheStoppedSlotsOfAHostsEarlierIncarnations() {
        HostIdentity host = TestRegions.host("a");
        ClaimedSlot empty = HostSlots.claim(region, host);
        HostSlots.markStopped(region, empty.slot(), empty.incarnation());
        ClaimedSlot named = HostSlots.claim(region, host);
        VmSlot vm = TestRegions.runningVm(region, named, "vm", 3);
        HostSlots.markStopped(region, named.slot(), named.incarnation());
        ClaimedSlot other = HostSlots.claim(region, TestRegions.host("b"));
        HostSlots.markStopped(region, other.slot(), other.incarnation());
        ClaimedSlot own = HostSlots.claim(region, host);

        assertThat(HostSlots.freeStopped(region, host.hostUuid(), own.slot())).isEqualTo(1);

        assertThat(SlotWord.state(region.host(empty.slot()).wordAcquire())).isEqualTo(HostState.FREE);
        assertThat(SlotWord.state(region.host(named.slot()).wordAcquire())).isEqualTo(HostState.CONFIRMED);
        assertThat(SlotWord.state(region.host(other.slot()).wordAcquire())).isEqualTo(HostState.STOPPED);
        assertThat(OwnerWord.slot(vm.ownerAcquire())).isEqualTo(named.slot());
        assertThat(region.host(own.slot()).wordAcquire()).isEqualTo(own.word());
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
    }

    @Test
    void confirmsTheIncarnationOfAProcessThatWasReaped() {
        HostIdentity host = TestRegions.host("a");
        ClaimedSlot claimed = HostSlots.claim(region, host);

        assertThat(HostSlots.confirmReaped(region, host.pid() + 1, host.bootId())).isFalse();
        assertThat(HostSlots.confirmReaped(region, host.pid(), UUID.randomUUID())).isFalse();
        assertThat(region.host(claimed.slot()).wordAcquire()).isEqualTo(claimed.word());
        assertThat(HostSlots.confirmReaped(region, host.pid(), host.bootId())).isTrue();
        assertThat(SlotWord.state(region.host(claimed.slot()).wordAcquire())).isEqualTo(HostState.CONFIRMED);
    }
}

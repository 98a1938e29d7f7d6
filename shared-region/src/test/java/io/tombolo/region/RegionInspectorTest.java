package io.tombolo.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegionInspectorTest {
    @TempDir
    Path directory;

    @Test
    void decodesEveryStructure() {
        try (Region region = TestRegions.format(directory.resolve("region"), 2 << 20)) {
            ClaimedSlot a = HostSlots.claim(region, TestRegions.host("alpha"));
            VmSlot vm = TestRegions.runningVm(region, a, "guest", 5);
            vm.gate().enter();
            vm.addLocalPages(3);
            vm.pins().pin(1, 2);
            vm.pins().pin(1, 2);
            vm.pins().pin(4, 1);
            vm.metadata(1).publish(1, 0, 10, 7, vm.readIdentity().uuid());
            RegionInspector inspector = RegionInspector.of(region);

            assertThat(inspector.superblock().fields()).containsEntry("frame_count", "512")
                    .containsEntry("cluster_uuid", TestRegions.CLUSTER.toString())
                    .containsEntry("features", "COHERENT_CONTROL");
            assertThat(inspector.host(0).fields()).containsEntry("word", "LIVE incarnation 1").containsEntry("name",
                    "alpha");
            assertThat(inspector.host(1).fields()).containsEntry("word", "FREE incarnation 0");
            assertThat(inspector.vm(0).fields()).containsEntry("owner", "RUNNING host 0 epoch 1")
                    .containsEntry("name", "guest")
                    .containsEntry("driver", "simulated").containsEntry("backing", "FRAMES")
                    .containsEntry("armed", "none").containsEntry("page_bytes", "4096")
                    .containsEntry("gate", "open, 1 in flight").containsEntry("local_pages", "3")
                    .containsEntry("pins", "2").containsEntry("pin_ranges", "1 to 2 x 2, 4 to 4 x 1");
            assertThat(inspector.metadata(0, 1).fields()).containsEntry("schema", "7").containsEntry("length", "10");
            assertThat(inspector.metadata(0, 1).problem()).isEmpty();
            assertThat(inspector.metadata(0, 0).problem()).isEqualTo("never published");
            assertThat(inspector.pte(0, 4).fields().get("frame_word")).isEqualTo("USED host 0 vm 0 page 4");
            long frame = PageTableEntry.frame(vm.pageTable().entryAcquire(4));
            assertThat(inspector.frame(frame).fields()).containsEntry("frame", "USED host 0 vm 0 page 4");
            assertThat(inspector.block(0).fields()).containsEntry("owner", "free").containsEntry("frames", "0 to 511");
            assertThat(inspector.host(0).text()).startsWith("host_slot 0 at 4096\n  word: LIVE incarnation 1\n");
            assertThatThrownBy(() -> inspector.pte(0, 5)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> inspector.frame(512)).isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void decodesAPageOf2MiB() {
        try (Region region = TestRegions.format(directory.resolve("region"), 4 << 20)) {
            ClaimedSlot a = HostSlots.claim(region, TestRegions.host("alpha"));
            VmSlot vm = VmSlots.claim(region, a.slot());
            VmMemory.populate(region, region.allocator(a.slot()), vm, TestRegions.largeVm("guest", 1));
            long frame = PageTableEntry.frame(vm.pageTable().entryAcquire(0));
            RegionInspector inspector = RegionInspector.of(region);

            assertThat(inspector.pte(0, 0).fields()).containsEntry("block_word", "LARGE_USED host 0 vm 0 page 0");
            assertThat(inspector.block(frame / 512).fields()).containsEntry("owner", "LARGE_USED host 0 vm 0 page 0");
            assertThat(inspector.frame(frame + 9).fields()).containsEntry("frame", "FREE").containsEntry("inside",
                    "LARGE_USED host 0 vm 0 page 0");
        }
    }

    @Test
    void showsDamageInsteadOfRefusing() {
        try (Region region = TestRegions.format(directory.resolve("region"), 2 << 20)) {
            ClaimedSlot a = HostSlots.claim(region, TestRegions.host("alpha"));
            VmSlot vm = TestRegions.runningVm(region, a, "guest", 5);
            long at = vm.base() + RegionLayout.VM_SLOT.offset("memory_bytes");
            region.memory().store(at, 1 << 30);
            RegionInspector inspector = RegionInspector.of(region);
            assertThat(inspector.vm(0).problem()).startsWith("crc is 0x");
            region.memory().store(RegionLayout.SUPERBLOCK.offset("topology"), 1);
            assertThat(inspector.superblock().fields()).containsEntry("topology", "NOT ZERO");
        }
    }
}

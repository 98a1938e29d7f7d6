package io.tombolo.coordinator.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.UUID;
import org.junit.jupiter.api.Test;

class VmSpecTest {
    private static final VmSpec SPEC = new VmSpec("v", new UUID(1, 2), "simulated", 4 << 20, 1, "dirty", 4096,
            "uniform",
            1);

    private static void assertRefused(VmSpec spec, String field) {
        assertThatThrownBy(spec::checked).hasMessageStartingWith("VM_SPEC_INVALID")
                .hasMessageContaining("field=" + field);
    }

    @Test
    void aVmThatAsksForNothingHasSmallSharedPages() {
        assertThat(SPEC.checked().tier()).isEqualTo("shared");
        assertThat(SPEC.pageBytes()).isEqualTo(4096);
        assertThat(SPEC.pages()).isEqualTo(1024);
        VmSpec large = SPEC.withTier("auto").withPageBytes(VmSpec.LARGE_PAGE_BYTES).checked();
        assertThat(large.pages()).isEqualTo(2);
        assertThat(large.withTier("shared").withPageBytes(4096)).isEqualTo(SPEC);
    }

    @Test
    void refusesTiersAndPagesThatNoDriverHas() {
        assertRefused(SPEC.withTier("cxl"), "tier");
        assertRefused(SPEC.withTier(""), "tier");
        assertRefused(SPEC.withPageBytes(8192), "pageBytes");
        assertRefused(SPEC.withPageBytes(0), "pageBytes");
        VmSpec odd = new VmSpec("v", new UUID(1, 2), "simulated", 3 << 20, 1, "dirty", 4096, "uniform", 1);
        assertThat(odd.checked()).isEqualTo(odd);
        assertRefused(odd.withPageBytes(VmSpec.LARGE_PAGE_BYTES), "memoryBytes");
    }

    @Test
    void refusesLocalAndLargePagesOfQemuByName() {
        VmSpec qemu = new VmSpec("v", new UUID(1, 2), "qemu", 4 << 20, 1, "linux", 4096, "sequential", 1);
        assertThat(qemu.checked()).isEqualTo(qemu);
        assertRefused(qemu.withTier("local"), "tier");
        assertRefused(qemu.withTier("auto"), "tier");
        assertRefused(qemu.withPageBytes(VmSpec.LARGE_PAGE_BYTES), "pageBytes");
        assertThatThrownBy(() -> qemu.withTier("local").checked()).hasMessageContaining("for the qemu driver");
    }

    @Test
    void aVmThatAsksForNothingIsNotProtectedAndStaysDown() {
        assertThat(SPEC.checkpointUs()).isZero();
        assertThat(SPEC.onHostFailure()).isEqualTo("stop");
        VmSpec asked = SPEC.withProtection(5_000).withOnHostFailure("restart").checked();
        assertThat(asked.withTier("local").withPageBytes(8192).withTier("shared").withPageBytes(4096)).isEqualTo(asked);
        assertThat(asked.withProtection(0).withOnHostFailure("stop")).isEqualTo(SPEC);
    }

    @Test
    void refusesCheckpointsOutsideTheirBoundsAndPoliciesThatAreNone() {
        assertRefused(SPEC.withProtection(-1), "checkpointUs");
        assertRefused(SPEC.withProtection(VmSpec.MIN_CHECKPOINT_US - 1), "checkpointUs");
        assertRefused(SPEC.withProtection(VmSpec.MAX_CHECKPOINT_US + 1), "checkpointUs");
        assertRefused(SPEC.withOnHostFailure("reboot"), "onHostFailure");
    }
}

package io.tombolo.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.agent.qemu.QemuCommandLine.Role;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class QemuCommandLineTest {
    private static final GuestLoad LOAD = new GuestLoad(32L << 20, "zipf", -1, 2, 100);
    private static final Path SEGMENT = Path.of("/dev/shm/x/1.seg");

    private static QemuDefinition definition(Path segment, long memoryBytes, String name, List<String> extra) {
        return new QemuDefinition(name, new UUID(1, 2), new QemuDefinition.Memory.SegmentFile(segment), memoryBytes, 2,
                new QemuBinary(Path.of("/usr/bin/qemu"), 7, 2, "7.2"), Accelerator.TCG,
                new GuestImage(Path.of("/c/vmlinuz"), Path.of("/c/initramfs"), "h"), LOAD, Path.of("/run/x"),
                Path.of("/run/x/console"), extra);
    }

    private static List<String> build(Role role, List<String> extra) {
        return QemuCommandLine.build(definition(SEGMENT, 256L << 20, "vm", extra), role, Path.of("/run/x/qmp"));
    }

    @ParameterizedTest
    @EnumSource(Role.class)
    void guestMemoryIsSharedAndNeverTouchedByTheProcessItself(Role role) {
        String line = String.join(" ", build(role, List.of()));
        assertThat(line).contains("memory-backend-file,id=mem,share=on,prealloc=off,discard-data=off,").contains(
                "size=262144K,mem-path=/dev/shm/x/1.seg").contains("apic-common.vapic=off")
                .contains("tombolo.seed=18446744073709551615").contains(" -nodefaults ").doesNotContain("balloon")
                .doesNotContain("virtio").doesNotContain("prealloc=on");
    }

    @Test
    void onlyABootedOrAWaitingGuestExistsAndBothWaitToBeToldToRun() {
        assertThat(build(Role.BOOT, List.of())).contains("-S").doesNotContain("-incoming");
        assertThat(build(Role.INCOMING, List.of())).contains("-S").containsSequence("-incoming", "defer");
        assertThat(build(Role.INCOMING_AUTOSTART, List.of())).doesNotContain("-S");
    }

    @Test
    void takesExtraDevicesThatAreKnownToBeSafe() {
        assertThat(build(Role.BOOT, List.of("-device", "virtio-rng-pci")))
                .endsWith("-device", "virtio-rng-pci");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"-device|virtio-balloon-pci,free-page-reporting=on", "-device|virtio-mem-pci",
            "-device|virtio-balloon-pci", "-device|pc-dimm,memdev=m", "-device|vfio-pci,host=1", "-device|nvdimm",
            "-object|memory-backend-file,id=m2", "-object|rng-random,id=r,prealloc=on", "-m|4G", "-incoming|tcp:0:1",
            "-machine|pc", "-device|virtio-rng-pci,free-page-reporting=on", "-mem-prealloc|x", "-qmp|tcp:0:1", "-S|x"})
    void refusesArgumentsThatCouldChangeMemoryOrCannotMove(String option, String value) {
        assertThatThrownBy(() -> build(Role.BOOT, List.of(option, value))).hasMessageStartingWith("QEMU_DEFINITION");
    }

    @Test
    void refusesAnOptionWithoutValue() {
        assertThatThrownBy(() -> build(Role.BOOT, List.of("-device"))).hasMessageStartingWith("QEMU_DEFINITION");
    }

    @Test
    void nothingOfAPathOrANameBecomesAnOption() {
        QemuDefinition comma = definition(Path.of("/dev/shm/x,prealloc=on"), 256L << 20, "vm", List.of());
        assertThatThrownBy(() -> QemuCommandLine.build(comma, Role.BOOT, Path.of("/q")))
                .hasMessageStartingWith("QEMU_DEFINITION");
        for (String name : List.of("", "a,b", "-S", "a b", "x".repeat(64))) {
            assertThatThrownBy(() -> definition(SEGMENT, 256L << 20, name, List.of()))
                    .hasMessageStartingWith("QEMU_DEFINITION");
        }
    }

    @Test
    void refusesMemoryThatIsTooSmallForTheWorkingSetOrNotWholePages() {
        assertThatThrownBy(() -> definition(SEGMENT, 64L << 20, "vm", List.of()))
                .hasMessageStartingWith("QEMU_DEFINITION");
        assertThatThrownBy(() -> definition(SEGMENT, (256L << 20) + 1, "vm", List.of()))
                .hasMessageStartingWith("QEMU_DEFINITION");
    }

    @Test
    void refusesALoadTheGuestWouldRefuse() {
        assertThatThrownBy(() -> new GuestLoad(4095, "zipf", 1, 1, 1)).hasMessageStartingWith("QEMU_DEFINITION");
        assertThatThrownBy(() -> new GuestLoad(1 << 20, "random", 1, 1, 1)).hasMessageStartingWith("QEMU_DEFINITION");
        assertThatThrownBy(() -> new GuestLoad(1 << 20, "zipf", 1, 65, 1)).hasMessageStartingWith("QEMU_DEFINITION");
        assertThatThrownBy(() -> new GuestLoad(1 << 20, "zipf", 1, 1, 0)).hasMessageStartingWith("QEMU_DEFINITION");
    }

    @Test
    void refusesASocketPathThatLinuxWouldCut() {
        QemuProcess.checkSocketPath(Path.of("/" + "x".repeat(106)));
        assertThatThrownBy(() -> QemuProcess.checkSocketPath(Path.of("/" + "x".repeat(107))))
                .hasMessageStartingWith("QEMU_PATH_TOO_LONG").hasMessageContaining("bytes=108");
    }
}

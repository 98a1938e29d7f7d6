package io.tombolo.region;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Real processes on one region in real shared memory.
@Timeout(60)
class TwoProcessTest {
    private static final long SEED = Long.getLong("tombolo.seed", System.nanoTime());

    private final List<Process> children = new ArrayList<>();
    private Path directory;
    private Path file;

    @BeforeEach
    void format() throws IOException {
        Path shm = Path.of("/dev/shm");
        directory = Files.isDirectory(shm)
                ? Files.createTempDirectory(shm, "tombolo-test")
                : Files.createTempDirectory("tombolo-test");
        file = directory.resolve("region");
        Region.format(file, TestRegions.options(8 << 20));
    }

    @AfterEach
    void cleanUp() throws Exception {
        for (Process child : children) {
            child.destroyForcibly().waitFor();
        }
        try (var files = Files.walk(directory)) {
            files.sorted(java.util.Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        }
        assertThat(directory).doesNotExist();
    }

    @Test
    void countsExactlyWithCompareAndSetFromTwoProcesses() throws Exception {
        try (Region region = Region.open(file, OpenOptions.ofCluster(TestRegions.CLUSTER))) {
            long counter = region.superblock().dataOffset() + 4096;
            for (int i = 0; i < 2; i++) {
                start("count", file.toString(), Long.toString(counter), "300000");
            }
            for (Process child : children) {
                assertThat(child.waitFor(30, TimeUnit.SECONDS)).isTrue();
                assertThat(child.exitValue()).isZero();
            }
            assertThat(region.memory().loadAcquire(counter)).isEqualTo(600_000);
        }
    }

    @Test
    void recoversWhatAProcessKilledInTheMiddleOfAllocatingLeft() throws Exception {
        Random random = new Random(SEED);
        try (Region region = Region.open(file, OpenOptions.ofCluster(TestRegions.CLUSTER))) {
            ClaimedSlot own = HostSlots.claim(region, TestRegions.host("survivor"));
            long free = region.allocator(own.slot()).freeFrames();
            for (int round = 0; round < 5; round++) {
                Process child = start("churn", file.toString(), "700");
                int slot = killSometime(region, child, random);
                long incarnation = SlotWord.incarnation(region.host(slot).wordAcquire());
                HostSlots.fence(region, slot, incarnation);
                HostSlots.confirmStopped(region, slot, incarnation);
                Recovery.Report report = Recovery.recover(region, slot, incarnation, own.slot());
                assertThat(RegionVerifier.verify(region).findings()).as("seed %d", SEED).isEmpty();
                for (int pending : report.vmsPending()) {
                    takeOverAndDestroy(region, region.vm(pending), own.slot());
                }
                HostSlots.free(region, slot, incarnation);
                assertThat(RegionVerifier.verify(region).findings()).as("seed %d", SEED).isEmpty();
                assertThat(region.allocator(own.slot()).freeFrames()).as("seed %d", SEED).isEqualTo(free);
            }
        }
    }

    /// Waits until the child has made some VMs, then kills it at a random moment. Returns its slot.
    private static int killSometime(Region region, Process child, Random random) throws InterruptedException {
        HostSlot host = region.host(1);
        VmSlot progress = region.vm(RegionChild.PROGRESS_SLOT);
        long start = progress.echoAcquire();
        long rounds = 1L + random.nextInt(20);
        while (progress.echoAcquire() == start || SlotWord.state(host.wordAcquire()) != HostState.LIVE
                || progress.echoAcquire() < rounds) {
            assertThat(child.isAlive()).isTrue();
            Thread.onSpinWait();
        }
        long until = System.nanoTime() + random.nextInt(1_000_000);
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
        child.destroyForcibly();
        assertThat(child.waitFor()).isEqualTo(137);
        return 1;
    }

    private static void takeOverAndDestroy(Region region, VmSlot vm, int slot) {
        long owner = vm.ownerAcquire();
        long mine = OwnerWord.pack(OwnerState.RECOVERING, slot, OwnerWord.nextEpoch(owner));
        assertThat(vm.compareAndSetOwner(owner, mine)).isTrue();
        assertThat(VmSlots.destroy(region, vm, mine)).isTrue();
    }

    private Process start(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(System.getProperty("java.home") + "/bin/java", "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED", "-cp",
                        System.getProperty("java.class.path"), RegionChild.class.getName()));
        command.addAll(Arrays.asList(arguments));
        Process child = new ProcessBuilder(command).inheritIO().start();
        children.add(child);
        return child;
    }
}

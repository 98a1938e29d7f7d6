package io.tombolo.region;

import static io.tombolo.region.CrashHarness.swap;
import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.handoff.CopyInstall;
import io.tombolo.agent.pages.HugePages;
import io.tombolo.agent.pages.LocalTier;
import io.tombolo.region.CrashHarness.Model;
import io.tombolo.region.CrashHarness.Operation;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The target of a copy dies, with its host's caches, while it puts its frames into the entries, or afterwards. In the
/// region's package for the sake of its crash double.
class CopyTargetCrashTest {
    private static final CrashHarness HARNESS = new CrashHarness(1024);
    private static final Path TIER = Path.of("/dev/shm", "tombolo-crash-" + ProcessHandle.current().pid());
    private static final int BUSY_PAGE = 4;

    static List<Operation> operations() {
        return List.of(
                new Operation("COPY_INSTALLED", CopyTargetCrashTest::claimedByHost1, region -> {
                    install(region, () -> {
                    });
                    for (long frame : frames(region)) {
                        assertThat(frame).as("one of host 1").isGreaterThanOrEqualTo(512);
                    }
                    swap(region, OwnerState.RUNNING, 1, 0);
                }, CopyTargetCrashTest::host1Dies),
                new Operation("COPY_UNDONE", CopyTargetCrashTest::claimedByHost1, region -> {
                    long[] before = frames(region);
                    CrashMemory memory = (CrashMemory) region.memory();
                    try {
                        install(region, () -> memory.race(entryOffset(region), () -> change(region)));
                        throw new AssertionError("a page is in use");
                    } catch (TomboloException e) {
                        assertThat(e.code().name()).isEqualTo("TARGET_REFUSED");
                    } finally {
                        memory.race(-1, null);
                    }
                    assertThat(frames(region)).isEqualTo(before);
                    swap(region, OwnerState.OFFERED, 0, 1);
                    swap(region, OwnerState.RUNNING, 0, 0);
                }, CopyTargetCrashTest::host1Dies));
    }

    /// The VM's pages are in the local tier of host 0, in frames below 512; it is offered to host 1, which has copies.
    private static void claimedByHost1(Region region) {
        PageMoveCrashTest.create(region, PageSize.SMALL, new FakeLocal(512));
        VmSlot vm = region.vm(0);
        vm.gate().close();
        vm.gate().markCopied();
        CrashEnumerationTest.offerVm(region);
        swap(region, OwnerState.CLAIMED, 1, 0);
    }

    private static void install(Region region, Runnable sealed) {
        try (LocalTier local = LocalTier.open(TIER, 2L * PageSize.LARGE.bytes(), HugePages.NONE)) {
            PageTable table = region.vm(0).pageTable();
            // Numbers that host 0 does not have.
            assertThat(local.take(PageSize.SMALL, 512, new long[512])).isEqualTo(512);
            CopyInstall.install(table, local, sealed);
        }
    }

    private static long entryOffset(Region region) {
        return region.frameDataOffset(region.vm(0).readIdentity().tableFirstFrame()) + BUSY_PAGE * 8L;
    }

    /// Somebody marks the page and gives up.
    private static void change(Region region) {
        PageTable table = region.vm(0).pageTable();
        for (PteState state : List.of(PteState.MIGRATING, PteState.PRESENT)) {
            long entry = table.entryAcquire(BUSY_PAGE);
            assertThat(table.compareAndSet(BUSY_PAGE, entry, PageTableEntry.with(entry, state))).isTrue();
        }
    }

    private static long[] frames(Region region) {
        PageTable table = region.vm(0).pageTable();
        long[] frames = new long[(int) table.pages()];
        for (int page = 0; page < frames.length; page++) {
            frames[page] = PageTableEntry.frame(table.entryAcquire(page));
        }
        return frames;
    }

    /// If host 0 has the VM again, its entries name frames of host 0. If not, the pages are gone with host 1, and every
    /// entry says that they were in somebody's own memory.
    private static void host1Dies(Region region) {
        HostSlots.fence(region, 1, 1);
        HostSlots.confirmStopped(region, 1, 1);
        Recovery.recover(region, 1, 1, 2);
        long owner = region.vm(0).ownerAcquire();
        PageTable table = region.vm(0).pageTable();
        for (int page = 0; page < table.pages(); page++) {
            long entry = table.entryAcquire(page);
            assertThat(PageTableEntry.tier(entry)).isEqualTo(Tier.LOCAL);
            if (OwnerWord.slot(owner) == 0) {
                assertThat(PageTableEntry.frame(entry)).as("page " + page).isLessThan(512);
            }
        }
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("operations")
    void survivesADeathOfTheHostBeforeAnyStep(Operation operation) {
        assertThat(HARNESS.failures(operation, Model.H)).isEmpty();
    }
}

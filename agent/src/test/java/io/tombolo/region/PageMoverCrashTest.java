package io.tombolo.region;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.agent.pages.HugePages;
import io.tombolo.agent.pages.LocalTier;
import io.tombolo.agent.pages.PageMover;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.region.CrashHarness.Model;
import io.tombolo.region.CrashHarness.Operation;
import io.tombolo.region.os.Errno;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// [PageMover#move] itself, killed before every step of a batch, under both crash models: whatever is left, recovery by
/// rule makes whole. In the region's package for the sake of its crash double; see CrashEnumerationTest there.
class PageMoverCrashTest {
    private static final long FRAMES = 2048;
    private static final CrashHarness HARNESS = new CrashHarness(FRAMES);
    private static final int LOCAL_BLOCKS = 1;
    private static final Path TIER = Path.of("/dev/shm", "tombolo-crash-" + ProcessHandle.current().pid());
    private static final int SHARED = Tier.SHARED.code();
    private static final int LOCAL = Tier.LOCAL.code();
    /// What a batch that does not end normally is expected to answer.
    private static final int BUSY = -Errno.EBUSY;

    static List<Operation> operations() {
        List<Operation> operations = new ArrayList<>();
        for (PageSize size : PageSize.values()) {
            operations.add(toLocal("ONE_" + size, size, _ -> {
            }, Vcpu.OFFLINE, new long[]{0}, LOCAL));
            operations.add(toShared("ONE_" + size, size, _ -> {
            }, Vcpu.OFFLINE, new long[]{0}, SHARED));
            operations.add(toLocal("STUCK_VCPU_" + size, size, _ -> {
            }, Vcpu.STUCK, new long[]{0}, BUSY));
            operations.add(toShared("STUCK_VCPU_" + size, size, _ -> {
            }, Vcpu.STUCK, new long[]{0}, BUSY));
            operations.add(toLocal("TAKEN_BACK_" + size, size, _ -> {
            }, Vcpu.TAKES_BACK, new long[]{0}, LOCAL));
            operations.add(toShared("TAKEN_BACK_" + size, size, _ -> {
            }, Vcpu.TAKES_BACK, new long[]{0}, SHARED));
        }
        Consumer<Region> nothing = _ -> {
        };
        Consumer<Region> pinOne = region -> region.vm(0).pins().pin(2, 1);
        operations.addAll(List.of(
                toLocal("ALL", PageSize.SMALL, nothing, Vcpu.OFFLINE, new long[]{3, 0, 2, 4, 1}, LOCAL, LOCAL, LOCAL,
                        LOCAL,
                        LOCAL),
                toShared("ALL", PageSize.SMALL, nothing, Vcpu.OFFLINE, new long[]{3, 0, 2, 4, 1}, SHARED, SHARED,
                        SHARED,
                        SHARED, SHARED),
                toLocal("SEVERAL_STUCK_VCPU", PageSize.SMALL, nothing, Vcpu.STUCK, new long[]{3, 0, 2}, BUSY, BUSY,
                        BUSY),
                toShared("SEVERAL_STUCK_VCPU", PageSize.SMALL, nothing, Vcpu.STUCK, new long[]{3, 0, 2}, BUSY, BUSY,
                        BUSY),
                toLocal("ONE_OF_SEVERAL_TAKEN_BACK", PageSize.SMALL, nothing, Vcpu.TAKES_BACK, new long[]{3, 0, 2},
                        LOCAL, LOCAL, LOCAL),
                toShared("ONE_OF_SEVERAL_TAKEN_BACK", PageSize.SMALL, nothing, Vcpu.TAKES_BACK, new long[]{3, 0, 2},
                        SHARED, SHARED, SHARED),
                // The second place of a page leaves the batch when it is marked, a pinned one before.
                toLocal("TWICE_AND_PINNED", PageSize.SMALL, pinOne, Vcpu.OFFLINE, new long[]{3, 0, 3, 2, 4}, LOCAL,
                        LOCAL,
                        LOCAL, BUSY, LOCAL),
                toShared("TWICE_AND_PINNED", PageSize.SMALL, pinOne, Vcpu.OFFLINE, new long[]{3, 0, 3, 2, 4}, SHARED,
                        SHARED,
                        SHARED, BUSY, SHARED),
                // One frame is in a block of another host: its page leaves the batch when it is to be retired.
                toLocal("BLOCK_OF_ANOTHER_HOST", PageSize.SMALL, PageMoverCrashTest::giveABlockAway, Vcpu.OFFLINE,
                        new long[]{3, 2, 4, 99}, LOCAL, BUSY, LOCAL, -Errno.EFAULT)));
        return operations;
    }

    /// Page 2 gets a frame in a block that host 2 owns, as if it had come from there.
    private static void giveABlockAway(Region region) {
        PageTable table = region.vm(0).pageTable();
        FrameAllocator ours = region.allocator(0);
        FrameAllocator theirs = region.allocator(2);
        long[] page = {2};
        long entry = table.entryAcquire(2);
        long[] old = {PageTableEntry.frame(entry)};
        long[] fresh = new long[1];
        assertThat(theirs.reserve(PageSize.SMALL, 0, page, 1, fresh)).isEqualTo(1);
        assertThat(fresh[0] / BlockWord.FRAMES).isNotEqualTo(old[0] / BlockWord.FRAMES);
        region.memory().copy(region.frameDataOffset(old[0]), region.frameDataOffset(fresh[0]), 4096);
        assertThat(ours.retire(PageSize.SMALL, 0, page, old, 1, new boolean[1])).isEqualTo(1);
        assertThat(table.compareAndSet(2, entry, PageTableEntry.moved(entry, Tier.SHARED, fresh[0]))).isTrue();
        theirs.settle(PageSize.SMALL, 0, page, fresh, 1);
        ours.release(PageSize.SMALL, 0, page, old, 1);
    }

    private static Operation toLocal(String name, PageSize size, Consumer<Region> setup, Vcpu vcpu, long[] pages,
            int... status) {
        return new Operation("TO_LOCAL_" + name, region -> {
            PageMoveCrashTest.create(region, size, null);
            setup.accept(region);
        }, region -> move(region, Tier.LOCAL, vcpu, pages, status), PageMoverCrashTest::check);
    }

    private static Operation toShared(String name, PageSize size, Consumer<Region> setup, Vcpu vcpu, long[] pages,
            int... status) {
        return new Operation("TO_SHARED_" + name, region -> {
            try (LocalTier local = local()) {
                PageMoveCrashTest.create(region, size, local.zeroed());
            }
            setup.accept(region);
        }, region -> move(region, Tier.SHARED, vcpu, pages, status), PageMoverCrashTest::check);
    }

    private static LocalTier local() {
        return LocalTier.open(TIER, (long) LOCAL_BLOCKS * PageSize.LARGE.bytes(),
                HugePages.NONE);
    }

    private enum Vcpu {
        /// Executes nothing.
        OFFLINE,
        /// Does not end its slice.
        STUCK,
        /// Holds the mover up until it has taken the first page of the batch back.
        TAKES_BACK
    }

    private static BooleanSupplier right(VmPages pages, Vcpu vcpu, long page) {
        if (vcpu != Vcpu.TAKES_BACK) {
            return () -> true;
        }
        int[] asked = new int[1];
        return () -> {
            // First before the batch, then while it waits.
            if (++asked[0] == 2) {
                assertThat(pages.takeBack(page, pages.table().entryAcquire(page))).isTrue();
                assertThat(PageTableEntry.isPresent(pages.table().entryAcquire(page))).isTrue();
                pages.shootdown().offline(0);
            }
            return true;
        };
    }

    /// One batch on host 0, with a local tier that holds what the entries say.
    private static void move(Region region, Tier to, Vcpu vcpu, long[] batch, int... expected) {
        try (LocalTier local = local()) {
            VmSlot vm = region.vm(0);
            PageTable table = vm.pageTable();
            int inLocal = 0;
            for (long page = 0; page < table.pages(); page++) {
                long entry = table.entryAcquire(page);
                if (PageTableEntry.tier(entry) == Tier.LOCAL) {
                    inLocal++;
                    local.data().set(ValueLayout.JAVA_LONG, PageTableEntry.frame(entry) * 4096,
                            PageMoveCrashTest.pattern(page));
                }
            }
            assertThat(local.take(table.pageSize(), inLocal, new long[inLocal])).isEqualTo(inLocal);
            VmPages pages = new VmPages(region, vm, region.allocator(0), local, 1);
            PageMover mover = new PageMover(region, new GuestCopier(), right(pages, vcpu, batch[0]),
                    vcpu == Vcpu.STUCK ? 0 : Long.MAX_VALUE, batch.length);
            if (vcpu != Vcpu.OFFLINE) {
                pages.shootdown().online(0);
            }
            int[] status = new int[batch.length];
            assertThat(mover.move(pages, batch, 0, batch.length, to, status)).isTrue();
            pages.trim();
            assertThat(status).containsExactly(expected);
            for (long page = 0; page < table.pages(); page++) {
                assertThat(PageTableEntry.isPresent(table.entryAcquire(page))).isTrue();
            }
        }
    }

    /// Whole after host 1 has taken it over, and no frame is lost: what is free, in tables and behind pages is all.
    private static void check(Region region) {
        PageMoveCrashTest.takeOverAndCheck(region, 0, 1);
        PageTable table = region.vm(0).pageTable();
        long used = region.vm(0).readIdentity().tableFrames();
        for (long page = 0; page < table.pages(); page++) {
            if (PageTableEntry.tier(table.entryAcquire(page)) == Tier.SHARED) {
                used += table.pageSize().frames();
            }
        }
        assertThat(region.allocator(1).freeFrames()).isEqualTo(FRAMES - used);
    }

    @ParameterizedTest
    @MethodSource("operations")
    void survivesADeathOfTheProcessBeforeAnyStep(Operation operation) {
        assertThat(HARNESS.failures(operation, Model.P)).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("operations")
    void survivesADeathOfTheHostBeforeAnyStep(Operation operation) {
        assertThat(HARNESS.failures(operation, Model.H)).isEmpty();
    }
}

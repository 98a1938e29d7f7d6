package io.tombolo.region;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a page mover needs of the region: batches of frames in both sizes, the gate, pins, local pages.
class PageMemoryTest {
    private static final long SEED = Long.getLong("tombolo.seed", 20260103L);
    private static final int BLOCKS = 8;

    @TempDir
    Path directory;
    private Region region;
    private ClaimedSlot a;
    private ClaimedSlot b;

    @BeforeEach
    void format() {
        region = TestRegions.format(directory.resolve("region"), (long) BLOCKS << 21);
        a = HostSlots.claim(region, TestRegions.host("a"));
        b = HostSlots.claim(region, TestRegions.host("b"));
    }

    @AfterEach
    void close() {
        region.close();
    }

    private VmSlot create(VmIdentity identity, LocalFrames local) {
        VmSlot vm = VmSlots.claim(region, a.slot());
        VmMemory.populate(region, region.allocator(a.slot()), vm, identity, local);
        long owner = vm.ownerAcquire();
        assertThat(vm.compareAndSetOwner(owner, OwnerWord.pack(OwnerState.RUNNING, a.slot(), 1))).isTrue();
        return vm;
    }

    private void assertClean() {
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
    }

    @Test
    void takesAWholeBlockForAPageOf2MiBAndGivesItBack() {
        FrameAllocator allocator = region.allocator(a.slot());
        assertThat(allocator.freeLargeFrames()).isEqualTo(BLOCKS);
        VmSlot vm = create(TestRegions.largeVm("large", 3), null);
        assertThat(vm.readIdentity().pageSize()).isEqualTo(PageSize.LARGE);
        // The table took one frame of a fifth block.
        assertThat(allocator.freeLargeFrames()).isEqualTo(BLOCKS - 4);
        assertThat(allocator.freeFrames()).isEqualTo((BLOCKS - 3) * 512 - 1);
        PageTable table = vm.pageTable();
        for (long page = 0; page < 3; page++) {
            long frame = PageTableEntry.frame(table.entryAcquire(page));
            assertThat(frame % 512).isZero();
            assertThat(region.memory().load(region.blockOffset(frame / 512))).isEqualTo(BlockWord.largeUsed(0, page));
            assertThat(region.memory().load(region.frameDataOffset(frame) + (2 << 20) - 8)).isZero();
        }
        assertClean();
        assertThat(VmSlots.destroy(region, vm, vm.ownerAcquire())).isTrue();
        assertThat(allocator.freeLargeFrames()).isEqualTo(BLOCKS);
        assertClean();
    }

    @Test
    void refusesLargePagesForWhichNoWholeBlockIsFree() {
        FrameAllocator other = region.allocator(b.slot());
        VmSlot filler = create(TestRegions.vm("filler", 512L * (BLOCKS - 4)), null);
        // The rest of the block where the filler ends, and one frame of the next: two whole blocks are left.
        long[] pages = new long[509];
        long[] frames = new long[509];
        assertThat(other.reserve(PageSize.SMALL, filler.index(), pages, 509, frames)).isEqualTo(509);
        other.release(PageSize.SMALL, filler.index(), pages, frames, 508);
        long free = other.freeFrames();
        assertThat(other.freeLargeFrames()).isEqualTo(2);
        assertThatThrownBy(() -> create(TestRegions.largeVm("large", 3), null))
                .isInstanceOfSatisfying(TomboloException.class, e -> {
                    assertThat(e.code()).isEqualTo(RegionError.REGION_FULL);
                    assertThat(e.facts()).containsEntry("freeLargeFrames", "2").containsEntry("neededLargeFrames", "3");
                });
        // Two would fit, but one of the blocks is needed for the table.
        assertThatThrownBy(() -> create(TestRegions.largeVm("large", 2), null)).isInstanceOfSatisfying(
                TomboloException.class, e -> assertThat(e.code()).isEqualTo(RegionError.REGION_FULL));
        assertThat(other.freeFrames()).isEqualTo(free);
        assertThat(other.reserve(PageSize.LARGE, filler.index(), new long[]{0, 1, 2}, 3, new long[3])).isEqualTo(2);
        assertThat(other.reserve(PageSize.LARGE, filler.index(), new long[]{0}, 1, new long[1])).isZero();
    }

    @ParameterizedTest
    @EnumSource(PageSize.class)
    void reservesSettlesRetiresAndReleasesABatchOfPagesInAnyOrder(PageSize size) {
        FrameAllocator allocator = region.allocator(a.slot());
        long free = allocator.freeFrames();
        long[] pages = {5, 0, 3};
        long[] frames = new long[3];
        boolean[] retired = new boolean[3];
        assertThat(allocator.reserve(size, 2, pages, 3, frames)).isEqualTo(3);
        for (int i = 0; i < 3; i++) {
            assertThat(region.memory().load(region.wordOffset(size, frames[i]))).isEqualTo(size == PageSize.SMALL
                    ? FrameWord.reserved(a.slot(), 2, pages[i])
                    : BlockWord.largeReserved(a.slot(), 2, pages[i]));
        }
        allocator.settle(size, 2, pages, frames, 3);
        assertThat(allocator.freeFrames()).isEqualTo(free - 3L * size.frames());
        assertThat(allocator.retire(size, 2, pages, frames, 3, retired)).isEqualTo(3);
        assertThat(retired).containsExactly(true, true, true);
        allocator.unretire(size, 2, pages, frames, 2);
        assertThatThrownBy(() -> allocator.release(size, 2, pages, frames, 1))
                .isInstanceOf(IllegalStateException.class).hasMessageContaining("not");
        allocator.retire(size, 2, pages, frames, 2, retired);
        allocator.release(size, 2, pages, frames, 3);
        allocator.trim();
        assertThat(allocator.freeFrames()).isEqualTo(free);
        assertThat(allocator.freeLargeFrames()).isEqualTo(BLOCKS);
    }

    @Test
    void doesNotRetireAFrameInABlockOfAnotherHost() {
        FrameAllocator mine = region.allocator(a.slot());
        FrameAllocator other = region.allocator(b.slot());
        long[] page = {0};
        long[] here = {TestRegions.reserve(mine, PageSize.SMALL, 1, 0)};
        long[] there = {TestRegions.reserve(other, PageSize.SMALL, 1, 1)};
        mine.settle(PageSize.SMALL, 1, page, here, 1);
        other.settle(PageSize.SMALL, 1, new long[]{1}, there, 1);
        boolean[] retired = {true, false};
        assertThat(mine.retire(PageSize.SMALL, 1, new long[]{1, 0}, new long[]{there[0], here[0]}, 2, retired))
                .isEqualTo(1);
        assertThat(retired).containsExactly(false, true);
        assertThat(region.memory().load(region.frameWordOffset(there[0]))).isEqualTo(FrameWord.used(1, 1));
        other.trim();
        assertThat(mine.retire(PageSize.SMALL, 1, new long[]{1}, there, 1, retired)).isEqualTo(1);
    }

    @Test
    void findsEveryFreeFrameWhereverItIs() {
        FrameAllocator allocator = region.allocator(a.slot());
        int all = BLOCKS * 512;
        long[] pages = new long[all];
        long[] frames = new long[all];
        Arrays.setAll(pages, i -> i);
        Random random = new Random(SEED);
        assertThat(allocator.reserve(PageSize.SMALL, 0, pages, all, frames)).isEqualTo(all);
        for (int round = 0; round < 200; round++) {
            int i = random.nextInt(all);
            long[] one = {frames[i]};
            allocator.release(PageSize.SMALL, 0, new long[]{pages[i]}, one, 1);
            assertThat(TestRegions.reserve(allocator, PageSize.SMALL, 0, pages[i])).isEqualTo(one[0]);
            if (round % 50 == 0) {
                allocator.trim();
            }
        }
        assertThat(TestRegions.reserve(allocator, PageSize.SMALL, 0, 1)).isEqualTo(-1);
        assertThat(allocator.freeFrames()).isZero();
    }

    @ParameterizedTest
    @EnumSource(PageSize.class)
    void allocatesNoHeapInBatches(PageSize size) {
        FrameAllocator allocator = region.allocator(a.slot());
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long[] pages = {3, 1, 2};
        long[] frames = new long[3];
        boolean[] retired = new boolean[3];
        long self = Thread.currentThread().threadId();
        long allocated = Long.MAX_VALUE;
        for (int round = 0; round < 5 && allocated > 0; round++) {
            long before = threads.getThreadAllocatedBytes(self);
            for (int i = 0; i < 400; i++) {
                allocator.reserve(size, 0, pages, 3, frames);
                allocator.settle(size, 0, pages, frames, 3);
                allocator.retire(size, 0, pages, frames, 3, retired);
                allocator.release(size, 0, pages, frames, 3);
            }
            allocated = threads.getThreadAllocatedBytes(self) - before;
        }
        // The first rounds load classes.
        assertThat(allocated).isLessThan(400);
    }

    @Test
    void neverGivesABlockToTwoHostsAndBothSizes() throws ExecutionException, InterruptedException {
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<Integer>> done = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                FrameAllocator allocator = region.allocator(i % 2 == 0 ? a.slot() : b.slot());
                done.add(threads.submit(takeAndGive(allocator, i < 2 ? PageSize.SMALL : PageSize.LARGE, i)));
            }
            for (Future<Integer> future : done) {
                assertThat(future.get()).as("seed %d", SEED).isPositive();
            }
        }
        region.allocator(a.slot()).trim();
        region.allocator(b.slot()).trim();
        assertThat(region.allocator(a.slot()).freeLargeFrames()).isEqualTo(BLOCKS);
        assertClean();
    }

    /// Marks the frames that it has with its number, and looks whether they stay so.
    private Callable<Integer> takeAndGive(FrameAllocator allocator, PageSize size, int number) {
        return () -> {
            Random random = new Random(SEED + number);
            long[] pages = new long[40];
            long[] frames = new long[40];
            Arrays.setAll(pages, i -> i);
            int taken = 0;
            for (int round = 0; round < 2000; round++) {
                int got = allocator.reserve(size, number, pages, 1 + random.nextInt(size == PageSize.SMALL ? 40 : 2),
                        frames);
                for (int i = 0; i < got; i++) {
                    region.memory().store(region.frameDataOffset(frames[i]), number);
                    region.memory().store(region.frameDataOffset(frames[i] + size.frames() - 1), number);
                }
                for (int i = 0; i < got; i++) {
                    assertThat(region.memory().load(region.frameDataOffset(frames[i]))).isEqualTo(number);
                    assertThat(region.memory().load(region.frameDataOffset(frames[i] + size.frames() - 1)))
                            .isEqualTo(number);
                }
                allocator.release(size, number, pages, frames, got);
                if (random.nextInt(4) == 0) {
                    allocator.trim();
                }
                taken += got;
            }
            return taken;
        };
    }

    @ParameterizedTest
    @EnumSource(PageSize.class)
    void createsAVmInLocalPagesAndGivesThemBack(PageSize size) {
        FakeLocal local = new FakeLocal(4 * 512);
        long free = region.allocator(a.slot()).freeFrames();
        VmIdentity identity = size == PageSize.SMALL ? TestRegions.vm("vm", 700) : TestRegions.largeVm("vm", 3);
        VmSlot vm = create(identity, local);
        assertThat(local.taken()).isEqualTo(identity.pages() * size.frames());
        assertThat(vm.localPagesAcquire()).isEqualTo(identity.pages());
        assertThat(region.allocator(a.slot()).freeFrames()).isEqualTo(free - identity.tableFramesNeeded());
        assertThat(vm.pageTable().entryAcquire(1) >>> 56).isEqualTo(PageTableEntry.PRESENT_LOCAL);
        assertThat(RegionVerifier.verify(region).counts()).containsEntry("pages local", identity.pages());
        assertClean();
        assertThat(VmSlots.destroy(region, vm, vm.ownerAcquire(), local)).isTrue();
        assertThat(local.taken()).isZero();
        assertThat(region.allocator(a.slot()).freeFrames()).isEqualTo(free);
        assertClean();
    }

    @Test
    void givesEverythingBackWhenTheLocalTierIsTooSmall() {
        FakeLocal local = new FakeLocal(600);
        long free = region.allocator(a.slot()).freeFrames();
        VmSlot vm = VmSlots.claim(region, a.slot());
        assertThatThrownBy(() -> VmMemory.populate(region, region.allocator(a.slot()), vm,
                TestRegions.vm("vm", 700), local)).isInstanceOfSatisfying(TomboloException.class, e -> {
                    assertThat(e.code()).isEqualTo(RegionError.LOCAL_TIER_FULL);
                    assertThat(e.facts()).containsEntry("neededBytes", "2867200").containsEntry("freeBytes", "2457600");
                });
        assertThat(local.taken()).isZero();
        assertThat(region.allocator(a.slot()).freeFrames()).isEqualTo(free);
        assertThat(vm.localPagesAcquire()).isZero();
    }

    @Test
    void letsOperationsThroughTheGateUntilItIsClosed() {
        VmGate gate = create(TestRegions.vm("vm", 4), null).gate();
        assertThat(gate.enter()).isTrue();
        assertThat(gate.enter()).isTrue();
        gate.close();
        gate.close();
        assertThat(gate.enter()).isFalse();
        assertThat(gate.drained()).isFalse();
        gate.leave();
        assertThat(gate.drained()).isFalse();
        gate.leave();
        assertThat(gate.drained()).isTrue();
        assertThat(VmGate.describe(gate.wordAcquire())).isEqualTo("closed, 0 in flight");
        assertThatThrownBy(gate::leave).isInstanceOf(IllegalStateException.class);
        gate.open();
        assertThat(gate.isClosed()).isFalse();
        for (int i = 0; i < VmGate.COUNT_MAX; i++) {
            assertThat(gate.enter()).isTrue();
        }
        assertThatThrownBy(gate::enter).isInstanceOf(IllegalStateException.class);
        gate.close();
        gate.reset();
        assertThat(gate.wordAcquire()).isZero();
    }

    @Test
    void findsAGateDrainedOnlyWhenNobodyIsInside() throws ExecutionException, InterruptedException {
        VmGate gate = create(TestRegions.vm("vm", 4), null).gate();
        long[] inside = new long[1];
        try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
            List<Future<Integer>> movers = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                movers.add(threads.submit(() -> {
                    int entered = 0;
                    while (entered < 50_000) {
                        if (gate.enter()) {
                            synchronized (inside) {
                                inside[0]++;
                            }
                            entered++;
                            synchronized (inside) {
                                inside[0]--;
                            }
                            gate.leave();
                        }
                    }
                    return entered;
                }));
            }
            while (!movers.stream().allMatch(Future::isDone)) {
                gate.close();
                while (!gate.drained()) {
                    Thread.onSpinWait();
                }
                synchronized (inside) {
                    assertThat(inside[0]).isZero();
                }
                gate.open();
            }
            for (Future<Integer> mover : movers) {
                assertThat(mover.get()).isEqualTo(50_000);
            }
        }
    }

    @Test
    void keepsPinnedRangesWithACountEach() {
        VmSlot vm = create(TestRegions.vm("vm", 100), null);
        VmPins pins = vm.pins();
        assertThat(pins.any()).isFalse();
        pins.pin(10, 5);
        pins.pin(10, 5);
        pins.pin(0, 100);
        assertThat(pins.list()).containsExactly(new PinRange(10, 5, 2), new PinRange(0, 100, 1));
        assertClean();
        pins.unpin(0, 100);
        assertThat(pins.isPinned(9)).isFalse();
        assertThat(pins.isPinned(10)).isTrue();
        assertThat(pins.isPinned(14)).isTrue();
        assertThat(pins.isPinned(15)).isFalse();
        pins.unpin(10, 5);
        assertThat(pins.isPinned(10)).isTrue();
        pins.unpin(10, 5);
        assertThat(pins.any()).isFalse();
        assertClean();
        pins.pin(99, 1);
        VmSlots.destroy(region, vm, vm.ownerAcquire());
        assertThat(vm.pins().list()).isEmpty();
        assertClean();
    }

    @Test
    void refusesPinsThatCannotBe() {
        VmPins pins = create(TestRegions.vm("vm", 100), null).pins();
        for (long[] range : new long[][]{{-1, 1}, {0, 0}, {0, 101}, {100, 1}, {99, 2}, {Long.MAX_VALUE, 1},
                {1, Long.MAX_VALUE}, {0, -5}}) {
            assertCode(RegionError.PIN_RANGE_INVALID, 2, () -> pins.pin(range[0], range[1]));
            assertCode(RegionError.PIN_RANGE_INVALID, 2, () -> pins.unpin(range[0], range[1]));
        }
        pins.pin(3, 4);
        assertCode(RegionError.PIN_UNKNOWN, 2, () -> pins.unpin(3, 3));
        for (int i = 1; i < VmPins.RANGES_MAX; i++) {
            pins.pin(i + 10, 1);
        }
        assertCode(RegionError.PINS_FULL, 3, () -> pins.pin(0, 1));
        pins.pin(11, 1);
        pins.unpin(12, 1);
        pins.pin(0, 1);
        assertThat(pins.list()).hasSize(VmPins.RANGES_MAX);
        assertClean();
    }

    private static void assertCode(RegionError code, int exitStatus, Runnable action) {
        assertThatThrownBy(action::run).isInstanceOfSatisfying(TomboloException.class,
                e -> assertThat(e.code()).isEqualTo(code));
        assertThat(code.exitStatus()).isEqualTo(exitStatus);
    }

    @Test
    void neverCountsFewerThanNoLocalPages() {
        VmSlot vm = create(TestRegions.vm("vm", 4), null);
        vm.addLocalPages(2);
        vm.addLocalPages(-2);
        assertThatThrownBy(() -> vm.addLocalPages(-1)).isInstanceOf(IllegalStateException.class);
        assertThat(vm.localPagesAcquire()).isZero();
    }

    @Test
    void listsAtMost1024RangesOfLostPagesAndCountsThemAll() {
        FakeLocal local = new FakeLocal(3000);
        VmSlot vm = create(TestRegions.vm("vm", 3000), local);
        PageTable table = vm.pageTable();
        // Every other page is somewhere else; which does not matter here.
        for (long page = 1; page < 3000; page += 2) {
            assertThat(table.compareAndSet(page, table.entryAcquire(page), 0)).isTrue();
        }
        long owner = vm.ownerAcquire();
        assertThatThrownBy(() -> Recovery.recoverVm(region, vm, b.slot())).isInstanceOfSatisfying(
                TomboloException.class, e -> assertThat(e.code()).isEqualTo(RegionError.REGION_WRONG_STATE));
        HostSlots.fence(region, a.slot(), a.incarnation());
        HostSlots.confirmStopped(region, a.slot(), a.incarnation());
        Recovery.recover(region, a.slot(), a.incarnation(), b.slot());
        assertThat(vm.compareAndSetOwner(owner,
                OwnerWord.pack(OwnerState.RECOVERING, b.slot(), OwnerWord.nextEpoch(owner)))).isTrue();
        Recovery.VmReport report = Recovery.recoverVm(region, vm, b.slot());
        assertThat(report.localPages()).isEqualTo(1500);
        assertThat(report.lost()).hasSize(Recovery.LOST_RANGES_MAX).startsWith(new PageRange(0, 1),
                new PageRange(2, 1));
        assertThat(vm.localPagesAcquire()).isEqualTo(1500);
        assertThat(Recovery.recoverVm(region, vm, b.slot())).isEqualTo(report);
        assertClean();
    }

    @Test
    void findsPagesThatNobodyMoves() {
        VmSlot vm = create(TestRegions.vm("vm", 4), null);
        PageTable table = vm.pageTable();
        long entry = table.entryAcquire(2);
        long marked = PageTableEntry.pack(PteState.MIGRATING, Tier.SHARED, PageTableEntry.frame(entry), 2, 0);
        assertThat(table.compareAndSet(2, entry, marked)).isTrue();
        assertThat(codes()).containsExactly(Finding.Code.PAGE_MARKED);
        vm.gate().enter();
        assertClean();
        assertThat(table.compareAndSet(2, marked, entry)).isTrue();
        vm.addLocalPages(1);
        assertClean();
        vm.gate().leave();
        assertThat(codes()).containsExactly(Finding.Code.LOCAL_PAGES);
        vm.addLocalPages(-1);
        region.allocator(a.slot()).retire(PageSize.SMALL, vm.index(), new long[]{2},
                new long[]{PageTableEntry.frame(entry)}, 1, new boolean[1]);
        assertThat(codes()).containsExactly(Finding.Code.FRAME_MISMATCH);
        vm.gate().enter();
        assertClean();
    }

    private List<Finding.Code> codes() {
        return RegionVerifier.verify(region).findings().stream().map(Finding::code).toList();
    }

    @Test
    void refusesAShapeThatIsNotWholePages() {
        assertThatThrownBy(() -> VmIdentity.frames(new java.util.UUID(1, 1), "vm", 3 << 20, PageSize.LARGE, 1, "x"))
                .isInstanceOfSatisfying(TomboloException.class,
                        e -> assertThat(e.code()).isEqualTo(RegionError.REGION_OPTIONS_INVALID));
        assertThat(PageSize.ofBytes(8192)).isNull();
        assertThat(PageSize.ofBytes(2 << 20)).isEqualTo(PageSize.LARGE);
        assertThat(PageSize.LARGE.frames()).isEqualTo(BlockWord.FRAMES);
    }
}

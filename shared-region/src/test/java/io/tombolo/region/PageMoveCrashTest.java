package io.tombolo.region;

import static io.tombolo.region.CrashHarness.recoverAndVerify;
import static io.tombolo.region.CrashHarness.run;
import static io.tombolo.region.CrashHarness.swap;
import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.region.CrashHarness.Model;
import io.tombolo.region.CrashHarness.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// As [CrashEnumerationTest], for what moves pages: batches of the allocator in both sizes, local pages, gate, pins,
/// and the recovery of a VM, which itself dies before each of its steps.
class PageMoveCrashTest {
    /// Four blocks: a table at the bottom, small pages or two large ones from the top.
    private static final long FRAMES = 2048;
    private static final CrashHarness HARNESS = new CrashHarness(FRAMES);
    private static final long[] BATCH = {3, 0, 2};
    private static final int SMALL_PAGES = 5;

    static List<Operation> operations() {
        List<Operation> operations = new ArrayList<>();
        for (PageSize size : PageSize.values()) {
            Consumer<Region> check = region -> takeOverAndCheck(region, 0, 1);
            operations.add(new Operation("RESERVE_AND_RELEASE_" + size, region -> create(region, size, null),
                    region -> reserveAndRelease(region, size), check));
            operations.add(new Operation("RETIRE_AND_UNRETIRE_" + size, region -> create(region, size, null),
                    region -> retireAndUnretire(region, size), check));
            operations.add(new Operation("MOVE_TO_LOCAL_" + size, region -> create(region, size, null),
                    PageMoveCrashTest::moveToLocal, check));
            operations.add(new Operation("MOVE_TO_SHARED_" + size, region -> create(region, size, local()),
                    PageMoveCrashTest::moveToShared, check));
        }
        operations.addAll(List.of(
                new Operation("RESERVE_LARGE_AFTER_A_RELEASE_THAT_IS_NOT_DURABLE", region -> {
                    create(region, PageSize.SMALL, null);
                    reserveAndLeave(region);
                }, PageMoveCrashTest::releaseAndReserveLarge, CrashHarness::recoverAndVerify),
                new Operation("CREATE_LOCAL_VM", _ -> {
                }, region -> create(region, PageSize.SMALL, local()), region -> takeOverAndCheck(region, 0, 1)),
                new Operation("DESTROY_LOCAL_VM", region -> create(region, PageSize.SMALL, local()),
                        region -> destroy(region), region -> takeOverAndCheck(region, 0, 1)),
                // Something fails when the local frames have gone back: whoever repeats it gives none back twice.
                new Operation("DESTROY_LOCAL_VM_TWICE", _ -> {
                }, PageMoveCrashTest::destroyLocalTwice, region -> takeOverAndCheck(region, 0, 1)),
                new Operation("PIN_AND_UNPIN", region -> create(region, PageSize.SMALL, null),
                        PageMoveCrashTest::pinAndUnpin, PageMoveCrashTest::pinnedAsFarAsDone),
                new Operation("GATE", region -> create(region, PageSize.SMALL, null), PageMoveCrashTest::gate,
                        region -> takeOverAndCheck(region, 0, 1)),
                new Operation("RECOVER_VM", PageMoveCrashTest::dieInTheMiddleOfEverything,
                        region -> {
                            takeOver(region, 1);
                            assertThat(RegionVerifier.verify(region).findings()).isEmpty();
                        }, region -> takeOverAndCheck(region, 1, 2)),
                new Operation("RECOVER_LARGE_FRAMES", PageMoveCrashTest::dieWithLargeFramesReserved,
                        region -> Recovery.recover(region, 0, 1, 1), region -> {
                            recoverAndVerify(region, 1, 2);
                            takeOverAndCheck(region, 0, 2);
                        }),
                // Whoever recovers dies after the slot is free: nobody repeats the recovery.
                new Operation("RECOVER_LARGE_FRAMES_AND_FREE", region -> {
                    dieWithLargeFramesReserved(region);
                    swap(region, OwnerState.RECOVERING, 1, 1);
                    swap(region, OwnerState.RUNNING, 1, 0);
                }, region -> {
                    Recovery.recover(region, 0, 1, 1);
                    HostSlots.free(region, 0, 1);
                }, region -> {
                    if (SlotWord.state(region.host(0).wordAcquire()) != HostState.FREE) {
                        Recovery.recover(region, 0, 1, 2);
                    }
                    recoverAndVerify(region, 1, 2);
                }),
                new Operation("RESERVE_LARGE_IN_A_RACE", region -> {
                    create(region, PageSize.SMALL, null);
                    // Only one block is left empty: nothing makes the line with the block words durable later.
                    CrashHarness.createVm(region, 2, 2L * BlockWord.FRAMES);
                }, PageMoveCrashTest::reserveLargeInARace, region -> takeOverAndCheck(region, 0, 1)),
                new Operation("CREATE_LARGE_VM", _ -> {
                }, region -> create(region, PageSize.LARGE, null), region -> takeOverAndCheck(region, 0, 1)),
                new Operation("DESTROY_LARGE_VM", region -> create(region, PageSize.LARGE, null),
                        region -> destroy(region), region -> takeOverAndCheck(region, 0, 1))));
        return operations;
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

    private static FakeLocal local() {
        return new FakeLocal(8 * 512);
    }

    private static int pages(PageSize size) {
        return size == PageSize.SMALL ? SMALL_PAGES : 1;
    }

    private static long[] batch(PageSize size) {
        return size == PageSize.SMALL ? BATCH : new long[]{0};
    }

    static long pattern(long page) {
        return 0x0102_0304_0506_0708L * (page + 1);
    }

    /// VM slot 0 on host 0, running; each page in shared memory begins with its pattern.
    static void create(Region region, PageSize size, LocalFrames local) {
        VmSlot vm = VmSlots.claim(region, 0);
        VmIdentity identity = VmMemory.populate(region, region.allocator(0), vm, VmIdentity.frames(new UUID(2, 1),
                "vm", (long) pages(size) * size.bytes(), size, 1, "simulated"), local);
        if (local == null) {
            PageTable table = new PageTable(region, vm.index(), identity);
            for (int page = 0; page < identity.pages(); page++) {
                long at = region.frameDataOffset(PageTableEntry.frame(table.entryAcquire(page)));
                region.memory().store(at, pattern(page));
                region.memory().persist(at, 8);
            }
        }
        run(vm, 0);
    }

    private static void destroy(Region region) {
        VmSlots.destroy(region, region.vm(0), region.vm(0).ownerAcquire());
    }

    private static void reserveAndRelease(Region region, PageSize size) {
        FrameAllocator allocator = region.allocator(0);
        long[] pages = batch(size);
        long[] frames = new long[pages.length];
        region.vm(0).gate().enter();
        assertThat(allocator.reserve(size, 0, pages, pages.length, frames)).isEqualTo(pages.length);
        allocator.release(size, 0, pages, frames, pages.length);
        region.vm(0).gate().leave();
        allocator.trim();
    }

    private static void retireAndUnretire(Region region, PageSize size) {
        FrameAllocator allocator = region.allocator(0);
        long[] pages = batch(size);
        long[] frames = frames(region, pages);
        boolean[] retired = new boolean[pages.length];
        region.vm(0).gate().enter();
        assertThat(allocator.retire(size, 0, pages, frames, pages.length, retired)).isEqualTo(pages.length);
        assertThat(retired).containsOnly(true);
        allocator.unretire(size, 0, pages, frames, pages.length);
        region.vm(0).gate().leave();
        allocator.trim();
    }

    private static long[] frames(Region region, long[] pages) {
        PageTable table = region.vm(0).pageTable();
        long[] frames = new long[pages.length];
        for (int i = 0; i < pages.length; i++) {
            frames[i] = PageTableEntry.frame(table.entryAcquire(pages[i]));
        }
        return frames;
    }

    /// Every entry of the batch, by CAS, to a state, tier and frame.
    private static void change(PageTable table, long[] pages, PteState state, Tier tier, long[] frames) {
        for (int i = 0; i < pages.length; i++) {
            long entry = table.entryAcquire(pages[i]);
            assertThat(table.compareAndSet(pages[i], entry,
                    PageTableEntry.pack(state, tier, frames[i], PageTableEntry.nextTag(entry), 0))).isTrue();
        }
    }

    private static void persist(Region region, PageTable table, long[] pages) {
        for (long page : pages) {
            table.writeBack(page, 1);
        }
        region.memory().fence();
    }

    private static void moveToLocal(Region region) {
        VmSlot vm = region.vm(0);
        PageTable table = vm.pageTable();
        PageSize size = table.pageSize();
        FrameAllocator allocator = region.allocator(0);
        long[] pages = batch(size);
        long[] old = frames(region, pages);
        long[] fresh = new long[pages.length];
        local().take(size, pages.length, fresh);
        vm.gate().enter();
        vm.addLocalPages(pages.length);
        change(table, pages, PteState.MIGRATING, Tier.SHARED, old);
        allocator.retire(size, 0, pages, old, pages.length, new boolean[pages.length]);
        change(table, pages, PteState.PRESENT, Tier.LOCAL, fresh);
        persist(region, table, pages);
        allocator.release(size, 0, pages, old, pages.length);
        vm.gate().leave();
        allocator.trim();
    }

    private static void moveToShared(Region region) {
        VmSlot vm = region.vm(0);
        PageTable table = vm.pageTable();
        PageSize size = table.pageSize();
        FrameAllocator allocator = region.allocator(0);
        long[] pages = batch(size);
        long[] old = frames(region, pages);
        long[] fresh = new long[pages.length];
        vm.gate().enter();
        assertThat(allocator.reserve(size, 0, pages, pages.length, fresh)).isEqualTo(pages.length);
        change(table, pages, PteState.MIGRATING, Tier.LOCAL, old);
        for (int i = 0; i < pages.length; i++) {
            region.memory().zero(region.frameDataOffset(fresh[i]), size.bytes());
            region.memory().store(region.frameDataOffset(fresh[i]), pattern(pages[i]));
            region.memory().writeBack(region.frameDataOffset(fresh[i]), size.bytes());
        }
        region.memory().fence();
        change(table, pages, PteState.PRESENT, Tier.SHARED, fresh);
        persist(region, table, pages);
        allocator.settle(size, 0, pages, fresh, pages.length);
        vm.addLocalPages(-pages.length);
        vm.gate().leave();
        allocator.trim();
    }

    /// A block in which one frame is reserved and nothing else is in use: the last one.
    private static void reserveAndLeave(Region region) {
        long frame = TestRegions.reserve(region.allocator(0), PageSize.SMALL, 0, 1);
        assertThat(frame).isEqualTo(3L * BlockWord.FRAMES);
    }

    /// Another thread is between the change of the word and its persist when the block is taken whole.
    private static void releaseAndReserveLarge(Region region) {
        FrameAllocator allocator = region.allocator(0);
        region.memory().compareAndSet(region.frameWordOffset(3L * BlockWord.FRAMES), FrameWord.reserved(0, 0, 1),
                FrameWord.FREE);
        region.vm(0).gate().enter();
        long frame = TestRegions.reserve(allocator, PageSize.LARGE, 0, 1);
        assertThat(frame).isEqualTo(3L * BlockWord.FRAMES);
        allocator.release(PageSize.LARGE, 0, new long[]{1}, new long[]{frame}, 1);
        region.vm(0).gate().leave();
    }

    /// Host 2 has a frame in the last empty block by the time that it is claimed.
    private static void reserveLargeInARace(Region region) {
        FrameAllocator allocator = region.allocator(0);
        region.vm(0).gate().enter();
        CrashMemory memory = (CrashMemory) region.memory();
        memory.race(region.blockOffset(1), () -> moveOfHost2(region, 1));
        try {
            assertThat(TestRegions.reserve(allocator, PageSize.LARGE, 0, 1)).isNegative();
        } finally {
            memory.race(-1, null);
        }
        assertThat(TestRegions.reserve(allocator, PageSize.SMALL, 0, 1) / BlockWord.FRAMES).isEqualTo(1);
        region.vm(0).gate().leave();
    }

    /// The page of host 2's VM goes to the first frame of a block, which is nobody's before and after.
    private static void moveOfHost2(Region region, long block) {
        Memory memory = region.memory();
        FrameAllocator allocator = region.allocator(2);
        VmSlot vm = region.vm(1);
        long[] page = {0};
        long[] fresh = {block * BlockWord.FRAMES};
        long entry = vm.pageTable().entryAcquire(0);
        long[] old = {PageTableEntry.frame(entry)};
        vm.gate().enter();
        swapWord(memory, region.blockOffset(block), BlockWord.FREE, BlockWord.owned(2, 1));
        swapWord(memory, region.frameWordOffset(fresh[0]), FrameWord.FREE, FrameWord.reserved(2, 1, 0));
        assertThat(allocator.retire(PageSize.SMALL, 1, page, old, 1, new boolean[1])).isEqualTo(1);
        memory.copy(region.frameDataOffset(old[0]), region.frameDataOffset(fresh[0]), 4096);
        memory.persist(region.frameDataOffset(fresh[0]), 4096);
        assertThat(vm.pageTable().compareAndSet(0, entry, PageTableEntry.moved(entry, Tier.SHARED, fresh[0]))).isTrue();
        vm.pageTable().persist(0, 1);
        allocator.settle(PageSize.SMALL, 1, page, fresh, 1);
        allocator.release(PageSize.SMALL, 1, page, old, 1);
        vm.gate().leave();
        allocator.trim();
        swapWord(memory, region.blockOffset(block), BlockWord.owned(2, 1), BlockWord.FREE);
    }

    private static void swapWord(Memory memory, long at, long expect, long next) {
        assertThat(memory.compareAndSet(at, expect, next)).isTrue();
        memory.persist(at, 8);
    }

    /// What is pinned after each of the changes.
    private static final List<Set<PinRange>> PINNED = List.of(Set.of(), Set.of(new PinRange(1, 2, 1)),
            Set.of(new PinRange(1, 2, 2)), Set.of(new PinRange(1, 2, 2), new PinRange(0, 5, 1)),
            Set.of(new PinRange(1, 2, 1), new PinRange(0, 5, 1)), Set.of(new PinRange(0, 5, 1)),
            Set.of(new PinRange(4, 1, 1), new PinRange(0, 5, 1)), Set.of(new PinRange(4, 1, 1)));

    private static void pinAndUnpin(Region region) {
        VmPins pins = region.vm(0).pins();
        List<Runnable> changes = List.of(() -> pins.pin(1, 2), () -> pins.pin(1, 2), () -> pins.pin(0, 5),
                () -> pins.unpin(1, 2), () -> pins.unpin(1, 2), () -> pins.pin(4, 1), () -> pins.unpin(0, 5));
        long done = progress(region);
        for (int i = 0; i < changes.size(); i++) {
            changes.get(i).run();
            region.memory().store(done, i + 1);
            region.memory().persist(done, 8);
        }
        assertThat(pins.usedAcquire()).isEqualTo(1);
        for (int i = 0; i < VmPins.RANGES_MAX; i++) {
            assertThat(region.memory().load(pins.rangeAt(i)) == 0).as("range %d", i)
                    .isEqualTo(region.memory().load(pins.pinAt(i)) == 0);
        }
    }

    /// A word of the guest's memory that says how many changes are done.
    private static long progress(Region region) {
        return region.frameDataOffset(frames(region, new long[]{0})[0]) + 8;
    }

    private static void pinnedAsFarAsDone(Region region) {
        int done = (int) region.memory().load(progress(region));
        takeOverAndCheckEntries(region, 0, 1);
        assertThat(Set.copyOf(region.vm(0).pins().list())).isIn(PINNED.get(done),
                PINNED.get(Math.min(done + 1, PINNED.size() - 1)));
    }

    private static void gate(Region region) {
        VmGate gate = region.vm(0).gate();
        gate.enter();
        gate.enter();
        gate.close();
        assertThat(gate.enter()).isFalse();
        gate.leave();
        gate.leave();
        assertThat(gate.drained()).isTrue();
        gate.markCopied();
        assertThat(VmGate.isCopied(gate.wordAcquire())).isTrue();
        gate.open();
        gate.enter();
        gate.leave();
        assertThat(gate.wordAcquire()).isZero();
    }

    /// Host 0 is dead and its frames are recovered: pages marked in both tiers, counts too high, a pin half made.
    private static void dieInTheMiddleOfEverything(Region region) {
        create(region, PageSize.SMALL, null);
        VmSlot vm = region.vm(0);
        PageTable table = vm.pageTable();
        moveToLocal(region);
        vm.pins().pin(0, 1);
        vm.gate().enter();
        vm.gate().enter();
        vm.gate().close();
        vm.addLocalPages(7);
        change(table, new long[]{1, 4}, PteState.MIGRATING, Tier.SHARED, frames(region, new long[]{1, 4}));
        change(table, new long[]{2}, PteState.MIGRATING, Tier.LOCAL, frames(region, new long[]{2}));
        region.memory().store(vm.base() + RegionLayout.VM_SLOT.offset("pins"), 2);
        region.memory().store(vm.pins().rangeAt(1), 1L << 32 | 1);
        recoverAndVerify(region, 0, 1);
    }

    /// Host 0 is dead with a page's new frame published and not settled, and another one reserved for nothing.
    private static void dieWithLargeFramesReserved(Region region) {
        create(region, PageSize.LARGE, null);
        VmSlot vm = region.vm(0);
        FrameAllocator allocator = region.allocator(0);
        long[] page = {0};
        vm.gate().enter();
        long[] old = frames(region, page);
        assertThat(allocator.retire(PageSize.LARGE, 0, page, old, 1, new boolean[1])).isEqualTo(1);
        assertThat(allocator.freeLargeFrames()).isEqualTo(2);
        assertThat(TestRegions.reserve(allocator, PageSize.LARGE, 0, 0)).isNotNegative();
        HostSlots.fence(region, 0, 1);
        HostSlots.confirmStopped(region, 0, 1);
    }

    private static void destroyLocalTwice(Region region) {
        FakeLocal local = local();
        create(region, PageSize.SMALL, local);
        VmSlot vm = region.vm(0);
        CrashMemory memory = (CrashMemory) region.memory();
        long table = region.frameWordOffset(vm.readIdentity().tableFirstFrame());
        memory.race(table, () -> {
            throw new IllegalStateException("fails once");
        });
        try {
            VmSlots.destroy(region, vm, vm.ownerAcquire(), local);
            throw new AssertionError("it must fail");
        } catch (IllegalStateException e) {
            assertThat(e).hasMessage("fails once");
        } finally {
            memory.race(-1, null);
        }
        assertThat(VmSlots.destroy(region, vm, vm.ownerAcquire(), local)).isTrue();
        assertThat(local.taken()).isZero();
    }

    private static Recovery.VmReport takeOver(Region region, int host) {
        swap(region, OwnerState.RECOVERING, host, 1);
        Recovery.VmReport report = Recovery.recoverVm(region, region.vm(0), host);
        swap(region, OwnerState.RUNNING, host, 0);
        return report;
    }

    /// What `dead` had is recovered, verify is clean before and after the VM is taken over, no mark and no count is
    /// left, and every page in shared memory has its contents.
    static void takeOverAndCheck(Region region, int dead, int executor) {
        recoverAndVerify(region, dead, executor);
        VmSlot vm = region.vm(0);
        long owner = vm.ownerAcquire();
        if (OwnerWord.is(owner, OwnerState.FREE)) {
            assertThat(region.allocator(executor).freeFrames()).isEqualTo(FRAMES);
            return;
        }
        if (OwnerWord.is(owner, OwnerState.RUNNING) && OwnerWord.slot(owner) != 0) {
            wholeAfterRecovery(vm);
        }
        takeOverAndCheckEntries(region, dead, executor);
        PageTable table = vm.pageTable();
        for (int page = 0; page < table.pages(); page++) {
            long entry = table.entryAcquire(page);
            if (PageTableEntry.tier(entry) == Tier.SHARED) {
                contents(region, table.pageSize(), page, region.frameDataOffset(PageTableEntry.frame(entry)));
            }
        }
    }

    /// The pattern, and zeros as populate left them.
    private static void contents(Region region, PageSize size, long page, long at) {
        assertThat(region.memory().load(at)).isEqualTo(pattern(page));
        for (long offset = 8; offset < size.bytes(); offset += size == PageSize.SMALL ? 8 : 4096) {
            long word = region.memory().load(at + offset);
            if (word != 0) {
                throw new AssertionError("page " + page + " offset " + offset + ": " + word);
            }
        }
    }

    private static void takeOverAndCheckEntries(Region region, int dead, int executor) {
        recoverAndVerify(region, dead, executor);
        VmSlot vm = region.vm(0);
        Recovery.VmReport report = takeOver(region, executor);
        wholeAfterRecovery(vm);
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
        assertThat(report.localPages()).isEqualTo(vm.localPagesAcquire());
        assertThat(report.lost().stream().mapToLong(PageRange::count).sum()).isEqualTo(report.localPages());
        PageTable table = vm.pageTable();
        for (int page = 0; page < table.pages(); page++) {
            long entry = table.entryAcquire(page);
            long at = page;
            assertThat(report.lost().stream().anyMatch(lost -> at >= lost.first() && at < lost.first() + lost.count()))
                    .isEqualTo(PageTableEntry.tier(entry) == Tier.LOCAL);
        }
    }

    private static void wholeAfterRecovery(VmSlot vm) {
        PageTable table = vm.pageTable();
        int local = 0;
        for (int page = 0; page < table.pages(); page++) {
            assertThat(PageTableEntry.state(table.entryAcquire(page))).isEqualTo(PteState.PRESENT);
            local += PageTableEntry.tier(table.entryAcquire(page)) == Tier.LOCAL ? 1 : 0;
        }
        assertThat(vm.localPagesAcquire()).isEqualTo(local);
        assertThat(vm.gate().wordAcquire()).isZero();
        assertThat(vm.pins().usedAcquire()).isEqualTo(vm.pins().list().size());
    }
}

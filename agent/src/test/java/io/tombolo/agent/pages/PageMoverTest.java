package io.tombolo.agent.pages;

import static io.tombolo.agent.pages.PageMoves.check;
import static io.tombolo.agent.pages.PageMoves.fill;
import static io.tombolo.agent.pages.PageMoves.tierOf;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.tombolo.region.PageSize;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.Tier;
import io.tombolo.region.os.Errno;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// One mover, no guest: what becomes of pages, frames, counts and contents, with the meaning of move_pages(2).
final class PageMoverTest {
    private static final int SMALL_PAGES = 100;
    private static final int SHARED = Tier.SHARED.code();
    private static final int LOCAL = Tier.LOCAL.code();

    private static TestVm vm(PageSize size, Tier from) {
        return vm(size, from, 1);
    }

    private static TestVm vm(PageSize size, Tier from, int vcpus) {
        long bytes = size == PageSize.SMALL ? SMALL_PAGES * 4096L : 4L * size.bytes();
        TestVm vm = new TestVm(bytes, size, from == Tier.LOCAL, vcpus,
                size == PageSize.SMALL ? PageSize.LARGE.bytes() : bytes);
        fill(vm);
        return vm;
    }

    private static Tier other(Tier tier) {
        return tier == Tier.SHARED ? Tier.LOCAL : Tier.SHARED;
    }

    private static int[] move(TestVm vm, PageMover mover, Tier to, long... pages) {
        int[] status = new int[pages.length];
        int step = mover.batch(vm.pages);
        for (int i = 0; i < pages.length; i += step) {
            assertThat(mover.move(vm.pages, pages, i, Math.min(step, pages.length - i), to, status)).isTrue();
        }
        return status;
    }

    private static long[] all(TestVm vm) {
        return LongStream.range(0, vm.pages.table().pages()).toArray();
    }

    @ParameterizedTest
    @EnumSource(PageSize.class)
    void movesPagesBothWaysWithTheirContents(PageSize size) {
        try (TestVm vm = vm(size, Tier.SHARED)) {
            PageMoves.Account account = new PageMoves.Account(vm);
            PageMover mover = vm.mover(7);
            for (int round = 0; round < 3; round++) {
                for (Tier to : new Tier[]{Tier.LOCAL, Tier.SHARED}) {
                    long before = vm.copier.bytesCopied();
                    assertThat(move(vm, mover, to, all(vm))).containsOnly(to.code());
                    assertThat(vm.copier.bytesCopied() - before).isEqualTo(vm.pages.table().pages() * size.bytes());
                    assertThat(vm.slot.localPagesAcquire())
                            .isEqualTo(to == Tier.LOCAL ? vm.pages.table().pages() : 0);
                    account.check();
                    check(vm);
                }
            }
            // There already: answered, not copied.
            long before = vm.copier.bytesCopied();
            assertThat(move(vm, mover, Tier.SHARED, all(vm))).containsOnly(SHARED);
            assertThat(vm.copier.bytesCopied()).isEqualTo(before);
        }
    }

    @ParameterizedTest
    @EnumSource(Tier.class)
    void movesAPageThatIsNamedTwiceOnceAndSaysSoInBothPlaces(Tier from) {
        try (TestVm vm = vm(PageSize.SMALL, from)) {
            PageMoves.Account account = new PageMoves.Account(vm);
            int to = other(from).code();
            assertThat(move(vm, vm.mover(8), other(from), 3, 1, 3, 3, 2, 1)).containsExactly(to, to, to, to, to, to);
            assertThat(vm.copier.bytesCopied()).isEqualTo(3 * 4096);
            account.check();
            check(vm);
        }
    }

    /// One frame is left, the page that gets it is named before and after one that gets none.
    @Test
    void saysInAllPlacesWhatBecameOfAPageForWhichThereWasRoomOnce() {
        try (TestVm vm = vm(PageSize.SMALL, Tier.SHARED)) {
            long[] taken = new long[511];
            assertThat(vm.local.take(PageSize.SMALL, 511, taken)).isEqualTo(511);
            assertThat(move(vm, vm.mover(8), Tier.LOCAL, 5, 6, 5)).containsExactly(LOCAL, -Errno.ENOMEM, LOCAL);
            vm.local.give(PageSize.SMALL, taken, 511);
            check(vm);
        }
    }

    @ParameterizedTest
    @CsvSource({"SMALL,SHARED", "SMALL,LOCAL", "LARGE,SHARED", "LARGE,LOCAL"})
    void answersPagesThatCannotMoveAndMovesTheRest(PageSize size, Tier from) {
        try (TestVm vm = vm(size, from)) {
            PageMoves.Account account = new PageMoves.Account(vm);
            PageMover mover = vm.mover(16);
            int to = other(from).code();
            long pages = vm.pages.table().pages();
            long absent = vm.pages.table().entryAcquire(1);
            assertThat(vm.pages.table().compareAndSet(1, absent, 0)).isTrue();
            long busy = vm.pages.table().entryAcquire(2);
            long marked = PageTableEntry.with(busy, PteState.MIGRATING);
            assertThat(vm.pages.table().compareAndSet(2, busy, marked)).isTrue();
            vm.pages.pins().pin(3, 1);

            assertThat(move(vm, mover, other(from), 0, pages, 1, 2, -1, 3, Long.MAX_VALUE, Long.MIN_VALUE))
                    .containsExactly(to, -Errno.EFAULT, -Errno.ENOENT, -Errno.EBUSY, -Errno.EFAULT, -Errno.EBUSY,
                            -Errno.EFAULT, -Errno.EFAULT);

            assertThat(vm.pages.table().compareAndSet(1, 0, absent)).isTrue();
            assertThat(vm.pages.table().compareAndSet(2, marked, busy)).isTrue();
            assertThat(tierOf(vm, 3)).isEqualTo(from);
            vm.pages.pins().unpin(3, 1);
            account.check();
            check(vm);
            assertThat(move(vm, mover, other(from), 0, 1, 2, 3)).containsOnly(to);
            account.check();
            check(vm);
        }
    }

    @Test
    void stopsHalfWayWhereTheLocalTierIsFullAndGoesOnLater() {
        try (TestVm vm = new TestVm(600 * 4096L, PageSize.SMALL, false, 1, PageSize.LARGE.bytes())) {
            fill(vm);
            PageMoves.Account account = new PageMoves.Account(vm);
            PageMover mover = vm.mover(64);
            int[] status = move(vm, mover, Tier.LOCAL, all(vm));
            assertThat(Arrays.copyOf(status, 512)).containsOnly(LOCAL);
            assertThat(Arrays.copyOfRange(status, 512, 600)).containsOnly(-Errno.ENOMEM);
            account.check();
            check(vm);

            move(vm, mover, Tier.SHARED, LongStream.range(0, 50).toArray());
            status = move(vm, mover, Tier.LOCAL, LongStream.range(512, 600).toArray());
            assertThat(Arrays.copyOf(status, 50)).containsOnly(LOCAL);
            assertThat(Arrays.copyOfRange(status, 50, 88)).containsOnly(-Errno.ENOMEM);
            account.check();
            check(vm);
        }
    }

    @ParameterizedTest
    @EnumSource(PageSize.class)
    void stopsHalfWayWhereTheRegionIsFullAndGoesOnLater(PageSize size) {
        try (TestVm vm = vm(size, Tier.LOCAL)) {
            PageMoves.Account account = new PageMoves.Account(vm);
            PageMover mover = vm.mover(64);
            int most = (int) (vm.region.superblock().frameCount() / size.frames()) + 1;
            long[] taken = new long[most];
            long[] none = new long[most];
            int got = vm.allocator.reserve(size, vm.slot.index(), none, most, taken);
            vm.allocator.release(size, vm.slot.index(), none, taken, 2);

            int[] status = move(vm, mover, Tier.SHARED, all(vm));

            assertThat(Arrays.copyOf(status, 2)).containsOnly(SHARED);
            assertThat(Arrays.copyOfRange(status, 2, status.length)).containsOnly(-Errno.ENOMEM);
            check(vm);
            vm.allocator.release(size, vm.slot.index(), none, Arrays.copyOfRange(taken, 2, got), got - 2);
            account.check();
            assertThat(move(vm, mover, Tier.SHARED, all(vm))).containsOnly(SHARED);
            account.check();
            check(vm);
        }
    }

    @Test
    void answersEbusyToAllWhenTheGateIsClosed() {
        try (TestVm vm = vm(PageSize.SMALL, Tier.SHARED)) {
            vm.pages.gate().close();
            MemorySegment before = PageMoves.snapshot(vm);
            assertThat(move(vm, vm.mover(8), Tier.LOCAL, 0, 1, 1000)).containsOnly(-Errno.EBUSY);
            assertThat(PageMoves.snapshot(vm).mismatch(before)).isEqualTo(-1);
            vm.pages.gate().open();
            assertThat(move(vm, vm.mover(8), Tier.LOCAL, 0, 1)).containsOnly(LOCAL);
        }
    }

    @ParameterizedTest
    @EnumSource(Tier.class)
    void storesNothingWithoutTheRight(Tier from) {
        try (TestVm vm = vm(PageSize.SMALL, from)) {
            PageMover mover = new PageMover(vm.region, vm.copier, () -> false, 1_000_000_000L, 8);
            MemorySegment before = PageMoves.snapshot(vm);
            assertThat(mover.move(vm.pages, new long[]{0, 1}, 0, 2, other(from), new int[2])).isFalse();
            assertThat(PageMoves.snapshot(vm).mismatch(before)).isEqualTo(-1);
            assertThat(vm.pages.gate().drained()).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource({"SMALL,SHARED", "SMALL,LOCAL", "LARGE,SHARED", "LARGE,LOCAL"})
    void givesUpOnAVcpuThatDoesNotEndItsSlice(PageSize size, Tier from) {
        try (TestVm vm = vm(size, from, 2)) {
            PageMoves.Account account = new PageMoves.Account(vm);
            PageMover mover = new PageMover(vm.region, vm.copier, () -> true, 1_000_000, 8);
            vm.pages.shootdown().online(1);
            long[] before = entriesButTags(vm);

            assertThat(move(vm, mover, other(from), 0, 1, 2)).containsOnly(-Errno.EBUSY);

            assertThat(entriesButTags(vm)).isEqualTo(before);
            assertThat(vm.copier.bytesCopied()).isZero();
            account.check();
            check(vm);
            vm.pages.shootdown().offline(1);
            assertThat(move(vm, mover, other(from), 0, 1, 2)).containsOnly(other(from).code());
            account.check();
            check(vm);
        }
    }

    @ParameterizedTest
    @EnumSource(Tier.class)
    void givesUpWhenTheRightLapsesWhileItWaits(Tier from) {
        try (TestVm vm = vm(PageSize.SMALL, from)) {
            PageMoves.Account account = new PageMoves.Account(vm);
            AtomicInteger asked = new AtomicInteger();
            List<Boolean> withoutCore = new ArrayList<>();
            PageMover mover = new PageMover(vm.region, vm.copier, () -> {
                withoutCore.add(vm.pages.shootdown().isMoverWithoutCore());
                return asked.incrementAndGet() < 3;
            }, Long.MAX_VALUE, 8);
            vm.pages.shootdown().online(0);
            int[] status = new int[3];
            assertThat(mover.move(vm.pages, new long[]{4, 5, 6}, 0, 3, other(from), status)).isTrue();
            assertThat(status).containsOnly(-Errno.EBUSY);
            assertThat(asked).hasValue(3);
            assertThat(withoutCore).containsExactly(false, true, true);
            assertThat(vm.pages.shootdown().isMoverWithoutCore()).isFalse();
            account.check();
            check(vm);
        }
    }

    @ParameterizedTest
    @CsvSource({"SMALL,SHARED", "SMALL,LOCAL", "LARGE,SHARED", "LARGE,LOCAL"})
    void movesAPageThatAVcpuTookBackInItsNextRound(PageSize size, Tier from) {
        try (TestVm vm = vm(size, from)) {
            PageMoves.Account account = new PageMoves.Account(vm);
            AtomicInteger asked = new AtomicInteger();
            PageMover mover = takenBackAt(vm, 2, asked);
            vm.pages.shootdown().online(0);

            assertThat(move(vm, mover, other(from), 0, 1)).containsOnly(other(from).code());

            assertThat(asked.get()).isGreaterThanOrEqualTo(3);
            account.check();
            check(vm);
        }
    }

    @ParameterizedTest
    @EnumSource(Tier.class)
    void leavesAPageThatVcpusTakeBackEveryTime(Tier from) {
        try (TestVm vm = vm(PageSize.SMALL, from)) {
            PageMoves.Account account = new PageMoves.Account(vm);
            PageMover[] mover = new PageMover[1];
            mover[0] = new PageMover(vm.region, vm.copier, () -> {
                if (vm.pages.takeBack(1, vm.pages.table().entryAcquire(1))) {
                    vm.pages.shootdown().offline(0);
                } else {
                    vm.pages.shootdown().online(0);
                }
                return true;
            }, Long.MAX_VALUE, 8);

            assertThat(move(vm, mover[0], other(from), 0, 1, 2)).containsExactly(other(from).code(), -Errno.EBUSY,
                    other(from).code());

            vm.pages.shootdown().offline(0);
            account.check();
            check(vm);
        }
    }

    /// At that question for the right, page 0 is taken back, and the vCPU that held the mover up goes.
    private static PageMover takenBackAt(TestVm vm, int question, AtomicInteger asked) {
        return new PageMover(vm.region, vm.copier, () -> {
            if (asked.incrementAndGet() == question) {
                assertThat(vm.pages.takeBack(0, vm.pages.table().entryAcquire(0))).isTrue();
                vm.pages.shootdown().offline(0);
            }
            return true;
        }, Long.MAX_VALUE, 8);
    }

    private static long[] entriesButTags(TestVm vm) {
        return LongStream.of(all(vm)).map(page -> vm.pages.table().entryAcquire(page) & ~(0xFFFFL << 4)).toArray();
    }

    /// Two movers, each page towards the tier that it is not on: the one that comes second finds the first one's work
    /// at every stage.
    @ParameterizedTest
    @EnumSource(PageSize.class)
    void moversOfTheSamePagesGetInEachOthersWayAndNothingElse(PageSize size) throws InterruptedException {
        long seed = Long.getLong("tombolo.seed", 20260104L);
        System.out.println("seed " + seed);
        try (TestVm vm = vm(size, Tier.SHARED)) {
            PageMoves.Account account = new PageMoves.Account(vm);
            AtomicReference<Throwable> failed = new AtomicReference<>();
            int rounds = size == PageSize.SMALL ? 30_000 : 300;
            List<Thread> movers = IntStream.range(0, 3).mapToObj(which -> Thread.ofPlatform().start(() -> {
                SplittableRandom random = new SplittableRandom(seed + which);
                PageMover mover = vm.mover(4);
                int step = mover.batch(vm.pages);
                long[] pages = new long[step];
                int[] status = new int[step];
                try {
                    for (int i = 0; i < rounds && failed.get() == null; i++) {
                        Tier to = random.nextBoolean() ? Tier.LOCAL : Tier.SHARED;
                        for (int j = 0; j < step; j++) {
                            pages[j] = random.nextInt(6) % vm.pages.table().pages();
                        }
                        assertThat(mover.move(vm.pages, pages, 0, step, to, status)).isTrue();
                        for (int code : status) {
                            // A mover that has frames of the full tier in its hands gives them back in a moment.
                            assertThat(code).isIn(to.code(), -Errno.EBUSY, -Errno.ENOMEM);
                        }
                    }
                } catch (Throwable t) {
                    failed.compareAndSet(null, t);
                }
            })).toList();
            for (Thread mover : movers) {
                mover.join();
            }
            if (failed.get() != null) {
                throw new AssertionError("a mover failed", failed.get());
            }
            account.check();
            check(vm);
        }
    }

    @ParameterizedTest
    @CsvSource({"SMALL,SHARED", "SMALL,LOCAL", "LARGE,SHARED", "LARGE,LOCAL"})
    void aDamagedEntryIsEioForItsPageOnly(PageSize size, Tier from) {
        try (TestVm vm = vm(size, from)) {
            PageMoves.Account account = new PageMoves.Account(vm);
            int to = other(from).code();
            long sound = vm.pages.table().entryAcquire(1);
            List<Long> damages = new ArrayList<>();
            for (long frame : new long[]{(1L << 36) - 1, vm.region.superblock().frameCount(),
                    vm.local.bytes() / 4096 + vm.region.superblock().frameCount()}) {
                damages.add(PageTableEntry.pack(PteState.PRESENT, from, frame, 5, 0));
            }
            // A tier and a state that nobody has.
            damages.add(sound | 0xFL << 56);
            damages.add(sound | 0xFL << 60);
            for (long damage : damages) {
                assertThat(vm.pages.table().compareAndSet(1, vm.pages.table().entryAcquire(1), damage)).isTrue();
                assertThat(move(vm, vm.mover(8), other(from), 0, 1, 2)).as(PageTableEntry.describe(damage))
                        .containsExactly(to, -Errno.EIO, to);
                assertThat(vm.pages.table().entryAcquire(1)).isEqualTo(damage);
                assertThat(vm.pages.table().compareAndSet(1, damage, sound)).isTrue();
                account.check();
                check(vm);
                assertThat(move(vm, vm.mover(8), from, 0, 2)).containsOnly(from.code());
            }
        }
    }

    /// The entry names a frame that backs another page.
    @ParameterizedTest
    @EnumSource(PageSize.class)
    void aFrameThatIsNotThePagesIsEioForItsPageOnly(PageSize size) {
        try (TestVm vm = vm(size, Tier.SHARED)) {
            PageMoves.Account account = new PageMoves.Account(vm);
            long sound = vm.pages.table().entryAcquire(1);
            long others = PageTableEntry.frame(vm.pages.table().entryAcquire(3));
            long damage = PageTableEntry.pack(PteState.PRESENT, Tier.SHARED, others, PageTableEntry.tag(sound), 0);
            assertThat(vm.pages.table().compareAndSet(1, sound, damage)).isTrue();
            assertThat(move(vm, vm.mover(8), Tier.LOCAL, 0, 1, 2)).containsExactly(LOCAL, -Errno.EIO, LOCAL);
            long after = vm.pages.table().entryAcquire(1);
            assertThat(PageTableEntry.state(after)).isEqualTo(PteState.PRESENT);
            assertThat(vm.pages.table().compareAndSet(1, after, sound)).isTrue();
            account.check();
            check(vm);
        }
    }

    @Test
    void allocatesNothingPerPage() {
        try (TestVm vm = vm(PageSize.SMALL, Tier.SHARED)) {
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            PageMover mover = vm.mover(PageMover.SMALL_BATCH);
            long[] pages = all(vm);
            int[] status = new int[pages.length];
            long allocated = -1;
            // The first rounds are the interpreter's and the compiler's.
            for (int attempt = 0; attempt < 20 && allocated != 0; attempt++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int round = 0; round < 200; round++) {
                    Tier to = round % 2 == 0 ? Tier.LOCAL : Tier.SHARED;
                    for (int i = 0; i < pages.length; i += PageMover.SMALL_BATCH) {
                        mover.move(vm.pages, pages, i, Math.min(PageMover.SMALL_BATCH, pages.length - i), to, status);
                    }
                }
                allocated = threads.getCurrentThreadAllocatedBytes() - before;
            }
            assertThat(allocated).as("bytes for 20,000 pages").isZero();
            assertThat(vm.copier.bytesCopied()).isPositive();
            check(vm);
        }
    }

    private static long[] shuffled(long[] pages) {
        long[] order = pages.clone();
        SplittableRandom random = new SplittableRandom(5);
        for (int i = order.length - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            long page = order[i];
            order[i] = order[other];
            order[other] = page;
        }
        return order;
    }

    /// What is behind the new end of the file is gone and says so; what is before it moves, with its contents.
    @ParameterizedTest
    @CsvSource({"SMALL,64,false", "SMALL,64,true", "SMALL,1,true", "LARGE,1,false", "LARGE,1,true"})
    void pagesOfATruncatedTierFileAreEio(PageSize size, int batch, boolean compiled) throws IOException {
        long bytes = 4L * PageSize.LARGE.bytes();
        try (TestVm vm = new TestVm(bytes, size, true, 1)) {
            fill(vm);
            PageMoves.Account account = new PageMoves.Account(vm);
            PageMover mover = vm.mover(batch);
            long[] all = all(vm);
            // Compiled code hears of a fault late.
            for (int round = 0; compiled && round < (batch == 1 ? 50 : 200); round++) {
                move(vm, mover, Tier.SHARED, all);
                move(vm, mover, Tier.LOCAL, all);
            }
            // In the middle of a batch; of large pages, in the middle of one.
            long end = bytes / 2 + 37 * 4096;
            try (FileChannel file = FileChannel.open(vm.local.file(), StandardOpenOption.WRITE)) {
                file.truncate(end);
            }
            boolean[] gone = new boolean[all.length];
            for (int page = 0; page < gone.length; page++) {
                long first = PageTableEntry.frame(vm.pages.table().entryAcquire(page)) * 4096;
                gone[page] = first + size.bytes() > end;
            }

            long[] order = shuffled(all);
            int[] shuffled = move(vm, mover, Tier.SHARED, order);
            int[] status = new int[all.length];
            for (int i = 0; i < order.length; i++) {
                status[(int) order[i]] = shuffled[i];
            }
            assertThat(gone).contains(true, false);

            for (int page = 0; page < gone.length; page++) {
                assertThat(status[page]).as("page %d", page).isEqualTo(gone[page] ? -Errno.EIO : SHARED);
                assertThat(tierOf(vm, page)).isEqualTo(gone[page] ? Tier.LOCAL : Tier.SHARED);
            }
            account.check();
            PageMoves.checkShared(vm);
            // And nothing moves there: the rest of the batch is not disturbed.
            status = move(vm, mover, Tier.LOCAL, all);
            for (int page = 0; page < gone.length; page++) {
                assertThat(status[page]).isIn(LOCAL, -Errno.EIO, -Errno.ENOMEM);
                assertThat(status[page] == LOCAL).isEqualTo(tierOf(vm, page) == Tier.LOCAL);
            }
            account.check();
            PageMoves.checkShared(vm);
        }
    }
}

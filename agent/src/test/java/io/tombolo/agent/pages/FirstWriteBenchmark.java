package io.tombolo.agent.pages;

import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageCheckpoint;
import io.tombolo.region.PageSize;
import io.tombolo.region.PageTable;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.Protection;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// What the first write of a page in an interval costs: 4096 random pages of 64 MiB and a commit, beside bare copies of
/// the same pages to frames as far away. ns per page.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class FirstWriteBenchmark {
    private static final int BYTES = 64 << 20;
    private static final int PAGES = BYTES >>> 12;
    private static final int WRITES = 4096;

    private TestVm vm;
    private PageTable table;
    private PageCheckpoint checkpoint;
    private long epoch;
    private int[] order;
    private MemorySegment data;
    private SplittableRandom random;

    @Setup(Level.Trial)
    public void start() {
        vm = new TestVm(BYTES, PageSize.SMALL, false, 1, 0, HugePages.NONE, 512L << 20);
        checkpoint = Protection.start(vm.region, vm.allocator, vm.slot, 5000);
        epoch = OwnerWord.epoch(vm.slot.ownerAcquire());
        table = vm.slot.pageTable();
        data = vm.region.data();
        random = new SplittableRandom(1);
        order = new int[PAGES];
        for (int i = 0; i < PAGES; i++) {
            order[i] = i;
            data.asSlice(PageTableEntry.frame(table.entryAcquire(i)) << 12, 4096).fill((byte) i);
        }
        commit();
    }

    @TearDown(Level.Trial)
    public void stop() {
        vm.close();
    }

    private void commit() {
        if (!checkpoint.commit(epoch, 0, 1, false)) {
            throw new IllegalStateException("the commit failed");
        }
    }

    private void shuffle() {
        for (int i = 0; i < WRITES; i++) {
            int other = i + random.nextInt(PAGES - i);
            int page = order[i];
            order[i] = order[other];
            order[other] = page;
        }
    }

    @Benchmark
    @OperationsPerInvocation(WRITES)
    public void firstWrites() {
        shuffle();
        for (int i = 0; i < WRITES; i++) {
            if (checkpoint.mustCommit() || checkpoint.firstWrite(order[i], table.entryAcquire(order[i])) <= 0) {
                throw new IllegalStateException("no frame");
            }
        }
        commit();
    }

    @Benchmark
    @OperationsPerInvocation(WRITES / 2)
    public void bareCopies() {
        shuffle();
        for (int i = 0; i < WRITES; i += 2) {
            MemorySegment.copy(data, PageTableEntry.frame(table.entryAcquire(order[i])) << 12, data,
                    PageTableEntry.frame(table.entryAcquire(order[i + 1])) << 12, 4096);
        }
    }
}

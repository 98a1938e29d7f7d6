package io.tombolo.agent.sim;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
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
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// What the page table costs: the same reads and writes, in the same random order, word by word and page by page,
/// through [PagedMemory] and straight into the segment. ns per access; the figure is paged / plain.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class GuestMemoryBenchmark {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int ACCESSES = 1 << 18;
    private static final int WORDS = PageVisitor.DATA_WORDS + 1;

    /// Working set: within the caches, and far beyond them.
    @Param({"1048576", "268435456"})
    long bytes;

    private ScratchMemory scratch;
    private GuestMemory paged;
    private MemorySegment plain;
    private long[] addresses;

    @Setup(Level.Trial)
    public void allocate() {
        scratch = new ScratchMemory(bytes, 1);
        paged = scratch.memory();
        plain = scratch.data();
        addresses = new long[ACCESSES];
        SplittableRandom random = new SplittableRandom(2);
        for (int i = 0; i < ACCESSES; i++) {
            addresses[i] = random.nextLong(bytes / 8) * 8;
        }
    }

    @TearDown(Level.Trial)
    public void release() {
        scratch.close();
    }

    @Benchmark
    @OperationsPerInvocation(ACCESSES)
    public long plainRead() {
        long sum = 0;
        for (long address : addresses) {
            sum += plain.get(WORD, address);
        }
        return sum;
    }

    @Benchmark
    @OperationsPerInvocation(ACCESSES)
    public long pagedRead() {
        long sum = 0;
        for (long address : addresses) {
            sum += paged.getLong(address);
        }
        return sum;
    }

    @Benchmark
    @OperationsPerInvocation(ACCESSES)
    public void plainWrite() {
        for (long address : addresses) {
            plain.set(WORD, address, address);
        }
    }

    @Benchmark
    @OperationsPerInvocation(ACCESSES)
    public void pagedWrite() {
        for (long address : addresses) {
            paged.setLong(address, address);
        }
    }

    /// As the guest programs do it: nine words of a random page are read and written.
    @Benchmark
    @OperationsPerInvocation(ACCESSES)
    public long plainVisit() {
        long sum = 0;
        for (int i = 0; i < ACCESSES / (2 * WORDS); i++) {
            long page = addresses[i] & -GuestMemory.PAGE_BYTES;
            for (int k = 0; k < WORDS; k++) {
                sum += plain.get(WORD, page + k * PageVisitor.WORD_STRIDE_BYTES);
            }
            for (int k = 0; k < WORDS; k++) {
                plain.set(WORD, page + k * PageVisitor.WORD_STRIDE_BYTES, sum);
            }
        }
        return sum;
    }

    @Benchmark
    @OperationsPerInvocation(ACCESSES)
    public long pagedVisit() {
        long sum = 0;
        for (int i = 0; i < ACCESSES / (2 * WORDS); i++) {
            long page = addresses[i] & -GuestMemory.PAGE_BYTES;
            for (int k = 0; k < WORDS; k++) {
                sum += paged.getLong(page + k * PageVisitor.WORD_STRIDE_BYTES);
            }
            for (int k = 0; k < WORDS; k++) {
                paged.setLong(page + k * PageVisitor.WORD_STRIDE_BYTES, sum);
            }
        }
        return sum;
    }
}

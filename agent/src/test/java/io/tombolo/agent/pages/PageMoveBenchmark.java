package io.tombolo.agent.pages;

import io.tombolo.region.PageSize;
import io.tombolo.region.Tier;
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
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// What a page move costs beside its copy: the same pages, in the same random order, moved by [PageMover] to the other
/// tier and back, and copied by [MemorySegment#copy] between the same tiers. One thread, the guest idle. ns per MiB;
/// the figure is `copy / move`.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class PageMoveBenchmark {
    private static final int MIB = 256;
    private static final long BYTES = (long) MIB << 20;

    /// Bytes of a page.
    @Param({"4096", "2097152"})
    int pageBytes;

    /// Pages of a batch.
    @Param({"32"})
    int batch;

    /// How the local tier is backed; TRANSPARENT needs a kernel that is set to it, see [HugePages].
    @Param({"NONE"})
    HugePages hugePages;

    private TestVm vm;
    private PageMover mover;
    private long[] out;
    private long[] back;
    private int[] status;
    private long[] random;

    @Setup(Level.Trial)
    public void allocate() {
        vm = new TestVm(BYTES, PageSize.ofBytes(pageBytes), false, 1, BYTES, hugePages);
        mover = vm.mover(batch);
        int pages = (int) (BYTES / pageBytes);
        status = new int[pages];
        out = shuffled(pages, 1);
        back = shuffled(pages, 2);
        // Frames are taken in order, so what was moved out in one order and back in another lies at random.
        random = new long[pages];
        long[] place = new long[pages];
        for (int i = 0; i < pages; i++) {
            place[(int) out[i]] = i;
        }
        for (int i = 0; i < pages; i++) {
            random[i] = place[(int) back[i]] * pageBytes;
        }
    }

    private static long[] shuffled(int count, long seed) {
        long[] order = new long[count];
        SplittableRandom next = new SplittableRandom(seed);
        for (int i = 0; i < count; i++) {
            int other = next.nextInt(i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        return order;
    }

    @TearDown(Level.Trial)
    public void release() {
        vm.close();
    }

    private void moveAll(long[] order, Tier to) {
        int step = mover.batch(vm.pages);
        for (int i = 0; i < order.length; i += step) {
            int count = Math.min(step, order.length - i);
            mover.move(vm.pages, order, i, count, to, status);
            if (status[i] != to.code()) {
                throw new IllegalStateException("page " + order[i] + ": " + status[i]);
            }
        }
    }

    /// To local memory in one order, and back in another.
    @Benchmark
    @OperationsPerInvocation(2 * MIB)
    public void move() {
        moveAll(out, Tier.LOCAL);
        moveAll(back, Tier.SHARED);
    }

    /// The copies alone: from random places to neighbouring ones, and back the same way.
    @Benchmark
    @OperationsPerInvocation(2 * MIB)
    public void copy() {
        MemorySegment shared = vm.pages.shared();
        MemorySegment local = vm.pages.localData();
        for (int i = 0; i < random.length; i++) {
            MemorySegment.copy(shared, random[i], local, (long) i * pageBytes, pageBytes);
        }
        for (int i = 0; i < random.length; i++) {
            MemorySegment.copy(local, random[i], shared, (long) i * pageBytes, pageBytes);
        }
    }

    /// What a page of zeros would cost that is found by looking and made anew instead of copied: all of it must be
    /// read, and all of the target frame written, because nobody knows what was in it before.
    @Benchmark
    @OperationsPerInvocation(MIB)
    public long lookAndZero() {
        MemorySegment shared = vm.pages.shared();
        MemorySegment local = vm.pages.localData();
        long zeros = 0;
        for (int i = 0; i < random.length; i++) {
            MemorySegment page = shared.asSlice(random[i], pageBytes);
            MemorySegment frame = local.asSlice((long) i * pageBytes, pageBytes).fill((byte) 0);
            zeros += page.mismatch(frame) < 0 ? 1 : 0;
        }
        return zeros;
    }
}

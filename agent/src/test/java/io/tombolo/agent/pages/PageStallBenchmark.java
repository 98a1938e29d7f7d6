package io.tombolo.agent.pages;

import io.tombolo.agent.sim.AccessPattern;
import io.tombolo.agent.sim.GuestProgram;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.agent.sim.InputLog;
import io.tombolo.agent.sim.MovingPageWait;
import io.tombolo.agent.sim.PagedMemory;
import io.tombolo.agent.sim.RequestQueue;
import io.tombolo.agent.sim.RightCheck;
import io.tombolo.agent.sim.SimulatedState;
import io.tombolo.agent.sim.StopReport;
import io.tombolo.agent.sim.VcpuRunner;
import io.tombolo.agent.sim.VmListener;
import io.tombolo.region.PageSize;
import io.tombolo.region.Tier;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.openjdk.jmh.annotations.AuxCounters;
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

/// How long a guest waits for pages that move, by the size of a batch: one vCPU visits random pages of 256 MiB as fast
/// as it can while one mover moves all of them to the other tier and back. us per MiB moved; the waits
/// beside it, in us. One iteration, because JMH adds such counters up over iterations.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 1, time = 5)
@Fork(1)
public class PageStallBenchmark {
    private static final int MIB = 256;

    /// Bytes of a page.
    @Param({"4096"})
    int pageBytes;

    /// Pages of a batch.
    @Param({"8", "16", "32", "64", "128"})
    int batch;

    private TestVm vm;
    private PageMover mover;
    private VcpuRunner runner;
    private final AtomicReference<Object> failed = new AtomicReference<>();
    private long[] pages;
    private int[] status;

    /// The waits of one iteration.
    @AuxCounters(AuxCounters.Type.EVENTS)
    @State(Scope.Thread)
    public static class Waits {
        public double waits;
        public double stallP50Us;
        public double stallP99Us;
        public double stallMaxUs;
        public double notMoved;

        @Setup(Level.Iteration)
        public void clear() {
            waits = 0;
            stallP50Us = 0;
            stallP99Us = 0;
            stallMaxUs = 0;
            notMoved = 0;
        }
    }

    @Setup(Level.Trial)
    public void start() {
        vm = new TestVm((long) MIB << 20, PageSize.ofBytes(pageBytes), false, 1);
        mover = vm.mover(batch);
        int count = (int) (((long) MIB << 20) / pageBytes);
        pages = new long[count];
        status = new int[count];
        for (int i = 0; i < count; i++) {
            pages[i] = i;
        }
        SimulatedState state = SimulatedState.fresh(new GuestSpec(new UUID(1, 2), (long) MIB << 20, 1,
                GuestProgram.DIRTY, 0, AccessPattern.UNIFORM, 7));
        VmListener listener = new VmListener() {
            @Override
            public void stopped(StopReport report) {
                if (report.cause() != null) {
                    failed.set(report);
                }
            }

            @Override
            public void selfCheckFailed(int vcpu, SelfCheckFailure failure) {
                failed.set(failure);
            }
        };
        runner = VcpuRunner.create("stall", state,
                vcpu -> PagedMemory.of(vm.pages, new MovingPageWait(vm.pages, vcpu, RightCheck.ALWAYS)),
                vm.pages.shootdown(), new VcpuRunner.Options(RightCheck.ALWAYS, new RequestQueue(1, Runnable::run),
                        InputLog.inMemory(1), listener, Runnable::run, 0));
        runner.resume();
    }

    @Setup(Level.Iteration)
    public void clearWaits() {
        vm.pages.waits().reset();
    }

    @TearDown(Level.Trial)
    public void stop() {
        runner.kill();
        vm.close();
        if (failed.get() != null) {
            throw new IllegalStateException("the guest failed: " + failed.get());
        }
    }

    @Benchmark
    @OperationsPerInvocation(2 * MIB)
    public void move(Waits waits) {
        waits.notMoved += moveAll(Tier.LOCAL) + moveAll(Tier.SHARED);
        waits.waits = vm.pages.waits().count();
        waits.stallP50Us = vm.pages.waits().quantileNs(0.5) / 1e3;
        waits.stallP99Us = vm.pages.waits().quantileNs(0.99) / 1e3;
        waits.stallMaxUs = vm.pages.waits().maxNs() / 1e3;
    }

    private int moveAll(Tier to) {
        int step = mover.batch(vm.pages);
        int notMoved = 0;
        for (int i = 0; i < pages.length; i += step) {
            int count = Math.min(step, pages.length - i);
            mover.move(vm.pages, pages, i, count, to, status);
            for (int k = i; k < i + count; k++) {
                notMoved += status[k] == to.code() ? 0 : 1;
            }
        }
        return notMoved;
    }
}

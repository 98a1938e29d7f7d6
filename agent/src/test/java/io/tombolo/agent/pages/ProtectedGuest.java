package io.tombolo.agent.pages;

import io.tombolo.agent.sim.AccessPattern;
import io.tombolo.agent.sim.Checkpointer;
import io.tombolo.agent.sim.GuestProgram;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.agent.sim.InputLog;
import io.tombolo.agent.sim.MovingPageWait;
import io.tombolo.agent.sim.PagedMemory;
import io.tombolo.agent.sim.RequestQueue;
import io.tombolo.agent.sim.RightCheck;
import io.tombolo.agent.sim.SimulatedState;
import io.tombolo.agent.sim.SimulatedStateCodec;
import io.tombolo.agent.sim.StopReport;
import io.tombolo.agent.sim.VcpuRunner;
import io.tombolo.agent.sim.VmListener;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageSize;
import io.tombolo.region.Protection;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/// A guest of its own in a region of its own, protected or not, for benchmarks.
final class ProtectedGuest implements AutoCloseable {
    private final TestVm vm;
    private final SimulatedState state;
    private final PagedMemory[] memories;
    private final VcpuRunner runner;
    private final Checkpointer checkpointer;
    private final AtomicReference<Object> failed = new AtomicReference<>();

    /// @param workingSetBytes 0: all
    ProtectedGuest(GuestProgram program, long bytes, long workingSetBytes, int vcpus, AccessPattern pattern,
            int checkpointUs) {
        vm = new TestVm(bytes, PageSize.SMALL, false, vcpus, 0, HugePages.NONE, (512L << 20));
        GuestSpec spec = new GuestSpec(new UUID(1, 2), bytes, vcpus, program, workingSetBytes, pattern, 7);
        state = SimulatedState.fresh(spec);
        memories = new PagedMemory[vcpus];
        for (int i = 0; i < vcpus; i++) {
            memories[i] = PagedMemory.of(vm.pages, new MovingPageWait(vm.pages, i, RightCheck.ALWAYS));
        }
        RequestQueue requests = new RequestQueue(1, Runnable::run);
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
        runner = VcpuRunner.create("protected", state, vcpu -> memories[vcpu], vm.pages.shootdown(),
                new VcpuRunner.Options(RightCheck.ALWAYS, requests, InputLog.inMemory(1), listener, Runnable::run, 0));
        ProtectedPages protection = new ProtectedPages(
                Protection.start(vm.region, vm.allocator, vm.slot, checkpointUs), vm.pages.table().pages(), vcpus);
        checkpointer = new Checkpointer(protection, vm.pages, state, new SimulatedStateCodec(spec), this::epoch,
                checkpointUs * 1000L, RightCheck.ALWAYS, memories, requests);
        if (!checkpointer.commitStopped(epoch(), false)) {
            throw new IllegalStateException("the first commit failed");
        }
    }

    private long epoch() {
        return OwnerWord.epoch(vm.slot.ownerAcquire());
    }

    Checkpointer checkpointer() {
        return checkpointer;
    }

    /// Runs for a while; instructions per second. Its memory is not to be rolled back after a run without protection.
    double run(boolean isProtected, long ms) {
        if (isProtected) {
            checkpointer.begin();
            runner.commits(checkpointer);
        } else {
            checkpointer.end();
            runner.commits(null);
        }
        long before = Arrays.stream(state.instructions()).sum();
        long since = System.nanoTime();
        runner.resume();
        while (System.nanoTime() - since < ms * 1_000_000) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(ms) - (System.nanoTime() - since));
        }
        runner.requestStop().join();
        long ns = System.nanoTime() - since;
        if (failed.get() != null) {
            throw new IllegalStateException("the guest failed: " + failed.get());
        }
        return (Arrays.stream(state.instructions()).sum() - before) * 1e9 / ns;
    }

    @Override
    public void close() {
        runner.kill();
        vm.close();
    }

    /// Has the code of first writes and commits compiled as it is in an agent that has run for a while.
    static void warmUp(GuestProgram program, int vcpus) {
        try (ProtectedGuest guest = new ProtectedGuest(program, 16 << 20, 0, vcpus, AccessPattern.ZIPF, 100)) {
            guest.run(true, 3000);
            guest.run(false, 500);
        }
    }

    /// Stretches with and without protection in turn, so that both see the same machine.
    Measured measure(int rounds, long ms) {
        run(false, 1000);
        run(true, 2000);
        checkpointer.pauses().reset();
        long commits = checkpointer.checkpoint().commits();
        double without = 0;
        double with = 0;
        for (int i = 0; i < rounds; i++) {
            without += run(false, ms) / rounds;
            with += run(true, ms) / rounds;
        }
        commits = checkpointer.checkpoint().commits() - commits;
        return new Measured(without, with, commits * 1000.0 / (rounds * ms), checkpointer.meanDirty(),
                checkpointer.pauses().quantileNs(0.5) / 1e3, checkpointer.pauses().quantileNs(0.99) / 1e3,
                checkpointer.pauses().maxNs() / 1e3);
    }

    /// Instructions per second of all vCPUs; pauses in us.
    record Measured(double withoutPerS, double withPerS, double commitsPerS, long dirtyPages, double pauseP50Us,
            double pauseP99Us, double pauseMaxUs) {
        double ratio() {
            return withPerS / withoutPerS;
        }
    }
}

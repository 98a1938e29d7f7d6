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

    public static void main(String[] args) {
        GuestProgram program = GuestProgram.of(args[4]);
        warmUp(program, Integer.parseInt(args[2]));
        long bytes = Long.parseLong(args[0]) << 20;
        int vcpus = Integer.parseInt(args[2]);
        try (ProtectedGuest guest = new ProtectedGuest(program, bytes, 0, vcpus, AccessPattern.of(args[1]),
                Integer.parseInt(args[3]))) {
            guest.run(false, 1000);
            guest.run(true, 2000);
            guest.checkpointer.pauses().reset();
            double with = 0;
            double without = 0;
            long commits = guest.checkpointer.checkpoint().commits();
            for (int i = 0; i < 10; i++) {
                without += guest.run(false, 300) / 10;
                with += guest.run(true, 300) / 10;
            }
            commits = guest.checkpointer.checkpoint().commits() - commits;
            System.out.printf("%s MiB %s %d vcpus: without %.0f/s (%.0f ns) with %.0f/s (%.0f ns) ratio %.2f; commits/s"
                    + " %.0f early %d dirty %d pause p50 %.1f p99 %.1f max %.1f us; frames %d%n", args[0], args[1],
                    vcpus,
                    without, vcpus * 1e9 / without, with, vcpus * 1e9 / with, with / without, commits / 3.0,
                    guest.checkpointer.earlyCommits(), guest.checkpointer.meanDirty(),
                    guest.checkpointer.pauses().quantileNs(.5) / 1e3, guest.checkpointer.pauses().quantileNs(.99) / 1e3,
                    guest.checkpointer.pauses().maxNs() / 1e3, guest.checkpointer.checkpoint().preimageFrames());
        }
    }
}

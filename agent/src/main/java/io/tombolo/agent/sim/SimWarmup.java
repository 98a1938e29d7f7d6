package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import java.lang.foreign.MemorySegment;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Runs guest programs, codec and gate on scratch memory until the JVM has compiled them, so that the first VM that arrives at a
/// fresh agent does not pay for it in downtime. Takes a few MiB while it runs, touches no region.
public final class SimWarmup {
    private static final long MEMORY_BYTES = 1 << 20;
    private static final long RUN_INSTRUCTIONS = 4096;
    private static final long STEP_TIMEOUT_S = 10;

    private SimWarmup() {
    }

    /// Warms up for about `budgetNs`, all programs in turn.
    ///
    /// @return switch-overs done, for logs
    /// @throws TimeoutException if a vCPU thread does not obey; the agent should not go on
    public static long run(long budgetNs) throws TimeoutException {
        long switches = 0;
        long share = budgetNs / GuestProgram.ALL.size();
        for (GuestProgram program : GuestProgram.ALL) {
            switches += run(new GuestSpec(new UUID(0, program.code()), MEMORY_BYTES, 1, program, 0,
                    AccessPattern.UNIFORM, 1), share);
        }
        return switches;
    }

    private static long run(GuestSpec spec, long budgetNs) throws TimeoutException {
        long start = System.nanoTime();
        long switches = 0;
        try (ScratchMemory scratch = new ScratchMemory(spec.memoryBytes(), 1)) {
            compute(spec, scratch.memory(), start, budgetNs / 2);
            SimulatedState state = SimulatedState.fresh(spec);
            SimulatedStateCodec codec = new SimulatedStateCodec(spec);
            MemorySegment blob = MemorySegment.ofArray(new byte[SimulatedStateCodec.length(spec)]);
            try (ScratchMemory second = new ScratchMemory(spec.memoryBytes(), 2);
                    VcpuRunner runner = VcpuRunner.create("warmup-" + spec.program().label(), state, second.memory(),
                            new VcpuRunner.Options(RightCheck.ALWAYS, null, null, VmListener.NONE, Runnable::run, 0))) {
                runner.resume();
                while (System.nanoTime() - start < budgetNs) {
                    switchAway(runner, codec, blob);
                    comeBack(runner, codec, blob);
                    switches++;
                }
            }
        }
        return switches;
    }

    private static void compute(GuestSpec spec, GuestMemory memory, long start, long budgetNs) {
        VcpuRegisters regs = SimulatedState.fresh(spec).vcpu(0);
        spec.program().boot(regs, memory, spec);
        while (System.nanoTime() - start < budgetNs) {
            spec.program().run(regs, memory, RUN_INSTRUCTIONS);
        }
    }

    private static void switchAway(VcpuRunner runner, SimulatedStateCodec codec, MemorySegment blob)
            throws TimeoutException {
        try {
            requireNonNull(runner.requestSwitch(current -> {
                codec.encode(current, blob);
                return SwitchAction.Outcome.DEPARTED;
            }).get(STEP_TIMEOUT_S, TimeUnit.SECONDS), "outcome is null");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (TimeoutException) new TimeoutException("interrupted while warming up").initCause(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("warming up failed", e.getCause());
        }
    }

    private static void comeBack(VcpuRunner runner, SimulatedStateCodec codec, MemorySegment blob)
            throws TimeoutException {
        runner.arm(into -> {
            codec.decode(blob, (int) blob.byteSize(), into);
            return true;
        });
        long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(STEP_TIMEOUT_S);
        while (runner.state() != VcpuRunner.State.RUNNING) {
            if (System.nanoTime() - deadlineNs > 0) {
                throw new TimeoutException("a vCPU does not start while warming up");
            }
            Thread.onSpinWait();
        }
    }
}

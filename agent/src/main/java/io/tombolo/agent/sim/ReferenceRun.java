package io.tombolo.agent.sim;

import static io.tombolo.agent.sim.VcpuRegisters.INSTRUCTIONS;
import static io.tombolo.agent.sim.VcpuRegisters.REQUESTS;

import io.tombolo.region.TomboloException;
import java.nio.file.Path;
import java.util.List;

/// A VM that never moved: the same definition, instruction counts and client requests executed again, on flat memory,
/// by one thread. What it leaves is what a VM that hopped must have.
///
/// vCPU after vCPU, because they touch disjoint pages and requests belong to vCPU 0; takes about as long as all vCPUs
/// of the original together were executing.
public final class ReferenceRun implements AutoCloseable {
    private final FlatMemory memory;
    private final SimulatedState state;

    private ReferenceRun(FlatMemory memory, SimulatedState state) {
        this.memory = memory;
        this.state = state;
    }

    /// Executes it all; close the result.
    ///
    /// @param spec         the definition of the VM
    /// @param instructions instruction count to reach, per vCPU
    /// @param log          requests in order of index, see [InputLog#merge]; those of a VM without clients are none
    /// @param directory    where the sparse file of the memory may be
    /// @throws TomboloException [SimError#INPUT_LOG_INCOMPLETE] if a request lies beyond the count of vCPU 0 or out
    ///         of order
    public static ReferenceRun compute(GuestSpec spec, long[] instructions, List<InputLog.Entry> log, Path directory) {
        if (instructions.length != spec.vcpus()) {
            throw new IllegalArgumentException(
                    "not one count per vCPU: counts=" + instructions.length + " vcpus=" + spec.vcpus());
        }
        FlatMemory memory = FlatMemory.sparse(spec.memoryBytes(), directory);
        try {
            SimulatedState state = SimulatedState.fresh(spec);
            for (int vcpu = 0; vcpu < spec.vcpus(); vcpu++) {
                replay(spec, state.vcpu(vcpu), memory, instructions[vcpu], vcpu == 0 ? log : List.of());
            }
            return new ReferenceRun(memory, state);
        } catch (Throwable t) {
            memory.close();
            throw t;
        }
    }

    private static void replay(GuestSpec spec, VcpuRegisters regs, FlatMemory memory, long instructions,
            List<InputLog.Entry> log) {
        GuestProgram program = spec.program();
        if (instructions > 0) {
            program.boot(regs, memory, spec);
        }
        for (InputLog.Entry entry : log) {
            long ahead = entry.instruction() - regs.get(INSTRUCTIONS);
            if (ahead < 0 || entry.instruction() > instructions || entry.index() != regs.get(REQUESTS)) {
                throw TomboloException
                        .error(SimError.INPUT_LOG_INCOMPLETE, "a request does not fit the run to be replayed")
                        .fact("index", entry.index()).fact("expectedIndex", regs.get(REQUESTS))
                        .fact("instruction", entry.instruction()).fact("reached", regs.get(INSTRUCTIONS))
                        .fact("instructions", instructions).build();
            }
            program.run(regs, memory, ahead);
            RequestExecutor.execute(program, regs, memory, entry.request());
        }
        program.run(regs, memory, instructions - regs.get(INSTRUCTIONS));
    }

    public FlatMemory memory() {
        return memory;
    }

    /// Registers at the end; the memory's counterpart.
    public SimulatedState state() {
        return state;
    }

    /// Whether registers are the same; which one is not is in the text, empty if all are.
    public String registerDifference(SimulatedState other) {
        for (int vcpu = 0; vcpu < state.spec().vcpus(); vcpu++) {
            for (int register = 0; register < VcpuRegisters.COUNT; register++) {
                long found = other.vcpu(vcpu).get(register);
                long expected = state.vcpu(vcpu).get(register);
                if (found != expected) {
                    return "vcpu=" + vcpu + " register=" + register + " found=" + found + " expected=" + expected;
                }
            }
        }
        return "";
    }

    @Override
    public void close() {
        memory.close();
    }
}

package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

/// The state of a simulated VM that is not guest memory: its definition and the registers of all vCPUs. Allocated
/// once per VM and host; the vCPUs run on these very registers, and a hand-off decodes into them.
///
/// Not thread safe: while the vCPUs run, each thread owns its own registers; stopped, whoever stopped them owns all.
public final class SimulatedState {
    private final GuestSpec spec;
    private final VcpuRegisters[] vcpus;
    private long stoppedAtNs;

    public SimulatedState(GuestSpec spec) {
        this.spec = requireNonNull(spec, "spec is null");
        this.vcpus = new VcpuRegisters[spec.vcpus()];
        for (int i = 0; i < vcpus.length; i++) {
            vcpus[i] = new VcpuRegisters();
        }
    }

    /// The state before the first instruction; the vCPUs boot when they first run.
    public static SimulatedState fresh(GuestSpec spec) {
        SimulatedState state = new SimulatedState(spec);
        state.reset();
        return state;
    }

    /// Puts all registers back to before the first instruction.
    public void reset() {
        for (int i = 0; i < vcpus.length; i++) {
            GuestProgram.reset(vcpus[i], spec, i);
        }
        stoppedAtNs = 0;
    }

    public GuestSpec spec() {
        return spec;
    }

    public VcpuRegisters vcpu(int index) {
        return vcpus[index];
    }

    /// Time of the last instruction before the state was taken, CLOCK_MONOTONIC of the machine that ran it; 0 = not
    /// known. For reports: two hosts on one machine can subtract, others cannot.
    public long stoppedAtNs() {
        return stoppedAtNs;
    }

    public void stoppedAtNs(long value) {
        stoppedAtNs = value;
    }

    /// Instruction counts of all vCPUs, in order.
    public long[] instructions() {
        return column(VcpuRegisters.INSTRUCTIONS);
    }

    /// Failed self-checks of all vCPUs together.
    public long errors() {
        return sum(VcpuRegisters.ERRORS);
    }

    /// Self-checks of all vCPUs together.
    public long checks() {
        return sum(VcpuRegisters.CHECKS);
    }

    private long[] column(int register) {
        long[] values = new long[vcpus.length];
        for (int i = 0; i < vcpus.length; i++) {
            values[i] = vcpus[i].get(register);
        }
        return values;
    }

    private long sum(int register) {
        long sum = 0;
        for (VcpuRegisters vcpu : vcpus) {
            sum += vcpu.get(register);
        }
        return sum;
    }
}

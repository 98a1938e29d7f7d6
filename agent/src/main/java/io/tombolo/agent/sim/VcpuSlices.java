package io.tombolo.agent.sim;

import io.tombolo.agent.pages.Shootdown;
import java.util.concurrent.locks.LockSupport;

/// What the threads of [VcpuRunner] do between two looks at the gate: instructions, the quiescent states among them,
/// client requests, and the commits of a protected VM. Each vCPU's calls are for its own thread.
final class VcpuSlices {
    /// Instructions after which a vCPU looks whether a mover waits for it: a few microseconds, and a mover needs no
    /// more for its copies. The look is one load, the check of the right at the start of a slice some dozen times that.
    private static final long BETWEEN_QUIESCENT_STATES = 8;

    private final SimulatedState state;
    private final GuestProgram program;
    private final GuestMemory[] memories;
    private final Shootdown shootdown;
    private final VcpuRunner.Options options;
    private volatile Checkpointer commits;

    VcpuSlices(SimulatedState state, GuestMemory[] memories, Shootdown shootdown, VcpuRunner.Options options) {
        this.state = state;
        this.program = state.spec().program();
        this.memories = memories;
        this.shootdown = shootdown;
        this.options = options;
    }

    /// Who commits from the next stretch on; null: nobody, the VM is not protected. While no vCPU executes.
    void commits(Checkpointer checkpointer) {
        commits = checkpointer;
    }

    Checkpointer commits() {
        return commits;
    }

    /// Before the first instruction of a stretch, with the right to run.
    void begin(int vcpu) {
        Checkpointer present = commits;
        if (present != null) {
            present.enters();
        }
        shootdown.online(vcpu);
        memories[vcpu].forget();
    }

    /// After the last.
    ///
    /// @param in    false if [#run] said no
    /// @param whole whether that instruction was executed to its end
    void end(int vcpu, boolean in, boolean whole) {
        shootdown.offline(vcpu);
        Checkpointer present = commits;
        if (present != null && in) {
            present.leaves(whole);
        }
    }

    /// The first instruction alone, so that its time can be taken and the other vCPUs are not woken before it is done.
    void first(int vcpu, VcpuRegisters regs) {
        if (regs.get(VcpuRegisters.BOOTED) == 0) {
            program.boot(regs, memories[vcpu], state.spec());
        }
        program.run(regs, memories[vcpu], 1);
    }

    /// One slice. False if the vCPU has to stop, because its VM is not to be committed any more.
    boolean run(int vcpu, VcpuRegisters regs, long slice, VcpuGate gate) {
        passQuiescentState(vcpu);
        Checkpointer present = commits;
        boolean asked = vcpu == 0 && options.requests() != null && !options.requests().isEmpty();
        if (asked) {
            RequestExecutor.drain(options.requests(), options.log(), program, regs, memories[0],
                    present == null ? options.requests() : present.replies());
        }
        for (long left = slice; left > 0; left -= BETWEEN_QUIESCENT_STATES) {
            program.run(regs, memories[vcpu], Math.min(left, BETWEEN_QUIESCENT_STATES));
            passQuiescentState(vcpu);
            if (present != null && !present.pass(vcpu)) {
                return false;
            }
        }
        if (options.idleParkNs() > 0 && !asked && gate.isOpen()) {
            LockSupport.parkNanos(this, options.idleParkNs());
        }
        return true;
    }

    // Yielding is right here: without it a mover on the same core would get one batch done for each of this thread's
    // turns, which last for milliseconds.
    @SuppressWarnings("ThreadPriorityCheck")
    private void passQuiescentState(int vcpu) {
        if (shootdown.quiescent(vcpu)) {
            memories[vcpu].forget();
            if (shootdown.isMoverWithoutCore()) {
                Thread.yield();
            }
        }
    }

    static void noteFault(VcpuRegisters regs, GuestFault fault) {
        long[] r = regs.words();
        r[VcpuRegisters.FAULTS]++;
        if (r[VcpuRegisters.ERRORS]++ == 0) {
            r[VcpuRegisters.FIRST_ERROR_KIND] = SelfCheck.faultCode(fault.kind());
            r[VcpuRegisters.FIRST_ERROR_GPA] = fault.gpa();
            r[VcpuRegisters.FIRST_ERROR_INSTRUCTION] = r[VcpuRegisters.INSTRUCTIONS];
        }
    }
}

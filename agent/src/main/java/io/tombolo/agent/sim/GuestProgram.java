package io.tombolo.agent.sim;

import io.tombolo.region.TomboloException;
import java.util.List;

/// What a vCPU executes. Stateless: all state is in the registers and the guest memory that are passed in, so one
/// instance serves all VMs and threads. Behaves the same on every [GuestMemory], and for the same seed, instruction
/// count and requests always leaves the same registers and memory.
///
/// An "instruction" is one step of the program (a page visit, a transfer...), some 100 ns to 1 us of work. Each vCPU
/// works on its own part of memory ([GuestSpec#firstPage]); client requests are executed by vCPU 0 between instructions
/// and touch vCPU 0's part only, which is what makes a run with several vCPUs a function of its inputs.
public sealed interface GuestProgram permits DirtyProgram, KvProgram, BankProgram {
    GuestProgram DIRTY = new DirtyProgram();
    GuestProgram KV = new KvProgram();
    GuestProgram BANK = new BankProgram();

    /// All programs, for help texts and tests.
    List<GuestProgram> ALL = List.of(DIRTY, KV, BANK);

    /// Stored in registers and blobs; never changes.
    int code();

    /// The name that a person types.
    String label();

    /// Pages that each vCPU needs at least.
    long minimumPages();

    /// Instructions of one slice. A constant of the program, not of the host: together with the absence of time
    /// slices it makes where a slice ends reproducible. Chosen so that a slice takes 20 to 100 us once compiled.
    long sliceInstructions();

    /// Sets up this vCPU's registers and its part of zeroed memory. `regs` has its index in [VcpuRegisters#VCPU].
    void boot(VcpuRegisters regs, GuestMemory memory, GuestSpec spec);

    /// Executes exactly this many instructions. Allocates nothing.
    ///
    /// @throws GuestFault if the guest faults; instructions before the faulting one are done and counted
    void run(VcpuRegisters regs, GuestMemory memory, long instructions);

    /// Executes one client request on vCPU 0, between instructions. A request that this program does not know is
    /// answered with [ReplyStatus#BAD_REQUEST] and changes nothing.
    GuestReply call(VcpuRegisters regs, GuestMemory memory, GuestRequest request);

    /// Checks all memory of this vCPU against its registers; failures are counted in the registers like any other.
    /// Takes time in proportion to the working set, so it is for the end of a run.
    void checkAll(VcpuRegisters regs, GuestMemory memory);

    /// The program of a label.
    ///
    /// @throws TomboloException [SimError#GUEST_SPEC_INVALID] for a name that is none
    static GuestProgram of(String label) {
        for (GuestProgram program : ALL) {
            if (program.label().equals(label)) {
                return program;
            }
        }
        throw TomboloException.error(SimError.GUEST_SPEC_INVALID, "unknown guest program").fact("program", label)
                .next("use dirty, kv or bank").build();
    }

    /// Makes registers what they are before the first instruction of a vCPU, whatever they were.
    static void reset(VcpuRegisters regs, GuestSpec spec, int vcpu) {
        regs.clear();
        regs.set(VcpuRegisters.PROGRAM, spec.program().code());
        regs.set(VcpuRegisters.VCPU, vcpu);
        regs.set(VcpuRegisters.RNG, Mix.mix(spec.seed(), vcpu, 0));
    }
}

package io.tombolo.agent.sim;

import static io.tombolo.agent.sim.VcpuRegisters.BOOTED;
import static io.tombolo.agent.sim.VcpuRegisters.INSTRUCTIONS;

/// `dirty`: every instruction is one visit of a self-verifying page ([PageVisitor]). Takes no client requests.
public final class DirtyProgram implements GuestProgram {
    DirtyProgram() {
    }

    @Override
    public int code() {
        return 1;
    }

    @Override
    public String label() {
        return "dirty";
    }

    @Override
    public long minimumPages() {
        return 1;
    }

    @Override
    public long sliceInstructions() {
        return 128;
    }

    @Override
    public void boot(VcpuRegisters regs, GuestMemory memory, GuestSpec spec) {
        long[] r = regs.words();
        PageVisitor.boot(r, spec, spec.firstPage((int) r[VcpuRegisters.VCPU]), spec.workingPages());
        r[BOOTED] = 1;
    }

    @Override
    public void run(VcpuRegisters regs, GuestMemory memory, long instructions) {
        long[] r = regs.words();
        for (long i = 0; i < instructions; i++) {
            PageVisitor.visit(r, memory);
            r[INSTRUCTIONS]++;
        }
    }

    @Override
    public GuestReply call(VcpuRegisters regs, GuestMemory memory, GuestRequest request) {
        return GuestReply.of(ReplyStatus.BAD_REQUEST, 0);
    }

    @Override
    public void checkAll(VcpuRegisters regs, GuestMemory memory) {
        PageVisitor.checkAll(regs.words(), memory);
    }
}

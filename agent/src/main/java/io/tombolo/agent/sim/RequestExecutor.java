package io.tombolo.agent.sim;

/// Carries out client requests between two slices of vCPU 0, on its thread. Every executed request is logged with the
/// instruction before which it was executed, so that a reference run can do the same.
final class RequestExecutor {
    /// Most requests of one slice: the vCPU's right is checked between slices.
    private static final int REQUESTS_PER_SLICE = 32;

    private RequestExecutor() {
    }

    static void drain(RequestQueue requests, InputLog log, GuestProgram program, VcpuRegisters regs,
            GuestMemory memory, Replies replies) {
        for (int i = 0; i < REQUESTS_PER_SLICE; i++) {
            RequestQueue.Pending next = requests.poll();
            if (next == null) {
                return;
            }
            if (!log.hasRoom()) {
                requests.complete(next, GuestReply.of(ReplyStatus.LOG_FULL, 0));
                continue;
            }
            log.append(regs.get(VcpuRegisters.REQUESTS), regs.get(VcpuRegisters.INSTRUCTIONS), next.request());
            replies.complete(next, execute(program, regs, memory, next.request()));
        }
    }

    /// One request, the same here and in a reference run.
    static GuestReply execute(GuestProgram program, VcpuRegisters regs, GuestMemory memory, GuestRequest request) {
        GuestReply reply = program.call(regs, memory, request);
        regs.set(VcpuRegisters.REQUESTS, regs.get(VcpuRegisters.REQUESTS) + 1);
        return reply;
    }
}

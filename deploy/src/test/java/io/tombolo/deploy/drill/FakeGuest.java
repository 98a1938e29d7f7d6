package io.tombolo.deploy.drill;

import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.agent.sim.FlatMemory;
import io.tombolo.agent.sim.GuestOp;
import io.tombolo.agent.sim.GuestRequest;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.agent.sim.SimulatedState;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.GuestStatus;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.coordinator.wire.VmSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/// A real guest program that serves clients, on plain memory and without vCPUs. Thread safe.
final class FakeGuest implements AutoCloseable {
    private final GuestSpec spec;
    private final FlatMemory memory;
    private final SimulatedState state;
    private final List<GuestCall> calls = new ArrayList<>();

    FakeGuest(VmSpec vm) {
        spec = SimulatedHypervisor.guestSpec(vm);
        memory = FlatMemory.sparse(spec.memoryBytes(), Path.of(System.getProperty("java.io.tmpdir")));
        state = SimulatedState.fresh(spec);
        spec.program().boot(state.vcpu(0), memory, spec);
    }

    static VmSpec vm(String program) {
        return new VmSpec("drill", new UUID(5, 6), "simulated", 1 << 20, 1, program, 1 << 18, "uniform", 42);
    }

    /// As the agent answers; the memory is what it was when [#close] was called.
    synchronized GuestReply call(GuestCall call) {
        calls.add(call);
        List<Long> args = new ArrayList<>(call.args());
        while (args.size() < 3) {
            args.add(0L);
        }
        var reply = spec.program().call(state.vcpu(0), memory, GuestRequest.of(call.clientId(), call.seq(),
                GuestOp.valueOf(call.op()), args.get(0), args.get(1), args.get(2)));
        GuestStatus status = switch (reply.status()) {
            case OK -> GuestStatus.OK;
            case NOT_FOUND, CAS_MISMATCH, INSUFFICIENT, TABLE_FULL -> GuestStatus.FAILED;
            default -> GuestStatus.INVALID;
        };
        return new GuestReply(call.clientId(), call.seq(), status,
                reply.values().isEmpty() ? List.of(reply.value()) : reply.values());
    }

    synchronized List<GuestCall> calls() {
        return List.copyOf(calls);
    }

    @Override
    public synchronized void close() {
        memory.close();
    }
}

package io.tombolo.agent.hypervisor;

import io.tombolo.agent.sim.GuestOp;
import io.tombolo.agent.sim.GuestReply;
import io.tombolo.agent.sim.GuestRequest;
import io.tombolo.agent.sim.InputLog;
import io.tombolo.agent.sim.ReplyStatus;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.GuestStatus;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Requests and replies of simulated guests as messages carry them.
final class GuestWire {
    private static final int ARGUMENTS = 3;

    private GuestWire() {
    }

    /// The request; empty if no guest knows such an operation.
    static Optional<GuestRequest> request(GuestCall call) {
        if (call.args().size() > ARGUMENTS) {
            return Optional.empty();
        }
        return opOf(call.op()).map(op -> GuestRequest.of(call.clientId(), call.seq(), op, arg(call, 0), arg(call, 1),
                arg(call, 2)));
    }

    private static Optional<GuestOp> opOf(String name) {
        String wanted = name.toUpperCase(Locale.ROOT).replace('-', '_');
        for (GuestOp op : GuestOp.values()) {
            if (op.name().equals(wanted)) {
                return Optional.of(op);
            }
        }
        return Optional.empty();
    }

    private static long arg(GuestCall call, int index) {
        return index < call.args().size() ? call.args().get(index) : 0;
    }

    static Reply.GuestReply invalid(GuestCall call) {
        return new Reply.GuestReply(call.clientId(), call.seq(), GuestStatus.INVALID, List.of());
    }

    /// @throws TomboloException NOT_OWNER, GUEST_BUSY if the request was certainly not executed
    static Reply.GuestReply reply(GuestCall call, GuestReply reply) {
        return switch (reply.status()) {
            case OK -> reply(call, GuestStatus.OK, reply);
            case NOT_FOUND, CAS_MISMATCH, INSUFFICIENT, TABLE_FULL -> reply(call, GuestStatus.FAILED, reply);
            case CLIENTS_FULL, STALE_SEQUENCE, BAD_REQUEST, DAMAGED -> reply(call, GuestStatus.INVALID, reply);
            case QUEUE_FULL, LOG_FULL, NOT_OWNER -> throw TomboloException
                    .error(reply.status() == ReplyStatus.NOT_OWNER ? GuestError.NOT_OWNER : GuestError.GUEST_BUSY,
                            "the request was certainly not executed")
                    .fact("vm", call.vm()).fact("status", reply.status()).next("send it again to the VM's owner")
                    .build();
        };
    }

    private static Reply.GuestReply reply(GuestCall call, GuestStatus status, GuestReply from) {
        return new Reply.GuestReply(call.clientId(), call.seq(), status,
                from.values().isEmpty() ? List.of(from.value()) : from.values());
    }

    static InputEntry entry(InputLog.Entry entry) {
        GuestRequest request = entry.request();
        return new InputEntry(0, entry.instruction(), request.clientId(), request.sequence(),
                String.valueOf(GuestOp.of(request.op())),
                List.of(request.a(), request.b(), request.c(), entry.index()));
    }
}

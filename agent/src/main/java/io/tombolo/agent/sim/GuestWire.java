package io.tombolo.agent.sim;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.GuestStatus;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.List;

/// Client requests, replies and logs as the wire protocol carries them. What certainly was not executed, and what must not
/// pass for an answer, becomes an error with a code; everything else a reply:
///
/// | status on the wire | values |
/// |---|---|
/// | OK | the values of the operation if it has several, otherwise its one value |
/// | FAILED | code of the [ReplyStatus], value |
/// | INVALID | code of the [ReplyStatus] |
public final class GuestWire {
    private static final int MOST_ARGUMENTS = 3;

    private GuestWire() {
    }

    /// The request of a call; missing arguments are 0.
    ///
    /// @throws TomboloException [SimError#GUEST_CALL_INVALID]
    public static GuestRequest request(AgentRequest.GuestCall call) {
        return request(call.clientId(), call.seq(), call.op(), call.args());
    }

    private static GuestRequest request(long clientId, long sequence, String label, List<Long> args) {
        GuestOp op = GuestOp.of(label);
        if (op == null || args.size() > MOST_ARGUMENTS) {
            throw TomboloException.error(SimError.GUEST_CALL_INVALID, "no guest program knows this operation")
                    .fact("op", label).fact("arguments", args.size())
                    .next("use read, write, cas (kv), transfer, balance, balances or total (bank)").build();
        }
        return GuestRequest.of(clientId, sequence, op, argument(args, 0), argument(args, 1), argument(args, 2));
    }

    private static long argument(List<Long> args, int index) {
        return index < args.size() ? args.get(index) : 0;
    }

    /// The reply to a call.
    ///
    /// @throws TomboloException for a status that is an error on the wire, see [SimError]
    public static Reply.GuestReply reply(AgentRequest.GuestCall call, GuestReply reply) {
        long code = reply.status().code();
        return switch (reply.status()) {
            case OK -> wire(call, GuestStatus.OK,
                    reply.values().isEmpty() ? List.of(reply.value()) : reply.values());
            case NOT_FOUND, CAS_MISMATCH, INSUFFICIENT, TABLE_FULL -> wire(call, GuestStatus.FAILED,
                    List.of(code, reply.value()));
            case BAD_REQUEST, STALE_SEQUENCE -> wire(call, GuestStatus.INVALID, List.of(code));
            case CLIENTS_FULL -> throw refusal(call, SimError.GUEST_CLIENTS_FULL,
                    "the guest's table of clients is full", "use a client id that it knows");
            case QUEUE_FULL -> throw refusal(call, SimError.GUEST_QUEUE_FULL, "too many requests wait for this VM",
                    "repeat the request later");
            case NOT_OWNER -> throw refusal(call, SimError.GUEST_NOT_OWNER, "the VM is not on this host",
                    "tombolo vm show " + call.vm());
            case LOG_FULL -> throw refusal(call, SimError.GUEST_LOG_FULL, "the log of client requests is full",
                    "fetch and verify, then re-create the VM");
            case DAMAGED -> throw refusal(call, SimError.GUEST_MEMORY_DAMAGED, "the guest found its memory damaged",
                    "tombolo vm show " + call.vm());
        };
    }

    private static Reply.GuestReply wire(AgentRequest.GuestCall call, GuestStatus status, List<Long> values) {
        return new Reply.GuestReply(call.clientId(), call.seq(), status, values);
    }

    private static TomboloException refusal(AgentRequest.GuestCall call, SimError code, String what, String next) {
        return TomboloException.error(code, what).fact("vm", call.vm()).fact("client", call.clientId())
                .fact("seq", call.seq()).next(next).build();
    }

    /// A log entry for the wire; its index is the sum of what comes before it.
    public static InputEntry entry(InputLog.Entry entry) {
        GuestRequest request = entry.request();
        return new InputEntry(0, entry.instruction(), request.clientId(), request.sequence(),
                GuestOp.of(request.op()).label(), List.of(request.a(), request.b(), request.c()));
    }

    /// The log of a VM from the parts that its hosts had, in the order in which it was on them. The wire does not carry
    /// indexes, so whether all parts are there is seen when the replay arrives at its end: the count of requests in the
    /// registers is compared too.
    ///
    /// @throws TomboloException [SimError#INPUT_LOG_INCOMPLETE] if an instruction count goes back
    public static List<InputLog.Entry> entries(List<InputEntry> parts) {
        List<InputLog.Entry> entries = new ArrayList<>(parts.size());
        for (InputEntry part : parts) {
            if (!entries.isEmpty() && part.instructions() < entries.getLast().instruction()) {
                throw TomboloException.error(SimError.INPUT_LOG_INCOMPLETE, "parts of the input log are out of order")
                        .fact("entry", entries.size()).fact("instruction", part.instructions())
                        .fact("before", entries.getLast().instruction()).build();
            }
            entries.add(new InputLog.Entry(entries.size(), part.instructions(),
                    request(part.clientId(), part.seq(), part.op(), part.args())));
        }
        return entries;
    }
}

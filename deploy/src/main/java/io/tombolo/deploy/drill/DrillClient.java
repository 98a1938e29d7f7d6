package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.deploy.DeployError;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// One client of a drill's guest, without its thread: one operation at a time, each with the next sequence number, and
/// sent again with the same number, to the next host, as long as nobody has answered it. The guest recognises repeats,
/// so an operation is executed once however often it was sent; reads may be executed again.
///
/// Pure: the caller tells the time and carries the requests. Not thread safe.
final class DrillClient {
    /// Least time between two requests of one client, repeats included. A drill measures microseconds on as few as two
    /// cores: clients that asked as fast as they can would keep the cores from the vCPUs, and a hand-off would be
    /// measured by how long it waits for a core.
    static final long PACE_NS = 2_000_000;
    /// A hand-off takes milliseconds, the loss of a right and its return some seconds.
    static final long LIMIT_NS = 10_000_000_000L;

    /// Errors after which the VM is somewhere else or soon will be, or that say nothing about what was executed.
    private static final Set<String> ASK_NEXT = Set.of("NOT_OWNER", "VM_NOT_HERE", "VM_NOT_ON_HOST", "HOST_DEAD",
            "RPC_UNREACHABLE", "RPC_NOT_SENT", "RPC_CONNECTION_LOST", "RPC_TIMEOUT", "GUEST_OUTCOME_UNKNOWN",
            "HOST_UNKNOWN");
    /// Errors that say that the right host was asked at the wrong moment.
    private static final Set<String> ASK_AGAIN = Set.of("GUEST_BUSY", "RPC_BUSY");

    private final long id;
    private final String vm;
    private final List<String> hosts;
    private final ClientModel model;
    private final long limitNs;
    private int host;
    private long sequence;
    private ClientOperation operation;
    private boolean sent;
    private long begunNs;
    private long dueNs;
    private String lastRefusal = "";
    private Tally tally = new Tally(0, 0, 0, "", 0);
    private long answeredNs;

    /// What to do now.
    sealed interface Step {
        /// Send this and tell of the answer, or of its failure.
        record Send(String host, GuestCall call) implements Step {
        }

        /// Come again then.
        record Pause(long untilNs) implements Step {
        }

        /// Nothing is left to do and nothing is on its way.
        record Done() implements Step {
        }
    }

    /// What the client has seen so far.
    ///
    /// @param repeats    requests that were sent again
    /// @param firstWrong the first wrong answer in words; `""` when there is none
    record Tally(long acknowledged, long repeats, long wrong, String firstWrong, long longestGapNs) {
        Tally plus(Tally other) {
            return new Tally(acknowledged + other.acknowledged, repeats + other.repeats, wrong + other.wrong,
                    firstWrong.isEmpty() ? other.firstWrong : firstWrong,
                    Math.max(longestGapNs, other.longestGapNs));
        }
    }

    /// @param id    client id, not 0
    /// @param hosts those that may have the VM, in the order in which it goes round; the first is asked first
    DrillClient(long id, String vm, List<String> hosts, ClientModel model, long nowNs) {
        this(id, vm, hosts, model, nowNs, LIMIT_NS);
    }

    /// @param limitNs how long to wait for the answer to one operation
    DrillClient(long id, String vm, List<String> hosts, ClientModel model, long nowNs, long limitNs) {
        this.limitNs = limitNs;
        this.id = id;
        this.vm = requireNonNull(vm, "vm is null");
        this.hosts = List.copyOf(hosts);
        this.model = requireNonNull(model, "model is null");
        this.dueNs = nowNs;
    }

    /// What to do now.
    ///
    /// @param ending whether to choose no more operations but those that look at the end
    /// @throws TomboloException `CLIENT_GAVE_UP` when an operation was not answered in time
    Step step(long nowNs, boolean ending) {
        if (operation != null && nowNs - begunNs >= limitNs) {
            throw gaveUp("a client's operation was not answered in time").fact("waitedNs", nowNs - begunNs).build();
        }
        if (nowNs - dueNs < 0) {
            return new Step.Pause(dueNs);
        }
        if (operation == null) {
            Optional<ClientOperation> next = ending ? model.nextAtEnd() : model.next();
            if (next.isEmpty()) {
                return ending ? new Step.Done() : new Step.Pause(nowNs + PACE_NS);
            }
            operation = next.get();
            sequence++;
            begunNs = nowNs;
            sent = false;
            lastRefusal = "";
        }
        if (sent) {
            tally = tally.plus(new Tally(0, 1, 0, "", 0));
        }
        sent = true;
        dueNs = nowNs + PACE_NS;
        return new Step.Send(hosts.get(host),
                new GuestCall(vm, id, sequence, operation.op().name(), operation.args()));
    }

    /// The answer to what was sent last.
    void answered(GuestReply reply, long nowNs) {
        String wrong = reply.clientId() == id && reply.seq() == sequence
                ? model.check(operation, reply)
                : "answer to client " + reply.clientId() + " sequence " + reply.seq();
        long gapNs = tally.acknowledged == 0 ? 0 : nowNs - answeredNs;
        tally = tally.plus(new Tally(1, 0, wrong.isEmpty() ? 0 : 1,
                wrong.isEmpty() ? "" : "client " + id + " sequence " + sequence + ": " + wrong, gapNs));
        answeredNs = nowNs;
        operation = null;
    }

    /// What was sent last was refused, or nothing came back.
    ///
    /// @throws TomboloException `CLIENT_GAVE_UP` when sending it again would not help
    void failed(TomboloException why) {
        lastRefusal = why.getMessage();
        if (ASK_NEXT.contains(why.code().name())) {
            host = (host + 1) % hosts.size();
        } else if (!ASK_AGAIN.contains(why.code().name())) {
            throw gaveUp("a client's operation was refused").cause(why).build();
        }
    }

    private TomboloException.Builder gaveUp(String what) {
        return TomboloException.error(DeployError.CLIENT_GAVE_UP, what).fact("client", id).fact("sequence", sequence)
                .fact("operation", operation).fact("last", lastRefusal)
                .next("repeat with --keep and see the logs of tombolo status");
    }

    Tally tally() {
        return tally;
    }
}

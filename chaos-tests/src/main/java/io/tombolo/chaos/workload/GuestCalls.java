package io.tombolo.chaos.workload;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.sim.GuestOp;
import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.chaos.generator.Call;
import io.tombolo.chaos.generator.Generators;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.region.TomboloException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/// Sends one client thread's operations to a guest, wherever it is: to one host after the other, each time with the
/// same client id and sequence number, by which the guest recognises repeats, until it is answered or the time is up.
/// Used by one thread.
final class GuestCalls {
    /// The most that one operation may take before nobody waits for it any more.
    static final long LIMIT_NS = 2_000_000_000L;

    /// How the error begins of an operation that the guest refused as one that cannot be.
    static final String INVALID = "the guest calls it invalid: ";

    private static final long ATTEMPT_MS = 500;
    private static final long PAUSE_NS = 3_000_000;
    /// Refusals that say for certain that nothing was executed, neither now nor later.
    private static final Set<String> NOT_EXECUTED = Set.of("NOT_OWNER", "VM_NOT_HERE", "VM_NOT_ON_HOST", "VM_UNKNOWN",
            "HOST_DEAD", "RPC_UNREACHABLE", "RPC_NOT_SENT", "GUEST_BUSY", "RPC_BUSY");

    private final ClusterUnderTest cluster;
    /// By process: the last sequence number. A process that ended with an unknown operation never comes back.
    private final Map<Long, Long> sequences = new HashMap<>();
    private int host;

    GuestCalls(ClusterUnderTest cluster, int firstHost) {
        this.cluster = requireNonNull(cluster, "cluster is null");
        this.host = firstHost;
    }

    /// What came of it.
    ///
    /// @param reply    the guest's answer; null if there was none
    /// @param executed whether it may have been executed, or may be later
    /// @param error    why there was no answer
    record Answer(GuestReply reply, boolean executed, String error) {
        /// What becomes of an operation that was not answered. One that only reads certainly had no effect.
        Completion none(Call call, boolean reads, GuestVms.Guest guest) {
            return executed && !reads
                    ? Completion.info(call.value(), error)
                    : Completion.fail(call.value(), guest.lostNs() != 0 ? Generators.KEY_GONE : error);
        }

        /// Of one that the guest does not understand, which should not happen.
        Completion invalid(Call call) {
            return Completion.info(call.value(), INVALID + reply);
        }
    }

    Answer call(GuestVms.Guest guest, long process, GuestOp op, List<Long> args) {
        // 0 would switch the recognition of repeats off.
        long client = process + 1;
        GuestCall call = new GuestCall(guest.name(), client, sequences.merge(client, 1L, Long::sum), op.name(), args);
        long untilNs = System.nanoTime() + LIMIT_NS;
        boolean maybe = false;
        String error = "";
        List<String> hosts = cluster.hosts();
        while (System.nanoTime() - untilNs < 0) {
            try {
                GuestReply reply = cluster.ask(hosts.get(host), call, GuestReply.class, ATTEMPT_MS);
                return new Answer(reply, true, "");
            } catch (TomboloException e) {
                error = e.code().name() + " " + hosts.get(host);
                maybe |= !NOT_EXECUTED.contains(e.code().name());
                host = (host + 1) % hosts.size();
                if (guest.lostNs() != 0) {
                    break;
                }
            }
            LockSupport.parkNanos(this, PAUSE_NS);
        }
        return new Answer(null, maybe, error);
    }
}

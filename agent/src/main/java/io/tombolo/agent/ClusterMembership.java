package io.tombolo.agent;

import io.tombolo.agent.right.RightEvent;
import io.tombolo.agent.right.Timings;
import io.tombolo.region.ClaimedSlot;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;

/// The agent's place in its cluster: who its members are, and heartbeats that keep the right alive.
///
/// Nothing here decides who owns a VM. It starts things early: a heartbeat that stays away pauses this host's VMs, a
/// record that disappears makes the leader look.
public interface ClusterMembership extends AutoCloseable {
    /// Makes the host known at this address and begins to send heartbeats; returns when both have happened once.
    ///
    /// @param slot the host's slot in the region
    /// @throws io.tombolo.region.TomboloException HOST_ID_IN_USE, ZOOKEEPER_UNREACHABLE and the like
    void join(ClaimedSlot slot, String address, int port);

    /// Name of the host in a slot; `slot-<n>` when nobody says.
    String hostName(int slot);

    /// Says which VMs run here now, for people and placement to see: their leases are brought into line, soon and
    /// without anybody waiting.
    void hosting(Set<String> vms);

    @Override
    void close();

    /// How to get one.
    @FunctionalInterface
    interface Factory {
        /// Connects, and refuses a region that is not the cluster's; no host is known before [ClusterMembership#join].
        ///
        /// @param region UUID of the region
        /// @param events takes heartbeats and the end of a session; any thread, never blocks
        ClusterMembership open(AgentConfig config, Timings timings, UUID region, Consumer<RightEvent> events);
    }
}

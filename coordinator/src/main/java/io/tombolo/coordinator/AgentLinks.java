package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.RpcAddress;
import io.tombolo.coordinator.wire.RpcPool;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.Membership;
import java.util.concurrent.CompletableFuture;

/// Calls to agents by host name: the address is the one in ZooKeeper at the moment of the call. Thread safe.
final class AgentLinks {
    private final Membership membership;
    private final RpcPool pool;

    AgentLinks(Membership membership, RpcPool pool) {
        this.membership = membership;
        this.pool = pool;
    }

    /// Calls the agent of a host.
    ///
    /// @return the reply; fails with `HOST_DEAD` when the host has no record, or as [RpcPool#call] does
    <R extends Reply> CompletableFuture<R> call(String host, AgentRequest request, Class<R> replyType,
            long timeoutMs) {
        return membership.host(host).map(record -> call(record, request, replyType, timeoutMs))
                .orElseGet(() -> CompletableFuture.failedFuture(Placement.dead(host)));
    }

    <R extends Reply> CompletableFuture<R> call(HostRecord host, AgentRequest request, Class<R> replyType,
            long timeoutMs) {
        return pool.call(new RpcAddress(host.address(), host.port()), host.name(), request, replyType, timeoutMs);
    }
}

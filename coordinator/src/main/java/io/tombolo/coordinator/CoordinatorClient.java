package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.Protocol;
import io.tombolo.coordinator.wire.RemoteException;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.Role;
import io.tombolo.coordinator.wire.RpcAddress;
import io.tombolo.coordinator.wire.RpcPool;
import io.tombolo.coordinator.wire.RpcTransport;
import io.tombolo.coordinator.zk.ClusterRecord;
import io.tombolo.coordinator.zk.ClusterTree;
import io.tombolo.coordinator.zk.LeaderRecord;
import io.tombolo.coordinator.zk.Leadership;
import io.tombolo.coordinator.zk.ZkConnection;
import io.tombolo.coordinator.zk.ZkPaths;
import io.tombolo.region.TomboloException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/// Finds the leading coordinator through ZooKeeper and calls it. A request that was certainly not executed is sent again, to
/// whoever leads by then, until the time is up; one that may have been is not. Thread safe.
public final class CoordinatorClient implements AutoCloseable {
    private static final int CONNECT_TIMEOUT_MS = 2_000;
    private static final int RETRY_MS = 50;
    /// After these the request was not executed.
    private static final Set<String> NOT_EXECUTED = Set.of("NOT_LEADER", "RPC_UNREACHABLE", "RPC_NOT_SENT", "RPC_BUSY");

    private final ZkConnection zk;
    private final ClusterRecord cluster;
    private final RpcTransport transport;
    private final RpcPool pool;

    private CoordinatorClient(ZkConnection zk, ClusterRecord cluster, String name) {
        this.zk = zk;
        this.cluster = cluster;
        this.transport = RpcTransport.start("client", 1);
        this.pool = new RpcPool(transport, () -> Protocol.hello(cluster.uuid(), Role.CLIENT, name, 0, 0),
                CONNECT_TIMEOUT_MS);
    }

    /// Connects to ZooKeeper and looks for the cluster.
    ///
    /// @param name who asks, for the other side's log
    /// @throws TomboloException `ZOOKEEPER_UNREACHABLE`, or `NO_LEADER` when there is no cluster of that name
    public static CoordinatorClient open(ZooKeeperConfig zookeeper, String clusterName, String name, int timeoutMs) {
        ZkConnection zk = ZkConnection.open(zookeeper.connect(), new ZkPaths(zookeeper.rootFor(clusterName)),
                zookeeper.sessionTimeoutMs(), timeoutMs);
        try {
            ClusterRecord cluster = new ClusterTree(zk).read().orElseThrow(() -> TomboloException
                    .error(CoordinatorError.NO_LEADER, "ZooKeeper knows no cluster of that name")
                    .fact("cluster", clusterName).fact("path", zk.paths().root()).fact("connect", zookeeper.connect())
                    .next("check the cluster's name, or start a coordinator").build());
            return new CoordinatorClient(zk, cluster, name);
        } catch (TomboloException e) {
            zk.close();
            throw e;
        }
    }

    /// The cluster it talks to.
    public ClusterRecord cluster() {
        return cluster;
    }

    /// Calls the leader.
    ///
    /// @param timeoutMs for everything: finding the leader, waiting for one to be elected, and its answer
    /// @throws TomboloException the leader's error with its code; `NO_LEADER`; `ZOOKEEPER_UNREACHABLE`; `RPC_TIMEOUT` or
    ///         `RPC_CONNECTION_LOST` when the request may have been executed
    public <R extends Reply> R call(CoordinatorRequest request, Class<R> replyType, long timeoutMs) {
        long startNs = System.nanoTime();
        TomboloException last = null;
        while (true) {
            long leftMs = timeoutMs - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
            if (leftMs <= 0) {
                throw noLeader(timeoutMs, last);
            }
            Optional<LeaderRecord> leader = Leadership.leader(zk);
            if (leader.isPresent()) {
                LeaderRecord at = leader.get();
                try {
                    return pool.call(new RpcAddress(at.address(), at.port()), at.id(), request, replyType, leftMs)
                            .join();
                } catch (CompletionException e) {
                    last = translated(e);
                    if (!NOT_EXECUTED.contains(last.code().name())) {
                        throw last;
                    }
                }
            }
            pause();
        }
    }

    private static TomboloException translated(CompletionException failure) {
        return switch (Errors.unwrap(failure)) {
            case TomboloException known -> known;
            case RemoteException remote -> remote.toTombolo();
            case Throwable other -> throw new IllegalStateException(other);
        };
    }

    private TomboloException noLeader(long timeoutMs, TomboloException last) {
        TomboloException.Builder error = TomboloException
                .error(CoordinatorError.NO_LEADER, "no coordinator leads the cluster").fact("cluster", cluster.name())
                .fact("timeoutMs", timeoutMs);
        if (last != null) {
            error.fact("last", last.getMessage()).cause(last);
        }
        return error.next("check that a coordinator runs: tombolo status").build();
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(RETRY_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw TomboloException.error(CoordinatorError.NO_LEADER, "interrupted").cause(e).build();
        }
    }

    @Override
    public void close() {
        pool.close();
        transport.close();
        zk.close();
    }
}

package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.Protocol;
import io.tombolo.coordinator.wire.RemoteException;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.Request;
import io.tombolo.coordinator.wire.Role;
import io.tombolo.coordinator.wire.RpcAddress;
import io.tombolo.coordinator.wire.RpcPool;
import io.tombolo.coordinator.wire.RpcTransport;
import io.tombolo.coordinator.zk.ClusterRecord;
import io.tombolo.coordinator.zk.ClusterTree;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.LeaderRecord;
import io.tombolo.coordinator.zk.Leadership;
import io.tombolo.coordinator.zk.Membership;
import io.tombolo.coordinator.zk.ZkConnection;
import io.tombolo.coordinator.zk.ZkPaths;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/// Finds the leading coordinator, or an agent, through ZooKeeper and asks it. A request to the leader that was
/// certainly not executed is sent again, to whoever leads by then, until the time is up; one that may have been is not,
/// and `vm show` tells what became of it. Thread safe.
public final class CoordinatorClient implements AutoCloseable {
    private static final int CONNECT_TIMEOUT_MS = 5_000;
    private static final int RETRY_MS = 50;
    /// Longest wait for a leader, however long the request itself may take: several elections.
    private static final int LEADER_WAIT_MS = 15_000;

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
    /// @throws TomboloException `ZOOKEEPER_UNREACHABLE`, `CLUSTER_ROOT_EMPTY`
    public static CoordinatorClient open(ZooKeeperConfig zookeeper, String clusterName, String name, int timeoutMs) {
        ZkConnection zk = ZkConnection.open(zookeeper.connect(), new ZkPaths(zookeeper.rootFor(clusterName)),
                zookeeper.sessionTimeoutMs(), timeoutMs);
        try {
            ClusterRecord cluster = new ClusterTree(zk).read().orElseThrow(() -> TomboloException
                    .error(CoordinatorError.CLUSTER_ROOT_EMPTY, "ZooKeeper knows no cluster at that root")
                    .fact("cluster", clusterName).fact("root", zk.paths().root())
                    .fact("zookeeper", zookeeper.connect())
                    .next("correct --cluster or --root, or start a coordinator with them").build());
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

    /// The hosts that are in the cluster now.
    public List<HostRecord> hosts() {
        return new Membership(zk, System::nanoTime).hosts();
    }

    /// Calls the leader.
    ///
    /// @param timeoutMs for everything: finding the leader, waiting for one to be elected, and its answer
    /// @throws TomboloException the leader's error with its code; `NO_LEADER`; `ZOOKEEPER_UNREACHABLE`; `RPC_TIMEOUT`
    /// or
    ///         `RPC_CONNECTION_LOST` when the request may have been executed
    public <R extends Reply> R call(CoordinatorRequest request, Class<R> replyType, long timeoutMs) {
        long startNs = System.nanoTime();
        TomboloException last = null;
        while (true) {
            long passedMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
            if (passedMs >= Math.min(timeoutMs, LEADER_WAIT_MS)) {
                throw noLeader(passedMs, last);
            }
            Optional<LeaderRecord> leader = Leadership.leader(zk);
            if (leader.isPresent()) {
                LeaderRecord at = leader.get();
                try {
                    return call(new RpcAddress(at.address(), at.port()), at.id(), request, replyType,
                            timeoutMs - passedMs);
                } catch (TomboloException e) {
                    if (!certainlyNotExecuted(e)) {
                        throw e;
                    }
                    last = e;
                }
            }
            pause();
        }
    }

    /// Calls the agent of one host, without repeating.
    ///
    /// @throws TomboloException the agent's error with its code; `HOST_UNKNOWN`; those of the connection
    public <R extends Reply> R call(String host, AgentRequest request, Class<R> replyType, long timeoutMs) {
        HostRecord record = hosts().stream().filter(h -> h.name().equals(host)).findFirst()
                .orElseThrow(() -> Placement.unknown(host));
        return call(record, request, replyType, timeoutMs);
    }

    /// The same for who calls often and keeps what [#hosts] said: ZooKeeper is not asked. After `RPC_UNREACHABLE` the
    /// record may be an old one.
    public <R extends Reply> R call(HostRecord host, AgentRequest request, Class<R> replyType, long timeoutMs) {
        return call(new RpcAddress(host.address(), host.port()), host.name(), request, replyType, timeoutMs);
    }

    private <R extends Reply> R call(RpcAddress address, String name, Request request, Class<R> replyType,
            long timeoutMs) {
        try {
            return pool.call(address, name, request, replyType, timeoutMs).join();
        } catch (CompletionException e) {
            throw switch (Errors.unwrap(e)) {
                case TomboloException known -> known;
                case RemoteException remote -> remote.toTombolo();
                case Throwable other -> new IllegalStateException(other);
            };
        }
    }

    /// By identity: the same names from the other side are about what the coordinator could not reach.
    private static boolean certainlyNotExecuted(TomboloException e) {
        return e.code() == CoordinatorError.RPC_UNREACHABLE || e.code() == CoordinatorError.RPC_NOT_SENT
                || e.code().name().equals(CoordinatorError.NOT_LEADER.name());
    }

    private TomboloException noLeader(long waitedMs, TomboloException last) {
        TomboloException.Builder error = TomboloException
                .error(CoordinatorError.NO_LEADER, "no coordinator leads the cluster").fact("cluster", cluster.name())
                .fact("waitedMs", waitedMs);
        if (last != null) {
            error.fact("last", last.getMessage()).cause(last);
        }
        return error.next("start a coordinator, or read the logs of those that run").build();
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

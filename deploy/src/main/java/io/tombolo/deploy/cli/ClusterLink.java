package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Hello;
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
import io.tombolo.deploy.DeployError;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;

/// Finds the leading coordinator, or an agent, in ZooKeeper and asks it.
///
/// A request is sent again only when it was certainly not executed: nobody led, another one leads now, or the request never
/// left this process. After anything else the caller is told what happened, and `vm show` tells what became of it.
final class ClusterLink implements ClusterConnection {
    private static final int SESSION_MS = 10_000;
    private static final int CONNECT_MS = 5_000;
    private static final long LEADER_WAIT_NS = 15_000_000_000L;
    private static final long LOOK_NS = 50_000_000L;
    /// The longest request creates a Linux guest and its image or waits for a slow hand-off.
    private static final long REQUEST_MS = 120_000;
    private final ZkConnection zookeeper;
    private final RpcTransport transport;
    private final RpcPool pool;

    private ClusterLink(ZkConnection zookeeper, RpcTransport transport, RpcPool pool) {
        this.zookeeper = zookeeper;
        this.transport = transport;
        this.pool = pool;
    }

    /// Connects to ZooKeeper; coordinators are looked for when the first request comes.
    ///
    /// @throws TomboloException `ZOOKEEPER_UNREACHABLE`, `CLUSTER_ROOT_EMPTY`
    static ClusterLink open(String connect, String root) {
        ZkConnection zookeeper = ZkConnection.open(requireNonNull(connect, "connect is null"), new ZkPaths(root),
                SESSION_MS, CONNECT_MS);
        try {
            ClusterRecord cluster = new ClusterTree(zookeeper).read()
                    .orElseThrow(() -> TomboloException
                            .error(DeployError.CLUSTER_ROOT_EMPTY, "there is no cluster at that root")
                            .fact("zookeeper", connect).fact("root", root)
                            .next("correct --cluster or --root, or start an agent or coordinator with them").build());
            Hello self = new Hello(Protocol.MAJOR, Protocol.MINOR, cluster.uuid(), Role.CLIENT,
                    "tombolo-" + ProcessHandle.current().pid(), 0, 0);
            RpcTransport transport = RpcTransport.start("cli", 1);
            return new ClusterLink(zookeeper, transport, new RpcPool(transport, () -> self, CONNECT_MS));
        } catch (TomboloException e) {
            zookeeper.close();
            throw e;
        }
    }

    @Override
    public Reply call(CoordinatorRequest request) {
        long deadlineNs = System.nanoTime() + LEADER_WAIT_NS;
        while (true) {
            try {
                LeaderRecord leader = Leadership.leader(zookeeper).orElseThrow(ClusterLink::noLeader);
                return call(new RpcAddress(leader.address(), leader.port()), leader.id(), request);
            } catch (TomboloException e) {
                if (!certainlyNotExecuted(e) || System.nanoTime() > deadlineNs) {
                    throw e;
                }
                LockSupport.parkNanos(LOOK_NS);
            }
        }
    }

    /// By identity: the same names from the other side are about what the coordinator could not reach.
    private static boolean certainlyNotExecuted(TomboloException e) {
        return e.code() == CoordinatorError.NO_LEADER || e.code() == CoordinatorError.RPC_UNREACHABLE
                || e.code() == CoordinatorError.RPC_NOT_SENT
                || e.code().name().equals(CoordinatorError.NOT_LEADER.name());
    }

    /// Asks one agent directly.
    Reply call(String host, AgentRequest request) {
        HostRecord record = hosts().stream().filter(h -> h.name().equals(host)).findFirst()
                .orElseThrow(() -> TomboloException
                        .error(CoordinatorError.HOST_UNKNOWN, "no host of that name is in the cluster")
                        .fact("host", host).next("tombolo host list").build());
        return call(new RpcAddress(record.address(), record.port()), record.name(), request);
    }

    /// The hosts that are in the cluster now.
    List<HostRecord> hosts() {
        return new Membership(zookeeper, System::nanoTime).hosts();
    }

    private Reply call(RpcAddress address, String name, Request request) {
        try {
            return pool.call(address, name, request, Reply.class, REQUEST_MS).join();
        } catch (CompletionException e) {
            throw switch (e.getCause()) {
                case TomboloException known -> known;
                case RemoteException remote -> remote.toTombolo();
                case null, default -> e;
            };
        }
    }

    private static TomboloException noLeader() {
        return TomboloException.error(CoordinatorError.NO_LEADER, "no coordinator leads")
                .next("start a coordinator, or see the logs of those that run").build();
    }

    @Override
    public void close() {
        pool.close();
        transport.close();
        zookeeper.close();
    }
}

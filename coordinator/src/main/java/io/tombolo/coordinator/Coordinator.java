package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Hello;
import io.tombolo.coordinator.wire.PeerInfo;
import io.tombolo.coordinator.wire.Protocol;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.Request;
import io.tombolo.coordinator.wire.Role;
import io.tombolo.coordinator.wire.RpcAddress;
import io.tombolo.coordinator.wire.RpcPool;
import io.tombolo.coordinator.wire.RpcServer;
import io.tombolo.coordinator.wire.RpcTransport;
import io.tombolo.coordinator.zk.ClusterRecord;
import io.tombolo.coordinator.zk.ClusterTree;
import io.tombolo.coordinator.zk.LeaderRecord;
import io.tombolo.coordinator.zk.LeaderWrites;
import io.tombolo.coordinator.zk.Leadership;
import io.tombolo.coordinator.zk.Membership;
import io.tombolo.coordinator.zk.ZkConnection;
import io.tombolo.coordinator.zk.ZkPaths;
import io.tombolo.region.TomboloException;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One coordinator: runs for leadership, serves requests while it leads, and refuses them with the leader's address
/// while it does not. Several may run; the term sees to it that only one writes. It maps the region read-only.
///
/// Thread safe. [#close] ends everything; the process may then exit.
public final class Coordinator implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Coordinator.class);
    private static final int LOOP_THREADS = 2;

    private final CoordinatorConfig config;
    private final RegionOwnerView mapping;
    private final ClusterRecord cluster;
    private final ZkConnection zk;
    private final RpcTransport transport;
    private final RpcPool pool;
    private final HandoffRunner.Ports ports;
    private final ClusterView view;
    private final RpcServer server;
    private final Leadership leadership;
    private volatile LeaderSession session;

    private Coordinator(CoordinatorConfig config, OwnerView region, RegionOwnerView mapping, ZkConnection zk) {
        this.config = config;
        this.mapping = mapping;
        this.zk = zk;
        this.cluster = new ClusterRecord(config.clusterUuid(), config.clusterName(), region.regionUuid());
        new ClusterTree(zk).join(cluster);
        this.transport = RpcTransport.start("coordinator-" + config.id(), LOOP_THREADS);
        this.pool = new RpcPool(transport, this::hello, config.handoff().connectMs());
        Membership membership = new Membership(zk, System::nanoTime);
        LeaderWrites writes = new LeaderWrites(zk);
        this.ports = new HandoffRunner.Ports(new AgentLinks(membership, pool), membership, writes, region,
                new VmRecords(zk, writes, membership, region));
        this.view = new ClusterView(ports, config);
        this.server = RpcServer.start(transport, new RpcAddress(config.rpc().bindAddress(), config.rpc().port()),
                this::hello, this::handle);
        this.leadership = new Leadership(zk,
                new LeaderRecord(config.id(), config.rpc().advertised(), server.port()), new Terms());
    }

    /// Starts a coordinator; it runs for leadership from then on.
    ///
    /// @throws TomboloException when region or ZooKeeper are not there, belong to another cluster, or the port is taken
    public static Coordinator start(CoordinatorConfig config) {
        return start(config, view -> view);
    }

    /// The same with something between the region and the coordinator's eyes.
    static Coordinator start(CoordinatorConfig config, UnaryOperator<OwnerView> glasses) {
        RegionOwnerView region = RegionOwnerView.open(Path.of(config.regionFile()), config.clusterUuid());
        ZkConnection zk = null;
        try {
            zk = ZkConnection.open(config.zookeeper().connect(),
                    new ZkPaths(config.zookeeper().rootFor(config.clusterName())),
                    config.zookeeper().sessionTimeoutMs(),
                    config.handoff().prepareMs());
            Coordinator coordinator = new Coordinator(config, glasses.apply(region), region, zk);
            coordinator.leadership.start();
            LOG.info("coordinator {} listens on {}:{}", config.id(), config.rpc().advertised(), coordinator.port());
            return coordinator;
        } catch (RuntimeException e) {
            if (zk != null) {
                zk.close();
            }
            region.close();
            throw e;
        }
    }

    private Hello hello() {
        LeaderSession current = session;
        return Protocol.hello(config.clusterUuid(), Role.COORDINATOR, config.id(), 0,
                current == null ? 0 : current.term());
    }

    /// Port of the RPC server.
    public int port() {
        return server.port();
    }

    /// The term it leads with, as far as it knows.
    public OptionalLong term() {
        return leadership.term();
    }

    private CompletableFuture<? extends Reply> handle(Request request, PeerInfo peer) {
        return switch (request) {
            case AgentRequest _ -> CompletableFuture.failedFuture(notServed(request));
            case CoordinatorRequest asked -> CompletableFuture.completedFuture(serve(asked));
        };
    }

    private static TomboloException notServed(Request request) {
        return TomboloException.error(CoordinatorError.RPC_NOT_SERVED, "a coordinator does not serve this request")
                .fact("request", request.getClass().getSimpleName()).next("ask an agent").build();
    }

    private Reply serve(CoordinatorRequest request) {
        long term = leadership.requireTerm();
        LeaderSession current = session;
        if (current == null || current.term() != term) {
            throw TomboloException.error(CoordinatorError.NOT_LEADER, "this coordinator is about to lead")
                    .fact("coordinator", config.id()).next("ask again").build();
        }
        return switch (request) {
            case CoordinatorRequest.VmCreate create -> current.create(create);
            case CoordinatorRequest.VmDestroy destroy -> current.destroy(destroy);
            case CoordinatorRequest.VmPause pause -> current.pause(pause);
            case CoordinatorRequest.VmResume resume -> current.resume(resume);
            case CoordinatorRequest.VmMigrate migrate -> current.migrate(migrate);
            case CoordinatorRequest.VmMigrateProgress asked -> current.progress(asked);
            case CoordinatorRequest.VmMigrateCancel cancel -> current.cancel(cancel);
            case CoordinatorRequest.VmList _ -> new Reply.VmListReply(view.vms());
            case CoordinatorRequest.VmShow(String vm) ->
                new Reply.VmReply(view.show(ports.records().require(vm).value()));
            case CoordinatorRequest.HostList _ -> new Reply.HostListReply(view.hosts());
            case CoordinatorRequest.HostShow(String host) -> new Reply.HostReply(view.host(host));
            case CoordinatorRequest.ClusterStatus _ -> new Reply.ClusterReply(view.cluster(cluster, term));
            case CoordinatorRequest.VmProtect protect -> current.failures().protect(protect);
            case CoordinatorRequest.VmTakeover takeover -> current.failures().takeOver(takeover);
            case CoordinatorRequest.HostFence fence -> current.failures().fence(fence);
            case CoordinatorRequest.HostDrain drain -> current.failures().drain(drain);
            case CoordinatorRequest.HostRemove remove -> current.failures().remove(remove);
            case CoordinatorRequest.Takeovers _ -> new Reply.TakeoverList(current.watch().reports());
            case CoordinatorRequest.Reconcile _ -> current.failures().reconcile();
        };
    }

    /// What election and deposition mean here; called on one thread, one after the other.
    private final class Terms implements Leadership.Listener {
        @Override
        public void elected(long term) {
            LeaderSession fresh = new LeaderSession(ports, view, config, term);
            session = fresh;
            fresh.start();
        }

        @Override
        public void deposed(long term) {
            LeaderSession ended = session;
            session = null;
            if (ended != null) {
                ended.close();
            }
        }
    }

    /// Leaves the election, ends all connections, unmaps the region.
    @Override
    public void close() {
        server.close();
        leadership.close();
        LeaderSession current = session;
        if (current != null) {
            current.close();
        }
        pool.close();
        transport.close();
        zk.close();
        mapping.close();
    }
}

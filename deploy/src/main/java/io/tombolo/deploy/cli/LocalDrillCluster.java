package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.CoordinatorClient;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.HostStatus;
import io.tombolo.coordinator.wire.InputEntry;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.PageStatus;
import io.tombolo.coordinator.wire.PageWaits;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TakeoverReport;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.deploy.DeployError;
import io.tombolo.deploy.cluster.ClusterFacts;
import io.tombolo.deploy.cluster.ClusterPlaces;
import io.tombolo.deploy.cluster.ClusterSpec;
import io.tombolo.deploy.cluster.Clusters;
import io.tombolo.deploy.cluster.JavaPrograms;
import io.tombolo.deploy.cluster.LocalCluster;
import io.tombolo.deploy.cluster.ProcessState;
import io.tombolo.deploy.cluster.RunningCluster;
import io.tombolo.deploy.cluster.SupervisedProcess;
import io.tombolo.deploy.drill.DrillCluster;
import io.tombolo.deploy.drill.DrillPlan;
import io.tombolo.deploy.drill.DrillProgress;
import io.tombolo.deploy.drill.GuestLook;
import io.tombolo.region.TomboloException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// A drill's cluster of real processes on this machine.
///
/// Without `--keep` its supervisor is this process, so that nothing stays whatever happens to the drill; with it, the
/// supervisor is a process of its own and the cluster is one that `status` and `down` know.
final class LocalDrillCluster implements DrillCluster {
    /// Page tables are 1/512 of guest memory and need one run of frames; the rest is room for alignment.
    private static final long ROOM_BYTES = 64L << 20;

    /// A guest that stands still for longer is asked again; what it was asked before is recognised.
    private static final long CLIENT_MS = 1_000;

    /// A look that takes longer says nothing about when it was.
    private static final long LOOK_MS = 500;

    /// What a migration may take in which pages move at the speed of memory or of a socket.
    private static final long MOVE_MS = TimeUnit.HOURS.toMillis(1) + ClusterConnection.REQUEST_MS;

    /// Local tiers come in blocks.
    private static final long BLOCK_BYTES = 2L << 20;

    /// A page that a vCPU or another mover has at this moment is free at the next.
    private static final int MOVE_ATTEMPTS = 5;

    /// The host does not have the guest, or has no time.
    private static final Set<String> NOT_NOW = Set.of("VM_NOT_ON_HOST", "VM_NOT_HERE", "RPC_TIMEOUT", "RPC_BUSY");

    private static final String DRILL = "drill";

    private final RunningCluster cluster;
    private final DrillProgress progress;
    private final ClusterFacts facts;
    private final CoordinatorClient client;
    private final List<String> hosts;
    private final long clientMs;
    private final Thread hook;
    /// Where the agents listen, so that ZooKeeper is not asked for every operation of a client.
    private final Map<String, HostRecord> agents = new ConcurrentHashMap<>();

    private LocalDrillCluster(RunningCluster cluster, List<String> hosts, DrillProgress progress, long clientMs) {
        this.clientMs = clientMs;
        this.cluster = requireNonNull(cluster, "cluster is null");
        this.progress = requireNonNull(progress, "progress is null");
        this.hosts = List.copyOf(hosts);
        this.facts = cluster.facts();
        this.client = ClusterConnection.client(facts.name(), facts.zookeeper(), facts.root());
        this.hook = Thread.ofPlatform().name("drill-cleanup").unstarted(cluster::close);
    }

    /// Wraps a cluster that runs, whose clients wait so long for an answer; who started it closes it if this object is
    /// never closed.
    static LocalDrillCluster of(LocalCluster running, DrillProgress progress, long clientMs) {
        return new LocalDrillCluster(running, running.spec().hosts(), progress, clientMs).closedAtExit();
    }

    private LocalDrillCluster closedAtExit() {
        // Ctrl-C; a SIGKILL of this process is the supervisor's guard's affair.
        Runtime.getRuntime().addShutdownHook(hook);
        return this;
    }

    /// Starts the processes and waits until they are ready.
    static LocalDrillCluster start(DrillPlan plan, ClusterPlaces places, DrillProgress progress) {
        String name = plan.keep() ? DRILL : DRILL + "-" + ProcessHandle.current().pid();
        ClusterSpec spec = ClusterSpec.of(name, regionBytes(plan.vm()))
                .withHosts(ClusterSpec.hostNames(plan.hosts())).withDrivers(List.of(plan.vm().driver()))
                .withBaseMs(plan.baseMs()).withLocalTierBytes(localBytes(plan));
        // The names of drills never come again, so nobody else would remove what a killed one left.
        Clusters.removeDead(DRILL + "-", places);
        Consumer<String> tell = progress::step;
        RunningCluster running = plan.keep()
                ? Clusters.up(spec, places, JavaPrograms.standard(), tell)
                : LocalCluster.start(spec, places, JavaPrograms.standard(), tell);
        try {
            LocalDrillCluster cluster = new LocalDrillCluster(running, spec.hosts(), progress, CLIENT_MS);
            return plan.keep() ? cluster : cluster.closedAtExit();
        } catch (TomboloException e) {
            running.close();
            throw e;
        }
    }

    /// Room for the guest; nothing when it never has a page there.
    private static long localBytes(DrillPlan plan) {
        return plan.needsLocalTier() ? Math.ceilDiv(plan.vm().memoryBytes(), BLOCK_BYTES) * BLOCK_BYTES : 0;
    }

    /// All pages may be in shared memory at once, whatever the mode. Guest memory of a QEMU guest is a segment file of
    /// its own, not frames.
    private static long regionBytes(VmSpec vm) {
        return ROOM_BYTES + (vm.driver().equals("qemu") ? 0 : vm.memoryBytes() + vm.memoryBytes() / 512);
    }

    @Override
    public List<String> hosts() {
        return hosts;
    }

    @Override
    public Path region() {
        return Path.of(facts.region());
    }

    @Override
    public VmStatus create(VmSpec vm, String host) {
        return call(new CoordinatorRequest.VmCreate(vm, host), Reply.VmReply.class).vm();
    }

    @Override
    public Reply.Migrated migrate(String vm, String toHost, MigrateMode mode) {
        return call(new CoordinatorRequest.VmMigrate(vm, toHost, mode, 0), Reply.Migrated.class,
                mode == MigrateMode.HANDOFF ? ClusterConnection.REQUEST_MS : MOVE_MS);
    }

    @Override
    public void moveToShared(String vm) {
        Map<String, Long> stayed = new TreeMap<>();
        try (ClusterConnection connection = ClusterConnection.open(facts.name(), facts.zookeeper(), facts.root())) {
            VmPagesClient pages = VmPagesClient.of(connection, vm);
            for (int attempt = 1; attempt <= MOVE_ATTEMPTS; attempt++) {
                stayed.clear();
                for (PageRange all : pages.ranges(List.of(PageRange.parse("all")))) {
                    pages.move(all, PageStatus.SHARED, (_, status, _) -> {
                        if (status != PageStatus.SHARED) {
                            stayed.merge(PageStatus.text(status), 1L, Long::sum);
                        }
                    });
                }
                if (stayed.isEmpty()) {
                    return;
                }
            }
            throw TomboloException.error(DeployError.PAGES_NOT_MOVED, "the guest's memory cannot be looked at")
                    .fact("vm", vm).fact("host", pages.vm().ownerHost()).fact("tier", "shared")
                    .fact("stayed", stayed).next("repeat with --keep and see tombolo pages query " + vm + " all")
                    .build();
        }
    }

    @Override
    public Optional<GuestLook> look(String host, String vm) {
        HostRecord agent = agent(host);
        VmStatus status;
        try {
            status = client.call(agent, new AgentRequest.ShowVm(vm), Reply.VmReply.class, LOOK_MS).vm();
        } catch (TomboloException e) {
            if (!NOT_NOW.contains(e.code().name())) {
                throw e;
            }
            return Optional.empty();
        }
        // A source knows the guest for some moments after it has left.
        if (!status.ownerHost().equals(host) || status.instructions().isEmpty()) {
            return Optional.empty();
        }
        PageWaits waits = status.waits();
        return Optional.of(new GuestLook(status.instructions().stream().mapToLong(Long::longValue).sum(),
                Optional.of(new GuestLook.Waits(waits.count(), waits.p99Ns(), waits.maxNs()))));
    }

    @Override
    public VmStatus pause(String vm) {
        return call(new CoordinatorRequest.VmPause(vm), Reply.VmReply.class).vm();
    }

    @Override
    public VmStatus show(String vm) {
        return call(new CoordinatorRequest.VmShow(vm), Reply.VmReply.class).vm();
    }

    @Override
    public Path console(String vm, String host) {
        return Path.of(facts.runDirectory(), host, vm + ".console");
    }

    @Override
    public List<InputEntry> inputLog(String vm) {
        List<InputEntry> all = new ArrayList<>();
        for (String host : hosts) {
            Reply.InputLog part;
            long from = 0;
            do {
                part = client.call(host, new AgentRequest.FetchInputLog(vm, from), Reply.InputLog.class,
                        ClusterConnection.REQUEST_MS);
                all.addAll(part.entries());
                from += part.entries().size();
            } while (from < part.end() && !part.entries().isEmpty());
        }
        return all;
    }

    @Override
    public GuestReply call(String host, AgentRequest.GuestCall call) {
        HostRecord agent = agent(host);
        try {
            return client.call(agent, call, GuestReply.class, clientMs);
        } catch (TomboloException e) {
            if (e.code() == CoordinatorError.RPC_UNREACHABLE) {
                agents.remove(host, agent);
            }
            throw e;
        }
    }

    private synchronized HostRecord agent(String host) {
        if (!agents.containsKey(host)) {
            for (HostRecord record : client.hosts()) {
                if (!record.equals(agents.put(record.name(), record))) {
                    connect(record);
                }
            }
        }
        HostRecord agent = agents.get(host);
        if (agent == null) {
            throw TomboloException.error(CoordinatorError.HOST_DEAD, "the host has no record").fact("host", host)
                    .next("tombolo host list").build();
        }
        return agent;
    }

    /// Connects now, so that a client does not wait for that when the VM has just arrived there.
    private void connect(HostRecord record) {
        try {
            var _ = client.call(record, new AgentRequest.Ping(0), Reply.Pong.class, clientMs);
        } catch (TomboloException e) {
            if (clientMs == CLIENT_MS) {
                throw e;
            }
            // A host that fails is not there to be connected to; its clients will find out.
            agents.remove(record.name(), record);
        }
    }

    /// Asks an agent that may be another process by now than it was.
    <T extends Reply> T ask(String host, AgentRequest request, Class<T> type) {
        return client.call(host, request, type, ClusterConnection.REQUEST_MS);
    }

    List<VmStatus> list() {
        return call(new CoordinatorRequest.VmList(), Reply.VmListReply.class).vms();
    }

    List<TakeoverReport> takeovers() {
        return call(new CoordinatorRequest.Takeovers(), Reply.TakeoverList.class).takeovers();
    }

    List<HostStatus> hostStatus() {
        return call(new CoordinatorRequest.HostList(), Reply.HostListReply.class).hosts();
    }

    @Override
    public void destroy(String vm) {
        call(new CoordinatorRequest.VmDestroy(vm), Reply.Ack.class);
    }

    @Override
    public String describe() {
        return "the cluster goes on: tombolo status --cluster " + facts.name() + ", tombolo down --cluster "
                + facts.name();
    }

    private <T extends Reply> T call(CoordinatorRequest request, Class<T> type) {
        return call(request, type, ClusterConnection.REQUEST_MS);
    }

    private <T extends Reply> T call(CoordinatorRequest request, Class<T> type, long timeoutMs) {
        try {
            return client.call(request, type, timeoutMs);
        } catch (TomboloException e) {
            tellWhoStopped();
            throw e;
        }
    }

    /// The logs are gone when the drill has ended: what a process that ended by itself has to say is said now.
    private void tellWhoStopped() {
        if (cluster instanceof LocalCluster local) {
            for (String host : hosts) {
                SupervisedProcess agent = local.process(host);
                if (agent.state() == ProcessState.STOPPED) {
                    progress.step(host + " has stopped: " + agent.awaitStopped(0).reason() + "; " + agent.logTail());
                }
            }
        }
    }

    @Override
    public void close() {
        client.close();
        cluster.close();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException _) {
            // The JVM is going down already and the hook does, or has done, the same.
        }
    }
}

package io.tombolo.chaos.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.agent.right.Timings;
import io.tombolo.chaos.HaltAction;
import io.tombolo.chaos.HandoffHalt;
import io.tombolo.coordinator.CoordinatorClient;
import io.tombolo.coordinator.ZooKeeperConfig;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.Protocol;
import io.tombolo.coordinator.wire.RemoteException;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.Role;
import io.tombolo.coordinator.wire.RpcAddress;
import io.tombolo.coordinator.wire.RpcPool;
import io.tombolo.coordinator.wire.RpcTransport;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.coordinator.zk.LeaderRecord;
import io.tombolo.coordinator.zk.Leadership;
import io.tombolo.coordinator.zk.ZkConnection;
import io.tombolo.coordinator.zk.ZkPaths;
import io.tombolo.deploy.cluster.ClusterFacts;
import io.tombolo.deploy.cluster.ClusterNetwork;
import io.tombolo.deploy.cluster.ClusterPlaces;
import io.tombolo.deploy.cluster.ClusterSpec;
import io.tombolo.deploy.cluster.LocalCluster;
import io.tombolo.deploy.cluster.ProcessState;
import io.tombolo.deploy.cluster.StopRecord;
import io.tombolo.deploy.cluster.SupervisedProcess;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// A cluster of separate processes that is attacked: ZooKeeper's servers, coordinators and agents, with a network whose
/// links can be cut one by one, and this process looking on. The supervisor is this process; it is the trusted base and
/// is never attacked. Thread safe.
public final class ClusterUnderTest implements AutoCloseable {
    /// Servers of the ensemble.
    public static final int ZOOKEEPER_SERVERS = 3;
    /// Hosts that are no members when the cluster starts and may join.
    public static final int SPARE_HOSTS = 2;

    private static final int AGENT_HEAP_MB = 96;
    /// Room for the pages of a few guests, copies that are under way included.
    private static final long LOCAL_TIER_BYTES = 16L << 20;
    private static final int HOST_SLOTS = 1024;
    private static final int VM_SLOTS = 1024;
    private static final int METADATA_SLOT_BYTES = 64 << 10;
    private static final int CONNECT_MS = 1_000;
    private static final int ASK_MS = 3_000;
    private static final int PROBE_MS = 300;

    private final LocalCluster cluster;
    private final FaultNetwork network;
    private final Region region;
    private final ZkConnection zk;
    private final CoordinatorClient client;
    private final RpcTransport transport;
    private final RpcPool pool;
    private final List<String> hosts = new CopyOnWriteArrayList<>();

    private ClusterUnderTest(LocalCluster cluster, FaultNetwork network) {
        this.cluster = cluster;
        this.network = network;
        ClusterFacts facts = cluster.facts();
        this.hosts.addAll(cluster.spec().hosts());
        this.region = Region.open(cluster.region(), OpenOptions.ofCluster(cluster.uuid()));
        // The longest that the ensemble grants: this process has other things to do than to keep it.
        int session = 20 * facts.baseMs();
        this.zk = ZkConnection.open(facts.zookeeper(), new ZkPaths(facts.root()), session, ASK_MS);
        this.client = CoordinatorClient.open(new ZooKeeperConfig(facts.zookeeper(), facts.root(), session),
                facts.name(), "chaos", ASK_MS);
        this.transport = RpcTransport.start("chaos", 1);
        this.pool = new RpcPool(transport, () -> Protocol.hello(cluster.uuid(), Role.CLIENT, "chaos", 0, 0),
                CONNECT_MS);
    }

    /// Starts everything and waits until it is ready. On failure everything is stopped again.
    ///
    /// @param progress told one line per step
    /// @throws TomboloException what [LocalCluster#start] throws; CHAOS_NETWORK
    public static ClusterUnderTest start(ClusterPlan plan, Consumer<String> progress) {
        requireNonNull(plan, "plan is null");
        ClusterSpec spec = ClusterSpec.of(plan.name(), plan.regionBytes())
                .withHosts(ClusterSpec.hostNames(plan.hosts())).withCoordinators(plan.coordinators())
                .withZooKeeperServers(ZOOKEEPER_SERVERS).withBaseMs(plan.baseMs()).withAgentHeapMb(AGENT_HEAP_MB)
                .withRehearsalHops(0).withLocalTierBytes(LOCAL_TIER_BYTES);
        List<String> names = new ArrayList<>();
        IntStream.rangeClosed(1, ZOOKEEPER_SERVERS).forEach(i -> names.add("zookeeper-" + i));
        IntStream.rangeClosed(1, plan.coordinators()).forEach(i -> names.add("coordinator-" + i));
        names.addAll(ClusterSpec.hostNames(plan.hosts() + SPARE_HOSTS));
        FaultNetwork network = switch (plan.network()) {
            case PROXY -> ProxyNetwork.start(names, directory(plan.directory().resolve("network")), plan.seed());
            case NAMESPACES -> NamespaceNetwork.start(names, plan.name());
        };
        LocalCluster cluster = null;
        boolean ok = false;
        try {
            cluster = LocalCluster.start(spec,
                    new ClusterPlaces(directory(plan.directory().resolve("state")), Path.of("/dev/shm")),
                    plan.programs(), network, format -> format.withHostSlots(HOST_SLOTS).withVmSlots(VM_SLOTS)
                            .withMetadataSlotBytes(METADATA_SLOT_BYTES),
                    progress);
            ClusterUnderTest started = new ClusterUnderTest(cluster, network);
            ok = true;
            return started;
        } finally {
            if (!ok) {
                if (cluster != null) {
                    cluster.close();
                }
                network.close();
            }
        }
    }

    private static Path directory(Path path) {
        try {
            return Files.createDirectories(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public LocalCluster processes() {
        return cluster;
    }

    /// All times that follow from its base.
    public Timings timings() {
        return new Timings(cluster.spec().baseMs());
    }

    public FaultNetwork network() {
        return network;
    }

    /// The region, as this process maps it.
    public Region region() {
        return region;
    }

    /// Members, those that have joined last.
    public List<String> hosts() {
        return List.copyOf(hosts);
    }

    /// Lets a host join that has never been a member. Empty if all have.
    ///
    /// @throws TomboloException PROCESS_ENDED_EARLY, PROCESS_NOT_READY; it is a member all the same, and may be revived
    public synchronized Optional<String> join() {
        int joined = hosts.size() - cluster.spec().hosts().size();
        if (joined == SPARE_HOSTS) {
            return Optional.empty();
        }
        String fresh = ClusterSpec.hostNames(hosts.size() + 1).getLast();
        try {
            cluster.addHost(fresh);
        } finally {
            if (cluster.supervisor().processes().stream().anyMatch(process -> process.name().equals(fresh))) {
                hosts.add(fresh);
            }
        }
        return Optional.of(fresh);
    }

    /// All that run or should: ZooKeeper's servers, coordinators, members.
    public List<String> members() {
        List<String> all = new ArrayList<>(zooKeepers());
        all.addAll(coordinators());
        all.addAll(hosts);
        return all;
    }

    public List<String> coordinators() {
        return IntStream.rangeClosed(1, cluster.spec().coordinators()).mapToObj(i -> "coordinator-" + i).toList();
    }

    public List<String> zooKeepers() {
        return IntStream.rangeClosed(1, ZOOKEEPER_SERVERS).mapToObj(i -> "zookeeper-" + i).toList();
    }

    /// The leading coordinator, if one leads and ZooKeeper says so.
    public Optional<String> leader() {
        try {
            return Leadership.leader(zk).map(LeaderRecord::id);
        } catch (TomboloException _) {
            return Optional.empty();
        }
    }

    /// The server that leads the ensemble, if one says so.
    public Optional<String> zooKeeperLeader() {
        return zooKeepers().stream().filter(name -> srvr(name).contains("Mode: leader")).findFirst();
    }

    /// Whether the ensemble has a leader and every server serves.
    public boolean zooKeeperWhole() {
        return zooKeepers().stream().allMatch(name -> srvr(name).contains("\nMode: "));
    }

    private String srvr(String server) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(network.fromOutside(server),
                    network.port(ClusterNetwork.Port.CLIENT)), PROBE_MS);
            socket.setSoTimeout(PROBE_MS);
            socket.getOutputStream().write("srvr".getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        } catch (IOException _) {
            return "";
        }
    }

    // ---- processes

    /// Whether the process is there and said that it is ready; a stopped one (SIGSTOP) counts.
    public boolean alive(String process) {
        return cluster.process(process).state() == ProcessState.READY;
    }

    /// SIGKILL to all of its group; confirmed when this returns.
    public StopRecord kill(String process) {
        return cluster.kill(process);
    }

    /// SIGSTOP to all of its group. False if it does not run.
    public boolean pause(String process) {
        return signal(process, Linux.SIGSTOP);
    }

    /// SIGCONT to all of its group. False if it does not run: the watchdog may have killed it meanwhile.
    public boolean wake(String process) {
        return signal(process, Linux.SIGCONT);
    }

    private boolean signal(String process, int signal) {
        try {
            cluster.signalGroup(process, signal);
            return true;
        } catch (TomboloException _) {
            return false;
        }
    }

    /// Starts a process that has stopped, as it was, and waits until it is ready.
    ///
    /// @throws TomboloException PROCESS_ENDED_EARLY, PROCESS_NOT_READY; it may be tried again
    public void revive(String process) {
        if (cluster.process(process).state() == ProcessState.STOPPED) {
            cluster.restart(process);
        }
    }

    /// Ends of all processes so far, in order.
    public List<StopRecord> stops() {
        return cluster.supervisor().stopRecords();
    }

    /// Has the agent killed, stopped or held when it next reaches that moment of a hand-off.
    public void haltAt(String host, HandoffPoint point, HaltAction action) {
        HandoffHalt.order(runDirectory(host), point, action);
    }

    /// The same with the longest time for which a thread is held.
    public void haltAt(String host, HandoffPoint point, HaltAction action, long holdMs) {
        HandoffHalt.order(runDirectory(host), point, action, holdMs);
    }

    /// Whether the order of [#haltAt] was carried out.
    public boolean halted(String host) {
        return haltedAt(host).isPresent();
    }

    /// How the order of [#haltAt] was carried out, if it was.
    public Optional<HandoffHalt.Halted> haltedAt(String host) {
        return HandoffHalt.halted(runDirectory(host));
    }

    /// Takes an order of [#haltAt] back, and lets go what it holds.
    public void forgetHalt(String host) {
        try {
            Files.deleteIfExists(runDirectory(host).resolve(HandoffHalt.ORDER));
            Files.deleteIfExists(runDirectory(host).resolve(HandoffHalt.HALTED));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Run directory of an agent.
    public Path runDirectory(String host) {
        return cluster.runDirectory().resolve(host);
    }

    /// Directory with the log of every process.
    public Path logs() {
        return Path.of(cluster.facts().directory(), "logs");
    }

    // ---- VMs

    /// What the owner word of a VM slot says.
    public Owner owner(int vmSlot) {
        long word = region.vm(vmSlot).ownerAcquire();
        OwnerState state = OwnerWord.state(word);
        if (state == OwnerState.FREE) {
            return new Owner(state, OwnerWord.epoch(word), "", false);
        }
        try {
            HostIdentity identity = region.host(OwnerWord.slot(word)).readIdentity();
            SupervisedProcess process = cluster.process(identity.name());
            boolean living = process.pid() == identity.pid() && process.state() != ProcessState.STOPPED;
            return new Owner(state, OwnerWord.epoch(word), identity.name(), living);
        } catch (TomboloException _) {
            // The slot is being given to somebody else, or was damaged on purpose.
            return new Owner(state, OwnerWord.epoch(word), "", false);
        }
    }

    /// Creates a VM.
    ///
    /// @throws TomboloException the leader's error; after `RPC_TIMEOUT` it may come into being all the same
    public VmStatus create(VmSpec spec, String host, long timeoutMs) {
        return client.call(new CoordinatorRequest.VmCreate(spec, host), Reply.VmReply.class, timeoutMs).vm();
    }

    /// Moves a VM.
    public Reply.Migrated migrate(CoordinatorRequest.VmMigrate request, long timeoutMs) {
        return client.call(request, Reply.Migrated.class, timeoutMs);
    }

    /// What the leader knows of a VM.
    public VmStatus show(String vm, long timeoutMs) {
        return client.call(new CoordinatorRequest.VmShow(vm), Reply.VmReply.class, timeoutMs).vm();
    }

    /// Destroys a VM whose owner lives.
    public void destroy(String vm, long timeoutMs) {
        client.call(new CoordinatorRequest.VmDestroy(vm), Reply.Ack.class, timeoutMs);
    }

    /// Asks the agent of a host, over the link of the clients.
    ///
    /// @throws TomboloException the agent's error with its code, or those of the connection
    public <R extends Reply> R ask(String host, AgentRequest request, Class<R> type, long timeoutMs) {
        RpcAddress address = new RpcAddress(network.forClients(host), network.port(ClusterNetwork.Port.RPC));
        try {
            return pool.call(address, host, request, type, timeoutMs).join();
        } catch (CompletionException e) {
            throw switch (Errors.unwrap(e)) {
                case TomboloException known -> known;
                case RemoteException remote -> remote.toTombolo();
                case Throwable other -> new IllegalStateException(other);
            };
        }
    }

    /// Everything that was written down about who executed when, ends that are missing filled in with the time at which
    /// the process was confirmed to have stopped; 0 for what still executes.
    public List<RunRecord> runs() {
        // Stops are timed by a clock that counts suspend too; between two looks at both the machine did not sleep.
        long offsetNs = Linux.clockBoottimeNs() - System.nanoTime();
        List<RunRecord> all = new ArrayList<>();
        for (String host : hosts()) {
            for (RunRecord run : RunLog.read(runDirectory(host), host)) {
                if (run.endNs() != 0) {
                    all.add(run);
                    continue;
                }
                Optional<StopRecord> stop = stops().stream().filter(s -> s.pid() == run.pid()).findFirst();
                all.add(stop.map(s -> run.endingAt(s.confirmedStoppedNs() - offsetNs)).orElse(run));
            }
        }
        return all;
    }

    /// Stops everything and removes all files but those in the plan's directory.
    @Override
    public void close() {
        try {
            pool.close();
            transport.close();
            client.close();
            zk.close();
            region.close();
        } finally {
            try {
                cluster.close();
            } finally {
                network.close();
            }
        }
    }
}

package io.tombolo.deploy.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.tombolo.agent.AgentConfig;
import io.tombolo.agent.hypervisor.QemuHypervisor;
import io.tombolo.agent.qemu.QemuInstallation;
import io.tombolo.agent.right.Timings;
import io.tombolo.coordinator.ConfigFile;
import io.tombolo.coordinator.CoordinatorConfig;
import io.tombolo.coordinator.HandoffTimings;
import io.tombolo.coordinator.PlacementConfig;
import io.tombolo.coordinator.RpcConfig;
import io.tombolo.coordinator.ZooKeeperConfig;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/// A cluster of real processes on this machine with its supervisor in this process: ZooKeeper, coordinators, agents,
/// each in a kill group of its own, and a freshly formatted region on a memory file system.
///
/// If this process dies, everything it started dies with it and the run's directory is removed, see [Supervisor].
/// Closing stops everything and removes all files. Thread safe.
public final class LocalCluster implements RunningCluster {
    /// A directory with this file in it may be deleted with all its content by who cleans up a run.
    static final String RUN_MARK = ".tombolo-run";

    private static final int MAX_STORING_THREADS = 256;
    private static final int ZOOKEEPER_ATTEMPTS = 3;
    /// Head room over the guest memory for tables, metadata slots and ZooKeeper's data.
    private static final long ROOM_OVERHEAD_BYTES = 256L << 20;

    private final ClusterSpec spec;
    private final ClusterStore store;
    private final Timings timings;
    private final ClusterPrograms programs;
    private final ClusterNetwork network;
    private final UnaryOperator<FormatOptions> format;
    private final UUID uuid = UUID.randomUUID();
    private final String run;
    private final Path runDirectory;
    private final Supervisor supervisor;
    private final AtomicBoolean closed = new AtomicBoolean();
    /// As the processes reach it, and as everybody else does.
    private volatile String zookeeper = "";
    private volatile String zookeeperFromOutside = "";
    private volatile boolean up;
    /// Null until the region is there.
    private volatile RegionEvidence evidence;

    private LocalCluster(ClusterSpec spec, ClusterPlaces places, ClusterPrograms programs, ClusterNetwork network,
            UnaryOperator<FormatOptions> format, ClusterStore store) throws IOException {
        this.spec = spec;
        this.store = store;
        this.timings = spec.timings();
        this.programs = programs;
        this.network = network;
        this.format = format;
        // Short, because the paths of sockets are limited to 107 bytes.
        this.run = spec.name() + "-" + Long.toString(ThreadLocalRandom.current().nextLong(1L << 40), 36);
        this.runDirectory = Files.createDirectory(places.memory().resolve("tombolo-" + run),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        try {
            Files.createFile(runDirectory.resolve(RUN_MARK));
            Files.createDirectories(logs());
            Files.createDirectories(configurations());
            this.supervisor = new Supervisor(runDirectory, timings, KillGroups.detect(run), Optional.of(runDirectory),
                    this::confirmStopped);
        } catch (IOException | RuntimeException e) {
            store.delete(runDirectory);
            throw e;
        }
    }

    /// Starts a cluster and waits until every process is ready. On failure everything is stopped again; the logs stay.
    ///
    /// @param progress told one line per step
    /// @throws TomboloException CLUSTER_ALREADY_UP, CLUSTER_NO_ROOM, PORT_TAKEN, PROCESS_ENDED_EARLY,
    /// PROCESS_NOT_READY,
    ///         CLUSTER_FILES and the region's own
    public static LocalCluster start(ClusterSpec spec, ClusterPlaces places, ClusterPrograms programs,
            Consumer<String> progress) {
        return start(spec, places, programs, ClusterNetwork.LOOPBACK, UnaryOperator.identity(), progress);
    }

    /// The same in a network of its own.
    ///
    /// @param format changes what the region is formatted with
    public static LocalCluster start(ClusterSpec spec, ClusterPlaces places, ClusterPrograms programs,
            ClusterNetwork network, UnaryOperator<FormatOptions> format, Consumer<String> progress) {
        requireNonNull(network, "network is null");
        requireNonNull(format, "format is null");
        requireNonNull(spec, "spec is null");
        requireNonNull(programs, "programs is null");
        requireNonNull(progress, "progress is null");
        ClusterStore store = ClusterStore.take(spec.name(), places).orElseThrow(() -> alreadyUp(spec.name()));
        LocalCluster cluster = null;
        try {
            int living = store.cleanUp(places);
            if (living > 0) {
                progress.accept("killed " + living + " processes that an earlier run of " + spec.name() + " had left");
            }
            requireRoom(spec, places);
            cluster = new LocalCluster(spec, places, programs, network, format, store);
            cluster.bringUp(progress);
            return cluster;
        } catch (IOException e) {
            throw ClusterStore.files(spec.name(), store.directory(), e);
        } finally {
            if (cluster == null) {
                store.close();
            } else if (!cluster.up) {
                cluster.shutDown(0, false);
            }
        }
    }

    static TomboloException alreadyUp(String name) {
        return TomboloException.error(ClusterError.CLUSTER_ALREADY_UP, "a cluster of that name is running")
                .fact("cluster", name).next("use it, stop it with `tombolo down --cluster " + name
                        + "`, or choose another name with --cluster")
                .build();
    }

    private static void requireRoom(ClusterSpec spec, ClusterPlaces places) throws IOException {
        long needed = spec.memoryBytes() + ROOM_OVERHEAD_BYTES;
        long free = Files.getFileStore(places.memory()).getUsableSpace();
        if (free < needed) {
            throw TomboloException
                    .error(ClusterError.CLUSTER_NO_ROOM,
                            "the memory file system has not enough room for the region and the local tiers")
                    .fact("directory", places.memory()).fact("regionBytes", spec.regionBytes())
                    .fact("hosts", spec.hosts().size()).fact("localTierBytes", spec.localTierBytes())
                    .fact("neededBytes", needed).fact("freeBytes", free)
                    .next("make the region or the local tiers smaller, or remount with a larger size").build();
        }
    }

    private void bringUp(Consumer<String> progress) throws IOException {
        store.write(facts());
        if (spec.drivers().contains(QemuHypervisor.NAME)) {
            // The first use on a machine takes longer than an agent may take to start.
            QemuInstallation qemu = QemuInstallation.find(spec.qemu().binary(), spec.qemu().accelerator(),
                    spec.qemu().imageDirectory(), runDirectory);
            progress.accept("QEMU " + qemu.binary().version() + " with " + qemu.accelerator() + ", guest image "
                    + qemu.image().hash());
        }
        List<SupervisedProcess> ensemble = List.of();
        if (spec.zookeeper().isEmpty()) {
            ensemble = startZooKeeper();
        } else {
            zookeeper = spec.zookeeper();
            zookeeperFromOutside = zookeeper;
        }
        Region.format(region(), format.apply(FormatOptions.of(uuid, spec.regionBytes())));
        evidence = RegionEvidence.open(region());
        progress.accept("formatted " + region());
        awaitZooKeeper(ensemble);
        store.write(facts());
        progress.accept("ZooKeeper serves at " + zookeeperFromOutside);
        List<SupervisedProcess> started = new ArrayList<>();
        for (int i = 1; i <= spec.coordinators(); i++) {
            started.add(supervisor.start(coordinator("coordinator-" + i)));
        }
        for (String host : spec.hosts()) {
            started.add(supervisor.start(agent(host)));
        }
        store.write(facts());
        supervisor.awaitReady(started, timings.startTimeoutMs());
        up = true;
        store.write(facts());
        progress.accept(spec.coordinators() + " coordinators and " + spec.hosts().size() + " agents are ready");
    }

    private List<SupervisedProcess> startZooKeeper() throws IOException {
        ZooKeeperFiles files = ZooKeeperFiles.write(configurations(), runDirectory, spec.zookeeperServers(),
                timings.zooKeeperTickMs(), spec.zookeeperPorts(), network);
        zookeeper = files.connectString();
        zookeeperFromOutside = files.fromOutside();
        List<SupervisedProcess> servers = new ArrayList<>();
        for (int i = 0; i < files.configs().size(); i++) {
            String name = ZooKeeperFiles.server(i + 1);
            servers.add(supervisor.start(spec(name, ProcessRole.ZOOKEEPER, programs.zooKeeper(files.configs().get(i)),
                    OptionalLong.empty(), Optional.of(ZooKeeperFiles.serves(files.clients().get(i))))));
        }
        return servers;
    }

    private void awaitZooKeeper(List<SupervisedProcess> first) throws IOException {
        List<SupervisedProcess> servers = first;
        for (int attempt = 1;; attempt++) {
            try {
                supervisor.awaitReady(servers, timings.startTimeoutMs());
                return;
            } catch (TomboloException e) {
                // Only a chosen port may have been taken between choosing and binding; one asked for was checked.
                boolean again = e.code() == ClusterError.PROCESS_ENDED_EARLY && spec.zookeeperPorts().isEmpty()
                        && attempt < ZOOKEEPER_ATTEMPTS && portWasTaken(servers);
                if (!again) {
                    throw e;
                }
                servers.forEach(SupervisedProcess::kill);
                servers = startZooKeeper();
            }
        }
    }

    private static boolean portWasTaken(List<SupervisedProcess> servers) throws IOException {
        for (SupervisedProcess server : servers) {
            if (new String(Files.readAllBytes(server.spec().log()), UTF_8).contains("Address already in use")) {
                return true;
            }
        }
        return false;
    }

    private ProcessSpec coordinator(String name) throws IOException {
        CoordinatorConfig config = new CoordinatorConfig(name, spec.name(), uuid, zookeeperConfig(zookeeper),
                rpc(name, network.fromOutside(name)),
                region().toString(), new HandoffTimings(spec.baseMs()), new PlacementConfig(spec.maxVmsPerHost()));
        Path file = configuration(name, ConfigFile.format(config));
        return spec(name, ProcessRole.COORDINATOR, programs.coordinator(file), OptionalLong.empty(), Optional.empty());
    }

    private ProcessSpec agent(String name) throws IOException {
        Path own = Files.createDirectories(runDirectory.resolve(name));
        AgentConfig config = new AgentConfig(name, UUID.nameUUIDFromBytes((uuid + "/" + name).getBytes(UTF_8)),
                spec.name(), uuid, zookeeperConfig(network.zooKeeper(name, zookeeper)), rpc(name, network.name(name)),
                region().toString(), own.toString(),
                new AgentConfig.TimingConfig(spec.baseMs()), spec.drivers(), spec.qemu(), spec.rehearsalHops(),
                MAX_STORING_THREADS, AgentConfig.LocalTierConfig.ofBytes(spec.localTierBytes()));
        Path file = configuration(name, ConfigFile.format(config));
        return spec(name, ProcessRole.AGENT, programs.agent(file, spec.agentHeapMb(), spec.drivers()),
                OptionalLong.of(timings.watchdogNs()), Optional.empty());
    }

    private ProcessSpec spec(String name, ProcessRole role, List<String> command, OptionalLong watchdogNs,
            Optional<BooleanSupplier> readiness) {
        return new ProcessSpec(name, role, network.command(name, command), Map.of(), watchdogNs, readiness,
                logs().resolve(name + ".log"));
    }

    private ZooKeeperConfig zookeeperConfig(String connect) {
        return new ZooKeeperConfig(connect, spec.effectiveRoot(), timings.sessionMs());
    }

    /// With port 0 the process publishes the one it got in ZooKeeper, and a restarted one never finds its port taken.
    private RpcConfig rpc(String name, String advertised) {
        return new RpcConfig(network.bind(name), network.port(ClusterNetwork.Port.RPC), advertised);
    }

    private Path configuration(String name, String yaml) throws IOException {
        return Files.writeString(configurations().resolve(name + ".yaml"), yaml);
    }

    private Path logs() {
        return store.directory().resolve("logs");
    }

    private Path configurations() {
        return store.directory().resolve("conf");
    }

    /// The region file.
    public Path region() {
        return runDirectory.resolve("region");
    }

    /// The run's directory in memory: region, sockets, the evidence of stops.
    public Path runDirectory() {
        return runDirectory;
    }

    /// Where the log of a process is.
    public Path log(String process) {
        return supervisor.process(process).spec().log();
    }

    public ClusterSpec spec() {
        return spec;
    }

    public UUID uuid() {
        return uuid;
    }

    /// The supervisor, for tests that do things to single processes.
    public Supervisor supervisor() {
        return supervisor;
    }

    public SupervisedProcess process(String name) {
        return supervisor.process(name);
    }

    @Override
    public ClusterFacts facts() {
        List<ClusterFacts.ProcessFacts> processes = supervisor.processes().stream()
                .map(p -> new ClusterFacts.ProcessFacts(p.name(), p.spec().role(), p.pid(), p.state(), p.startNumber(),
                        p.pids(), p.spec().log().toString(), p.declared()))
                .toList();
        return new ClusterFacts(spec.name(), uuid, run, ProcessHandle.current().pid(),
                supervisor.groups().parent().map(Path::toString).orElse(""), zookeeperFromOutside, spec.effectiveRoot(),
                region().toString(), store.directory().toString(), runDirectory.toString(), spec.baseMs(), up,
                processes);
    }

    @Override
    public void signal(String process, int signal) {
        supervisor.process(process).signalMain(signal);
    }

    @Override
    public void signalGroup(String process, int signal) {
        supervisor.process(process).signalAll(signal);
    }

    @Override
    public StopRecord kill(String process) {
        return supervisor.process(process).kill();
    }

    @Override
    public void restart(String process) {
        // The new incarnation is refused while the old one may still live. It was said already that it does not, unless
        // that failed then.
        confirmStopped(supervisor.process(process).awaitStopped(timings.startTimeoutMs()));
        SupervisedProcess fresh = supervisor.restart(process);
        store.write(facts());
        fresh.awaitReady(timings.startTimeoutMs());
    }

    /// The supervisor's word in the region, for takeover. Nobody takes anything over from a cluster that is going down.
    private void confirmStopped(StopRecord record) {
        RegionEvidence said = evidence;
        if (said != null && !closed.get()) {
            said.confirm(record);
        }
    }

    /// Lets another host join, and waits until it is ready; it is one of the cluster's processes from then on.
    ///
    /// @throws TomboloException PROCESS_START_FAILED, PROCESS_ENDED_EARLY, PROCESS_NOT_READY; [#restart] tries again
    public void addHost(String host) {
        requireNonNull(host, "host is null");
        try {
            SupervisedProcess started = supervisor.start(agent(host));
            store.write(facts());
            started.awaitReady(timings.startTimeoutMs());
        } catch (IOException e) {
            throw ClusterStore.files(spec.name(), store.directory(), e);
        }
    }

    @Override
    public StopRecord awaitStopped(String process, long timeoutMs) {
        return supervisor.process(process).awaitStopped(timeoutMs);
    }

    @Override
    public void close() {
        shutDown(timings.requestTimeoutMs(), true);
    }

    private void shutDown(long graceMs, boolean removeLogs) {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try {
            // ZooKeeper last, so that the others can say good-bye.
            List<SupervisedProcess> all = supervisor.processes();
            List<SupervisedProcess> clients = all.stream().filter(p -> p.spec().role() != ProcessRole.ZOOKEEPER)
                    .toList();
            supervisor.stop(clients, graceMs);
            HashSet<SupervisedProcess> servers = new HashSet<>(all);
            clients.forEach(servers::remove);
            supervisor.stop(servers, 0);
        } finally {
            try {
                supervisor.close();
                if (evidence != null) {
                    evidence.close();
                }
                store.delete(runDirectory);
                store.delete(removeLogs ? store.directory() : store.directory().resolve("cluster.json"));
            } finally {
                store.close();
            }
        }
    }
}

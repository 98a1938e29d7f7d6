package io.tombolo.chaos;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import io.tombolo.agent.AgentConfig;
import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.chaos.cluster.ChaosPrograms;
import io.tombolo.coordinator.ConfigFile;
import io.tombolo.coordinator.CoordinatorClient;
import io.tombolo.coordinator.ZooKeeperConfig;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Protocol;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.Role;
import io.tombolo.coordinator.wire.RpcAddress;
import io.tombolo.coordinator.wire.RpcPool;
import io.tombolo.coordinator.wire.RpcTransport;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.coordinator.zk.LeaderRecord;
import io.tombolo.coordinator.zk.LeaderWrites;
import io.tombolo.coordinator.zk.Leadership;
import io.tombolo.coordinator.zk.Leases;
import io.tombolo.coordinator.zk.Membership;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.coordinator.zk.Versioned;
import io.tombolo.coordinator.zk.ZkConnection;
import io.tombolo.coordinator.zk.ZkPaths;
import io.tombolo.deploy.cluster.ClusterFacts;
import io.tombolo.deploy.cluster.ClusterPlaces;
import io.tombolo.deploy.cluster.ClusterSpec;
import io.tombolo.deploy.cluster.LocalCluster;
import io.tombolo.deploy.cluster.ProcessState;
import io.tombolo.deploy.cluster.StopRecord;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostState;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.Region;
import io.tombolo.region.RegionVerifier;
import io.tombolo.region.SlotWord;
import io.tombolo.region.VerifyReport;
import io.tombolo.region.VmSlot;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A local cluster whose agents are [ChaosAgent]s, with this process looking on: it maps the region, reads ZooKeeper
/// and asks every agent by itself, so that what the cluster says of itself is compared with what is.
final class ChaosCluster implements AutoCloseable {
    /// A hand-off's waits are multiples of it: sessions of 2 s, watchdogs of 1 s.
    static final int BASE_MS = 500;
    static final Duration PATIENCE = Duration.ofSeconds(40);

    private static final long REGION_BYTES = 384L << 20;
    private static final long MEMORY_BYTES = 16L << 20;
    private static final long WORKING_SET_BYTES = 4L << 20;
    private static final int CALL_MS = 60_000;
    private static final int ASK_MS = 3_000;
    private static final int MIGRATE_TRIES = 5;
    private static final long SEED = 20_26;

    private static final Logger LOG = LoggerFactory.getLogger(ChaosCluster.class);

    private final Path state;
    private final LocalCluster cluster;
    private final Region region;
    private final ZkConnection zk;
    private final LeaderWrites records;
    private final Membership members;
    private final CoordinatorClient client;
    private final RpcTransport transport;
    private final RpcPool pool;
    private final ExecutorService background = Executors.newVirtualThreadPerTaskExecutor();
    private final LinkedBlockingDeque<String> free = new LinkedBlockingDeque<>();
    private final Map<String, Process> unsupervised = new ConcurrentHashMap<>();
    private final AtomicInteger vms = new AtomicInteger();

    /// A VM that a test made.
    record Vm(VmSpec spec, int slot) {
        String name() {
            return spec.name();
        }
    }

    private ChaosCluster(Path state, LocalCluster cluster) {
        this.state = state;
        this.cluster = cluster;
        ClusterFacts facts = cluster.facts();
        this.region = Region.open(cluster.region(), OpenOptions.ofCluster(cluster.uuid()));
        // The longest that the ensemble grants: this process has other things to do than to keep it.
        int session = 20 * facts.baseMs();
        this.zk = ZkConnection.open(facts.zookeeper(), new ZkPaths(facts.root()), session, ASK_MS);
        this.records = new LeaderWrites(zk);
        this.members = new Membership(zk, System::nanoTime);
        this.client = CoordinatorClient.open(new ZooKeeperConfig(facts.zookeeper(), facts.root(), session),
                facts.name(), "chaos", ASK_MS);
        this.transport = RpcTransport.start("chaos", 1);
        this.pool = new RpcPool(transport, () -> Protocol.hello(cluster.uuid(), Role.CLIENT, "chaos", 0, 0), ASK_MS);
        free.addAll(cluster.spec().hosts());
    }

    static ChaosCluster start(UnaryOperator<ClusterSpec> change) {
        String name = "chaos-" + Long.toString(ThreadLocalRandom.current().nextLong(1L << 30), 36);
        try {
            Path state = Files.createTempDirectory("tombolo-chaos");
            ClusterSpec spec = change.apply(ClusterSpec.of(name, REGION_BYTES).withBaseMs(BASE_MS).withAgentHeapMb(96)
                    .withRehearsalHops(0));
            LocalCluster cluster = LocalCluster.start(spec, new ClusterPlaces(state, Path.of("/dev/shm")),
                    new ChaosPrograms(), _ -> {
                    });
            return new ChaosCluster(state, cluster);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    LocalCluster processes() {
        return cluster;
    }

    Region region() {
        return region;
    }

    ZkConnection zookeeper() {
        return zk;
    }

    LeaderWrites records() {
        return records;
    }

    CoordinatorClient client() {
        return client;
    }

    // ---- hosts

    /// A live host that no other test uses now.
    String lend() {
        try {
            String host = free.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            if (host == null) {
                throw new AssertionError("no host came back in time: " + describe());
            }
            if (!alive(host)) {
                giveBack(host);
                throw new AssertionError(host + " died without being asked to: " + describe());
            }
            return host;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /// State, end and last words of every process, for the message of a failure.
    String describe() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < region.hostSlots(); i++) {
            if (SlotWord.state(region.host(i).wordAcquire()) != HostState.FREE) {
                text.append("\nslot ").append(i).append(' ').append(SlotWord.describe(region.host(i).wordAcquire()))
                        .append(' ').append(region.host(i).readIdentity().name());
            }
        }
        for (ClusterFacts.ProcessFacts process : cluster.facts().processes()) {
            text.append('\n').append(process.name()).append(' ').append(process.state());
            cluster.process(process.name()).stopRecord().ifPresent(end -> text.append(' ').append(end));
            try (Stream<String> lines = Files.lines(Path.of(process.log()))) {
                List<String> all = lines.toList();
                all.subList(Math.max(0, all.size() - 6), all.size()).forEach(l -> text.append("\n    ").append(l));
            } catch (IOException e) {
                text.append(' ').append(e);
            }
        }
        return text.toString();
    }

    /// The test is done with the host. A dead one is fenced, confirmed by its supervisor's evidence, and started again.
    void giveBack(String host) {
        forgetOrder(host);
        if (alive(host)) {
            free.add(host);
        } else {
            background.execute(() -> {
                try {
                    revive(host);
                    free.add(host);
                } catch (RuntimeException e) {
                    LOG.error("{} does not come back: {}", host, e.getMessage(), e);
                }
            });
        }
    }

    boolean alive(String process) {
        return cluster.process(process).state() == ProcessState.READY;
    }

    /// Waits until the host is confirmed stopped, and starts it again.
    void revive(String host) {
        cluster.awaitStopped(host, PATIENCE.toMillis());
        cluster.restart(host);
    }

    /// Starts one more agent, as a person would on a shell, and waits until it is a member.
    void startUnsupervised(String host) {
        launch(host, host, region.file());
        await(host + " is a member").atMost(PATIENCE)
                .until(() -> hosts().stream().anyMatch(member -> member.name().equals(host)));
    }

    /// Launches an agent that nobody watches, so that nobody kills it when it stands still. It dies with [#close].
    ///
    /// @param key names its log, run directory and process here
    /// @param host the name by which it wants to join
    Process launch(String key, String host, Path regionFile) {
        try {
            Path configurations = Path.of(cluster.facts().directory(), "conf");
            AgentConfig like = ConfigFile.load(configurations.resolve(cluster.spec().hosts().getFirst() + ".yaml"),
                    AgentConfig.class);
            AgentConfig config = new AgentConfig(host, UUID.nameUUIDFromBytes(host.getBytes(UTF_8)),
                    like.clusterName(), like.clusterUuid(), like.zookeeper(), like.rpc(), regionFile.toString(),
                    runDirectory(key).toString(), like.timing(), like.drivers(), like.qemu(), like.rehearsalHops(),
                    like.maxStoringThreads());
            Path file = Files.writeString(configurations.resolve(key + ".yaml"), ConfigFile.format(config));
            ProcessBuilder builder = new ProcessBuilder(new ChaosPrograms().agent(file, 96, List.of("simulated")))
                    .redirectErrorStream(true)
                    .redirectOutput(log(key).toFile());
            builder.environment().keySet().removeAll(List.of("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"));
            Process process = builder.start();
            unsupervised.put(key, process);
            return process;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Path log(String process) {
        return Path.of(cluster.facts().directory(), "logs", process + ".log");
    }

    Process unsupervised(String host) {
        return unsupervised.get(host);
    }

    StopRecord awaitStopped(String process) {
        return cluster.awaitStopped(process, PATIENCE.toMillis());
    }

    /// The slot in which the host is LIVE.
    int requireSlot(String host) {
        return slotOf(host).orElseThrow(() -> new AssertionError(host + " is not live: " + describe()));
    }

    OptionalInt slotOf(String host) {
        for (int i = 0; i < region.hostSlots(); i++) {
            if (SlotWord.state(region.host(i).wordAcquire()) == HostState.LIVE) {
                HostIdentity identity = region.host(i).readIdentity();
                if (identity.name().equals(host)) {
                    return OptionalInt.of(i);
                }
            }
        }
        return OptionalInt.empty();
    }

    Path runDirectory(String host) {
        return cluster.runDirectory().resolve(host);
    }

    void haltAt(String host, HandoffPoint point, HaltAction action) {
        HandoffHalt.order(runDirectory(host), point, action);
    }

    boolean halted(String host) {
        return Files.exists(runDirectory(host).resolve(HandoffHalt.HALTED));
    }

    void awaitHalted(String host) {
        await(host + " reaches its moment").atMost(PATIENCE).pollInterval(Duration.ofMillis(2))
                .until(() -> halted(host));
    }

    /// Lets a held thread go on.
    void letGo(String host) {
        try {
            Files.deleteIfExists(runDirectory(host).resolve(HandoffHalt.HALTED));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void forgetOrder(String host) {
        try {
            Files.deleteIfExists(runDirectory(host).resolve(HandoffHalt.ORDER));
            letGo(host);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<HostRecord> hosts() {
        return members.hosts();
    }

    String leader() {
        return await("a leader").atMost(PATIENCE).ignoreExceptions().until(() -> Leadership.leader(zk),
                Optional::isPresent).map(LeaderRecord::id).orElseThrow();
    }

    // ---- VMs

    Vm create(String host) {
        String name = "vm-" + vms.incrementAndGet();
        return create(new VmSpec(name, UUID.randomUUID(), "simulated", MEMORY_BYTES, 1, "dirty", WORKING_SET_BYTES,
                "uniform", SEED), host);
    }

    Vm create(VmSpec spec, String host) {
        Reply.VmReply reply = client.call(new CoordinatorRequest.VmCreate(spec, host), Reply.VmReply.class, CALL_MS);
        return new Vm(spec, reply.vm().slot());
    }

    CompletableFuture<Reply.Migrated> migrate(Vm vm, String host) {
        return CompletableFuture.supplyAsync(() -> client.call(new CoordinatorRequest.VmMigrate(vm.name(), host),
                Reply.Migrated.class, CALL_MS), background);
    }

    /// As a person would: again, when a busy machine let a window pass and nothing happened.
    void migrateInTheEnd(Vm vm, String host) {
        for (int i = 1;; i++) {
            try {
                migrate(vm, host).join();
                return;
            } catch (CompletionException e) {
                if (i == MIGRATE_TRIES || !e.getMessage().contains("MIGRATION_ABORTED")) {
                    throw e;
                }
            }
        }
    }

    VmStatus pause(Vm vm) {
        return client.call(new CoordinatorRequest.VmPause(vm.name()), Reply.VmReply.class, CALL_MS).vm();
    }

    void destroy(Vm vm) {
        client.call(new CoordinatorRequest.VmDestroy(vm.name()), Reply.Ack.class, CALL_MS);
    }

    VmSlot slot(Vm vm) {
        return region.vm(vm.slot());
    }

    long owner(Vm vm) {
        return slot(vm).ownerAcquire();
    }

    VmRecord record(Vm vm) {
        return records.vm(vm.name()).map(Versioned::value).orElseThrow();
    }

    Optional<IntentRecord> intent(Vm vm) {
        return records.intent(vm.name()).map(Versioned::value);
    }

    Optional<String> leaseHolder(Vm vm) {
        return Leases.holders(zk, vm.name()).stream().map(Leases.Held::holder).findFirst();
    }

    /// How often a host renewed its right to the VM after a lapse, each of which raises the epoch: on a busy machine
    /// that is nothing wrong.
    long renewals(Vm vm) {
        long count = 0;
        List<String> hosts = new ArrayList<>(cluster.spec().hosts());
        hosts.addAll(unsupervised.keySet());
        for (String host : hosts) {
            try (Stream<String> lines = Files.lines(log(host))) {
                count += lines.filter(line -> line.contains("vm " + vm.name() + ": right renewed")).count();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return count;
    }

    /// Instructions of the VM's vCPUs as the agent of that host counts them; empty when it has no guest of the VM, or
    /// does not answer.
    OptionalLong instructions(String host, Vm vm) {
        Optional<HostRecord> record = members.host(host);
        if (record.isEmpty()) {
            return OptionalLong.empty();
        }
        return instructions(new RpcAddress(record.get().address(), record.get().port()), host, vm);
    }

    OptionalLong instructions(RpcAddress address, String host, Vm vm) {
        try {
            return OptionalLong.of(pool
                    .call(address, host, new AgentRequest.ShowVm(vm.name()), Reply.VmReply.class, ASK_MS).join().vm()
                    .instructions().stream().mapToLong(Long::longValue).sum());
        } catch (CompletionException _) {
            return OptionalLong.empty();
        }
    }

    VerifyReport verify() {
        return RegionVerifier.verify(region);
    }

    @Override
    public void close() {
        background.shutdownNow();
        unsupervised.values().forEach(Process::destroyForcibly);
        unsupervised.values().forEach(process -> process.onExit().join());
        pool.close();
        transport.close();
        client.close();
        zk.close();
        region.close();
        cluster.close();
        try {
            Files.deleteIfExists(state);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package io.tombolo.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tombolo.deploy.cluster.ClusterFacts;
import io.tombolo.deploy.cluster.ClusterPlaces;
import io.tombolo.deploy.cluster.ClusterSpec;
import io.tombolo.deploy.cluster.JavaPrograms;
import io.tombolo.deploy.cluster.LocalCluster;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/// Bad input to a cluster that runs, as a person meets it: the command line against real processes. Each refusal has
/// its code, facts, a next step and an exit status, and leaves region, ZooKeeper and VMs as they were.
/// docs/bad-input.md lists them.
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
final class BadClusterInputTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    /// Long enough that a busy machine neither kills nor forgets anybody by itself.
    private static final int BASE_MS = 1_500;
    private static final int VMS_PER_HOST = 2;
    /// A port on which nothing listens: the system hands out none below 1024.
    private static final String NOBODY = "127.0.0.1:1";

    @TempDir
    private static Path directory;
    private static ClusterPlaces places;
    private static LocalCluster cluster;
    private static CompletableFuture<CliRun> agentWithoutZooKeeper;
    private static ClusterFacts facts;
    /// What nothing has changed since; null after a change.
    private static ClusterState settled;

    @BeforeAll
    static void startCluster() {
        places = new ClusterPlaces(directory.resolve("state"), Path.of("/dev/shm"));
        String name = "bad" + Long.toString(System.nanoTime() % 1_000_000_000L, 36);
        cluster = LocalCluster.start(ClusterSpec.of(name, 32L << 20).withCoordinators(1).withBaseMs(BASE_MS)
                .withAgentHeapMb(64).withRehearsalHops(0).withMaxVmsPerHost(VMS_PER_HOST), places,
                JavaPrograms.standard(), _ -> {
                });
        facts = cluster.facts();
        // It waits for as long as a start may take: in case ZooKeeper is started after it.
        Path config = configuration("host-1",
                text -> newHost(text).replace(facts.zookeeper(), NOBODY).replaceFirst("baseMs: .*", "baseMs: 500"));
        agentWithoutZooKeeper = CompletableFuture
                .supplyAsync(() -> CliRun.of(places, "agent", "--config", config.toString()));
    }

    @AfterAll
    static void stopCluster() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @BeforeEach
    void createOneVm() {
        create("web", "host-1");
    }

    @AfterEach
    void destroyAllVms() throws IOException {
        for (JsonNode vm : json(run("vm", "list", "--json").succeeds())) {
            change("vm", "destroy", vm.at("/spec/name").asText());
        }
        assertThat(state().findings()).isEmpty();
    }

    private static CliRun change(String... words) {
        settled = null;
        return run(words).succeeds();
    }

    private static CliRun run(String... words) {
        return CliRun.of(places, Stream.concat(Stream.of(words),
                Stream.of("--cluster", facts.name(), "--zookeeper", facts.zookeeper(), "--root", facts.root()))
                .toArray(String[]::new));
    }

    private static void create(String vm, String host) {
        change("vm", "create", vm, "--memory", "1M", "--host=" + host);
    }

    private static JsonNode json(CliRun run) throws IOException {
        return JSON.readTree(run.out());
    }

    private static ClusterState state() {
        return ClusterState.read(cluster.region(), facts.zookeeper(), facts.root());
    }

    /// The command is refused and nothing has changed.
    private static CliRun refused(String code, int status, String... words) {
        ClusterState before = settled();
        CliRun run = run(words).isRefused(code, status);
        assertThat(state()).as(run.command()).isEqualTo(before);
        return run;
    }

    /// Records and leases follow the region a moment after each change.
    private static ClusterState settled() {
        if (settled != null) {
            return settled;
        }
        ClusterState[] last = {state()};
        await().pollInterval(Duration.ofMillis(500)).atMost(Duration.ofSeconds(30)).until(() -> {
            ClusterState now = state();
            boolean same = now.equals(last[0]);
            last[0] = now;
            return same;
        });
        settled = last[0];
        return settled;
    }

    @Test
    @Order(1)
    void unknownVmsAndHosts() {
        refused("VM_UNKNOWN", 2, "vm", "show", "nobody");
        refused("VM_UNKNOWN", 2, "vm", "pause", "nobody");
        refused("VM_UNKNOWN", 2, "vm", "resume", "nobody");
        refused("VM_UNKNOWN", 2, "vm", "destroy", "nobody");
        refused("VM_UNKNOWN", 2, "vm", "migrate", "nobody", "--to", "host-2");
        refused("HOST_UNKNOWN", 2, "vm", "migrate", "web", "--to", "nowhere");
        refused("HOST_UNKNOWN", 2, "vm", "create", "new", "--memory", "1M", "--host", "nowhere");
        refused("HOST_UNKNOWN", 2, "host", "show", "nowhere");
    }

    @Test
    @Order(2)
    void definitionsThatCannotBe() {
        refused("VM_EXISTS", 3, "vm", "create", "web", "--memory", "1M");
        refused("REGION_FULL", 3, "vm", "create", "big", "--memory", "1G");
        refused("VM_SPEC_INVALID", 2, "vm", "create", "odd", "--memory", "4097");
        refused("VM_SPEC_INVALID", 2, "vm", "create", "many", "--memory", "1M", "--vcpus", "65");
        refused("GUEST_SPEC_INVALID", 2, "vm", "create", "new", "--memory", "1M", "--program", "doom");
        refused("NO_HOST_AVAILABLE", 3, "vm", "create", "new", "--guest", "linux");
        refused("HOST_LACKS_DRIVER", 3, "vm", "create", "new", "--guest", "linux", "--host", "host-1");
        create("sound", "");
    }

    @Test
    @Order(3)
    void migrationsThatCannotBe() {
        refused("VM_ALREADY_THERE", 3, "vm", "migrate", "web", "--to", "host-1");
        create("two", "host-2");
        create("three", "host-2");
        refused("HOST_FULL", 3, "vm", "migrate", "web", "--to", "host-2");
        refused("HOST_FULL", 3, "vm", "create", "four", "--memory", "1M", "--host", "host-2");
    }

    @Test
    @Order(4)
    void statesThatForbidIt() {
        refused("VM_NOT_PAUSED", 3, "vm", "resume", "web");
        change("vm", "pause", "web");
        refused("VM_NOT_RUNNING", 3, "vm", "pause", "web");
        refused("VM_NOT_RUNNING", 3, "vm", "migrate", "web", "--to", "host-2");
    }

    @Test
    @Order(5)
    void bytesThatAreNotTheProtocolAreAnsweredWithARefusalAndNothingElse() throws IOException {
        ClusterState before = settled();
        byte[] noise = new byte[4096];
        for (JsonNode host : json(run("host", "list", "--json").succeeds())) {
            int port = host.get("port").asInt();
            assertThat(answer(port, "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII)))
                    .contains("WIRE_GARBAGE");
            assertThat(answer(port, noise)).contains("WIRE_GARBAGE");
            assertThat(answer(port, new byte[]{'T', 'B', 1})).doesNotContain("WIRE_GARBAGE");
        }
        assertThat(state()).isEqualTo(before);
        change("vm", "migrate", "web", "--to", "host-3");
    }

    private static String answer(int port, byte[] bytes) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(30_000);
            socket.getOutputStream().write(bytes);
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }

    @Test
    @Order(6)
    void aSecondAgentOfTheSameHostIsRefused() throws IOException {
        refusedAgent("REGION_HOST_LIVE", 3, "host-1", text -> text);
        refusedAgent("REGION_HOST_LIVE", 3, "host-1",
                text -> text.replaceAll("hostUuid: .*", "hostUuid: \"" + UUID.randomUUID() + "\""));
        refusedAgent("REGION_HOST_LIVE", 3, "host-1", text -> text.replaceAll("(?m)^name: .*", "name: \"other\""));
    }

    @Test
    @Order(7)
    void aRegionThatIsAnotherOneOnThisHostIsRefused() throws IOException {
        Path other = directory.resolve("other");
        CliRun.of("region", "format", other.toString(), "--size", "2M", "--cluster-uuid", facts.uuid().toString())
                .succeeds();
        refusedAgent("ZOOKEEPER_FOREIGN_CLUSTER", 4, "host-1",
                text -> newHost(text).replace(facts.region(), other.toString()));
        assertThat(CliRun.of("region", "verify", other.toString()).succeeds().out()).contains("host FREE: 64");
        refusedCoordinator("ZOOKEEPER_FOREIGN_CLUSTER", 4, text -> text.replace(facts.region(), other.toString()));
        CliRun.of("region", "format", other.toString(), "--size", "2M", "--force").succeeds();
        refusedAgent("REGION_OTHER_CLUSTER", 2, "host-1",
                text -> newHost(text).replace(facts.region(), other.toString()));
        refusedCoordinator("REGION_OTHER_CLUSTER", 2, text -> text.replace(facts.region(), other.toString()));
    }

    @Test
    @Order(8)
    void portsThatAreTakenAreNamed() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = "port: " + taken.getLocalPort();
            refusedAgent("RPC_BIND_FAILED", 4, "host-1", text -> newHost(text).replaceFirst("port: 0", port));
            refusedCoordinator("RPC_BIND_FAILED", 4, text -> text.replaceFirst("port: 0", port));
        }
    }

    @Test
    @Order(9)
    void anEnsembleThatIsNotThereIsNamed() throws IOException {
        CliRun.of(places, "vm", "list", "--zookeeper", NOBODY).isRefused("ZOOKEEPER_UNREACHABLE", 4);
        CliRun.of(places, "status", "--zookeeper", NOBODY).isRefused("ZOOKEEPER_UNREACHABLE", 4);
        CliRun.of(places, "vm", "list", "--zookeeper", facts.zookeeper(), "--root", "/nothing/here")
                .isRefused("CLUSTER_ROOT_EMPTY", 3);
        agentWithoutZooKeeper.join().isRefused("ZOOKEEPER_UNREACHABLE", 4);
    }

    @Test
    @Order(10)
    void qemuThatIsMissingOrTooOldKeepsAnAgentFromStarting() throws IOException {
        String drivers = "drivers: [\"qemu\"]";
        refusedAgent("QEMU_MISSING", 4, "host-1",
                text -> newHost(text).replaceAll("(?s)drivers:\\R- .*?\\R", drivers + "\n")
                        .replaceAll("binary: .*", "binary: \"" + directory.resolve("no-qemu") + "\""));
        Path old = Files.writeString(directory.resolve("old-qemu"), "#!/bin/sh\necho 'QEMU emulator version 6.2.0'\n");
        assertThat(old.toFile().setExecutable(true)).isTrue();
        refusedAgent("QEMU_TOO_OLD", 4, "host-1",
                text -> newHost(text).replaceAll("(?s)drivers:\\R- .*?\\R", drivers + "\n")
                        .replaceAll("binary: .*", "binary: \"" + old + "\""));
    }

    @Test
    @Order(11)
    void wrongConfigurationKeysAreNamed() throws IOException {
        refusedAgent("CONFIG_UNKNOWN_KEY", 2, "host-1", text -> text + "regionPath: /x\n");
        refusedAgent("CONFIG_MISSING_KEY", 2, "host-1", text -> text.replaceAll("regionFile: .*\n", ""));
        refusedAgent("CONFIG_INVALID_VALUE", 2, "host-1", text -> text.replaceFirst("port: 0", "port: 70000"));
        refusedAgent("CONFIG_MALFORMED", 2, "host-1", text -> text + "]\n");
        refusedAgent("TIMING_BASE_INVALID", 2, "host-1", text -> text.replaceFirst("baseMs: .*", "baseMs: 1"));
        refusedCoordinator("CONFIG_UNKNOWN_KEY", 2, text -> text + "name: k\n");
        CliRun.of("agent", "--config", "/nonexistent/agent.yaml").isRefused("CONFIG_UNREADABLE", 2);
    }

    /// With a name, a UUID and a directory that no running host has.
    private static String newHost(String text) {
        return text.replaceAll("(?m)^name: .*", "name: \"fresh\"")
                .replaceAll("hostUuid: .*", "hostUuid: \"" + UUID.randomUUID() + "\"")
                .replaceAll("runDirectory: .*", "runDirectory: \"" + directory.resolve("fresh") + "\"");
    }

    private static void refusedAgent(String code, int status, String host, UnaryOperator<String> change) {
        refusedProcess("agent", host, code, status, change);
    }

    private static void refusedCoordinator(String code, int status, UnaryOperator<String> change) {
        refusedProcess("coordinator", "coordinator-1", code, status, change);
    }

    private static void refusedProcess(String command, String like, String code, int status,
            UnaryOperator<String> change) {
        Path file = configuration(like, change);
        ClusterState before = settled();
        CliRun run = CliRun.of(places, command, "--config", file.toString()).isRefused(code, status);
        assertThat(state()).as(run.err()).isEqualTo(before);
    }

    /// The configuration of a process of the cluster, with one thing changed.
    private static Path configuration(String like, UnaryOperator<String> change) {
        try {
            String sound = Files.readString(Path.of(facts.directory(), "conf", like + ".yaml"));
            String changed = change.apply(sound);
            return Files.writeString(Files.createTempFile(directory, "changed", ".yaml"), changed);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    @Order(20)
    void aSecondMigrationWhileOneRunsIsRefused() {
        cluster.signalGroup("host-2", Linux.SIGSTOP);
        CompletableFuture<CliRun> first;
        try {
            first = CompletableFuture.supplyAsync(() -> run("vm", "migrate", "web", "--to", "host-2"));
            await().until(() -> state().znodes().keySet().stream().anyMatch(path -> path.endsWith("/intents/web")));
            run("vm", "migrate", "web", "--to", "host-3").isRefused("MIGRATION_IN_PROGRESS", 3);
            run("vm", "destroy", "web").isRefused("MIGRATION_IN_PROGRESS", 3);
            run("vm", "pause", "web").isRefused("MIGRATION_IN_PROGRESS", 3);
        } finally {
            cluster.signalGroup("host-2", Linux.SIGCONT);
        }
        CliRun ended = first.join();
        assertThat(ended.status()).as(ended.err()).isIn(0, 3);
    }

    @Test
    @Order(30)
    void aDeadHostIsRefusedByName() throws IOException {
        settled = null;
        cluster.kill("host-3");
        await().atMost(Duration.ofSeconds(60)).until(() -> !json(run("host", "show", "host-3", "--json")).get("state")
                .asText().equals("LIVE"));
        await().atMost(Duration.ofSeconds(60)).until(() -> state().znodes().keySet().stream()
                .noneMatch(path -> path.endsWith("/hosts/host-3")));
        refused("HOST_DEAD", 3, "vm", "migrate", "web", "--to", "host-3");
        refused("HOST_DEAD", 3, "vm", "create", "new", "--memory", "1M", "--host", "host-3");
    }
}

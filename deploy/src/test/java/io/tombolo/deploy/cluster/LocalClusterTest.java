package io.tombolo.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tombolo.agent.AgentConfig;
import io.tombolo.coordinator.ConfigFile;
import io.tombolo.coordinator.CoordinatorConfig;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.Region;
import io.tombolo.region.os.Linux;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// With real ZooKeeper servers; coordinators and agents are [MemberMain].
class LocalClusterTest {
    private static final ClusterPrograms PROGRAMS = new JavaPrograms(MemberMain.class.getName(), Optional.empty());
    private static final long REGION_BYTES = 4L << 20;

    @TempDir
    private Path state;
    private final String name = "t" + Long.toString(System.nanoTime() % 1_000_000_000_000L, 36);
    private final List<String> progress = new ArrayList<>();
    private ClusterPlaces places;

    @BeforeEach
    void makePlaces() {
        places = new ClusterPlaces(state.resolve("state"), Path.of("/dev/shm"));
    }

    @AfterEach
    void leaveNothing() throws IOException {
        if (Clusters.facts(name, places).isPresent()) {
            Clusters.down(name, places);
        }
        assertThat(runDirectories()).isEmpty();
        // The guard of a supervisor that was killed ends by itself.
        Leftovers.awaitCount(name, 0);
        CgroupMount.find().ifPresent(own -> {
            try (DirectoryStream<Path> roofs = Files.newDirectoryStream(own, "tombolo-" + name + "-*")) {
                assertThat(roofs).isEmpty();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
    }

    private List<Path> runDirectories() throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> runs = Files.newDirectoryStream(Path.of("/dev/shm"), "tombolo-" + name + "-*")) {
            runs.forEach(found::add);
        }
        return found;
    }

    private ClusterSpec spec() {
        return ClusterSpec.of(name, REGION_BYTES).withHosts(List.of("ant", "bee")).withCoordinators(1).withBaseMs(500);
    }

    private LocalCluster start(ClusterSpec spec) {
        return LocalCluster.start(spec, places, PROGRAMS, progress::add);
    }

    @Test
    void startsEverythingAndLeavesNothing() throws IOException {
        Path directory;
        try (LocalCluster cluster = start(spec().withCoordinators(2))) {
            ClusterFacts facts = cluster.facts();
            directory = Path.of(facts.directory());
            assertThat(facts.up()).isTrue();
            assertThat(facts.processes()).extracting(ClusterFacts.ProcessFacts::name).containsExactly("zookeeper-1",
                    "coordinator-1", "coordinator-2", "ant", "bee");
            assertThat(facts.processes()).extracting(ClusterFacts.ProcessFacts::state)
                    .containsOnly(ProcessState.READY);
            assertThat(facts.root()).isEqualTo("/tombolo/" + name);
            assertThat(runDirectories()).containsExactly(Path.of(facts.runDirectory()));
            assertThat(Clusters.facts(name, places)).contains(facts);
            try (Region region = Region.open(cluster.region(), OpenOptions.inspect())) {
                assertThat(region.superblock().clusterUuid()).isEqualTo(cluster.uuid());
            }
            assertThat(ZooKeeperFiles.serves(Integer.parseInt(facts.zookeeper().split(":", -1)[1])).getAsBoolean())
                    .isTrue();
            assertThat(progress).hasSize(3);
        }
        assertThat(directory).doesNotExist();
        assertThat(state.resolve("state")).isEmptyDirectory();
    }

    @Test
    void writesConfigurationsThatCanBeRead() {
        try (LocalCluster cluster = start(spec())) {
            Path conf = Path.of(cluster.facts().directory(), "conf");
            CoordinatorConfig coordinator = ConfigFile.load(conf.resolve("coordinator-1.yaml"),
                    CoordinatorConfig.class);
            assertThat(coordinator.clusterUuid()).isEqualTo(cluster.uuid());
            assertThat(coordinator.zookeeper().connect()).isEqualTo(cluster.facts().zookeeper());
            assertThat(coordinator.zookeeper().sessionTimeoutMs()).isEqualTo(2000);
            AgentConfig agent = ConfigFile.load(conf.resolve("bee.yaml"), AgentConfig.class);
            assertThat(agent.name()).isEqualTo("bee");
            assertThat(agent.regionFile()).isEqualTo(cluster.region().toString());
            assertThat(Path.of(agent.runDirectory())).isDirectory();
        }
    }

    @Test
    void killsPausesAndRestartsSingleProcesses() {
        try (LocalCluster cluster = start(spec())) {
            long first = cluster.process("ant").pid();
            cluster.signal("ant", Linux.SIGKILL);
            assertThat(cluster.awaitStopped("ant", 10_000).reason()).isEqualTo(StopReason.EXITED);
            cluster.restart("ant");
            assertThat(cluster.process("ant").pid()).isNotEqualTo(first);
            assertThat(cluster.process("ant").state()).isEqualTo(ProcessState.READY);

            cluster.signalGroup("bee", Linux.SIGSTOP);
            StopRecord bee = cluster.awaitStopped("bee", 10_000);
            assertThat(bee.reason()).isEqualTo(StopReason.WATCHDOG);
            assertThat(bee.killToReapedNs()).isPositive();

            assertThat(cluster.kill("zookeeper-1").reason()).isEqualTo(StopReason.KILLED);
            cluster.restart("zookeeper-1");
            assertThat(cluster.facts().processes().getFirst().start()).isEqualTo(2);
            assertThat(cluster.process("coordinator-1").state()).isEqualTo(ProcessState.READY);
        }
    }

    @Test
    void anEnsembleOfThreeServesWhileOneIsDead() {
        try (LocalCluster cluster = start(spec().withHosts(List.of("ant")).withZooKeeperServers(3))) {
            assertThat(cluster.facts().zookeeper().split(",", -1)).hasSize(3);
            cluster.kill("zookeeper-2");
            int port = Integer.parseInt(cluster.facts().zookeeper().split(",", -1)[0].split(":", -1)[1]);
            await().atMost(Duration.ofSeconds(15)).until(ZooKeeperFiles.serves(port)::getAsBoolean);
        }
    }

    @Test
    void usesAnEnsembleThatIsThere() {
        ClusterSpec spec = spec().withZooKeeper("127.0.0.1:1", "/elsewhere");
        try (LocalCluster cluster = start(spec)) {
            assertThat(cluster.facts().zookeeper()).isEqualTo("127.0.0.1:1");
            assertThat(cluster.facts().root()).isEqualTo("/elsewhere");
            assertThat(cluster.facts().processes()).extracting(ClusterFacts.ProcessFacts::role)
                    .doesNotContain(ProcessRole.ZOOKEEPER);
        }
    }

    @Test
    void refusesANameThatIsUp() throws IOException {
        try (LocalCluster cluster = start(spec().withHosts(List.of("ant")))) {
            assertThatThrownBy(() -> start(spec())).hasMessageStartingWith("CLUSTER_ALREADY_UP")
                    .hasMessageContaining("tombolo down --cluster " + name);
            assertThatThrownBy(() -> Clusters.up(spec(), places, PROGRAMS, progress::add))
                    .hasMessageStartingWith("CLUSTER_ALREADY_UP");
            assertThat(cluster.process("ant").state()).isEqualTo(ProcessState.READY);
            // An attempt from this process must not have let the lock go that keeps other processes out.
            assertThat(lockFromAnotherProcess()).isEqualTo("held");
        }
        assertThat(lockFromAnotherProcess()).isEqualTo("free");
    }

    private String lockFromAnotherProcess() throws IOException {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                MemberMain.class.getName(), "take", name, places.state().toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader out = process.inputReader()) {
            return out.readLine();
        }
    }

    @Test
    void refusesAPortThatIsTaken() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            int port = taken.getLocalPort();

            assertThatThrownBy(() -> start(spec().withZooKeeperPorts(List.of(port))))
                    .hasMessageStartingWith("PORT_TAKEN").hasMessageContaining("port=" + port);
        }
    }

    @Test
    void refusesARegionWithoutRoom() {
        ClusterSpec huge = ClusterSpec.of(name, 1L << 46);

        assertThatThrownBy(() -> start(huge)).hasMessageStartingWith("CLUSTER_NO_ROOM")
                .hasMessageContaining("neededBytes=");
    }

    @Test
    void countsTheLocalTiersOfAllHostsAsRoom() {
        ClusterSpec huge = ClusterSpec.of(name, 1 << 20).withLocalTierBytes(1L << 45);

        assertThatThrownBy(() -> start(huge)).hasMessageStartingWith("CLUSTER_NO_ROOM")
                .hasMessageContaining("neededBytes=" + (3 * (1L << 45) + (1 << 20) + (256L << 20)))
                .hasMessageContaining("localTierBytes=" + (1L << 45));
        assertThatThrownBy(() -> ClusterSpec.of(name, 1 << 20).withLocalTierBytes(4_096))
                .hasMessageContaining("localTier.bytes");
    }

    @Test
    void stopsEverythingWhenOneProcessDoesNotComeUpAndKeepsTheLogs() {
        assertThatThrownBy(() -> start(spec().withHosts(List.of("ant", "broken"))))
                .hasMessageStartingWith("PROCESS_ENDED_EARLY").hasMessageContaining("process=broken")
                .hasMessageContaining("CONFIG_INVALID_VALUE: planted");

        assertThat(state.resolve("state").resolve(name).resolve("logs").resolve("broken.log")).exists();
        assertThat(Clusters.facts(name, places)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "Upper", "-x", "a_b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
    void refusesNamesThatCannotBe(String wrong) {
        assertThatThrownBy(() -> ClusterSpec.of(wrong, REGION_BYTES)).hasMessageStartingWith("CLUSTER_SPEC_INVALID")
                .hasMessageContaining("key=name");
    }

    @Test
    void refusesSpecsThatCannotBe() {
        assertThatThrownBy(() -> spec().withHosts(List.of("ant", "ant"))).hasMessageContaining("key=hosts");
        assertThatThrownBy(() -> spec().withHosts(List.of("zookeeper-1"))).hasMessageContaining("key=hosts");
        assertThatThrownBy(() -> spec().withCoordinators(0)).hasMessageContaining("key=coordinators");
        assertThatThrownBy(() -> spec().withZooKeeperServers(2)).hasMessageContaining("key=zookeeperServers");
        assertThatThrownBy(() -> spec().withDrivers(List.of("kvm"))).hasMessageContaining("key=drivers");
        assertThatThrownBy(() -> spec().withBaseMs(1)).hasMessageStartingWith("TIMING_BASE_INVALID");
        assertThatThrownBy(() -> spec().withZooKeeper("x:1", "relative")).hasMessageContaining("key=root");
    }

    @Test
    void aClusterUnderADaemonIsFoundUsedAndStopped() {
        RunningCluster cluster = Clusters.up(spec().withHosts(List.of("ant")), places, PROGRAMS, progress::add);
        assertThat(progress).anyMatch(line -> line.startsWith("ant pid") && line.endsWith("READY"));
        long supervisor = cluster.facts().supervisorPid();
        assertThat(supervisor).isNotEqualTo(ProcessHandle.current().pid());
        assertThat(Clusters.list(places)).extracting(ClusterFacts::name).containsExactly(name);
        RunningCluster found = Clusters.find(name, places);
        assertThat(found.kill("ant").reason()).isEqualTo(StopReason.KILLED);
        found.restart("ant");
        assertThat(found.facts().processes().getLast().start()).isEqualTo(2);
        assertThatThrownBy(() -> found.kill("cat")).hasMessageStartingWith("PROCESS_UNKNOWN")
                .hasMessageContaining("known=");
        assertThatThrownBy(() -> found.signal("ant", 99)).hasMessageStartingWith("SUPERVISOR_REQUEST_INVALID");

        assertThat(Clusters.down(name, places)).isEqualTo(3);

        await().until(() -> ProcFs.dead(supervisor));
        assertThatThrownBy(() -> Clusters.find(name, places)).hasMessageStartingWith("CLUSTER_NOT_FOUND")
                .hasMessageContaining("running=none");
        assertThatThrownBy(() -> Clusters.down(name, places)).hasMessageStartingWith("CLUSTER_NOT_FOUND");
        assertThatThrownBy(found::facts).hasMessageStartingWith("SUPERVISOR_UNREACHABLE");
    }

    @Test
    void severalClustersRunSideBySide() {
        String other = name + "-b";
        RunningCluster first = Clusters.up(spec().withHosts(List.of("ant")), places, PROGRAMS, progress::add);
        try (RunningCluster second = LocalCluster.start(
                ClusterSpec.of(other, REGION_BYTES).withHosts(List.of("ant")).withCoordinators(1), places, PROGRAMS,
                progress::add)) {
            assertThat(Clusters.list(places)).extracting(ClusterFacts::name).containsExactly(name, other);
            assertThat(second.facts().zookeeper()).isNotEqualTo(first.facts().zookeeper());
            first.close();
            assertThat(Clusters.list(places)).extracting(ClusterFacts::name).containsExactly(other);
            assertThat(second.facts().processes()).extracting(ClusterFacts.ProcessFacts::state)
                    .containsOnly(ProcessState.READY);
        }
    }

    @Test
    void theFailureOfADaemonArrivesWithItsCode() {
        assertThatThrownBy(() -> Clusters.up(spec().withHosts(List.of("broken")), places, PROGRAMS, progress::add))
                .hasMessageStartingWith("PROCESS_ENDED_EARLY").hasMessageContaining("process=broken");
    }

    @Test
    void whenTheDaemonIsKilledNothingLivesOnAndDownCleansUp() throws IOException {
        RunningCluster cluster = Clusters.up(spec().withHosts(List.of("ant")), places, PROGRAMS, progress::add);
        ClusterFacts facts = cluster.facts();

        Linux.kill(facts.supervisorPid(), Linux.SIGKILL);

        await().atMost(Duration.ofSeconds(10)).until(
                () -> facts.processes().stream().flatMap(p -> p.pids().stream()).allMatch(ProcFs::dead));
        await().atMost(Duration.ofSeconds(10)).until(() -> runDirectories().isEmpty());
        assertThatThrownBy(() -> Clusters.find(name, places))
                .hasMessageContaining("the supervisor of the cluster is dead");
        assertThat(Clusters.down(name, places)).isZero();
        assertThat(places.directory(name)).doesNotExist();
    }

    @Test
    void whatAKilledSupervisorLeftIsRemovedByNameAndWhatRunsIsNot() {
        RunningCluster cluster = Clusters.up(spec().withHosts(List.of("ant")), places, PROGRAMS, progress::add);
        ClusterFacts facts = cluster.facts();
        Clusters.removeDead(name, places);
        assertThat(cluster.facts().up()).isTrue();

        Linux.kill(facts.supervisorPid(), Linux.SIGKILL);
        await().atMost(Duration.ofSeconds(10)).until(() -> ProcFs.dead(facts.supervisorPid()));
        Clusters.removeDead("other", places);
        assertThat(places.directory(name)).exists();
        Clusters.removeDead(name.substring(0, 2), places);

        assertThat(places.state()).isEmptyDirectory();
    }

    @Test
    void findsItsPlacesInTheEnvironment() {
        assertThat(ClusterPlaces.standard(Map.of(), "/home/u").state())
                .isEqualTo(Path.of("/home/u/.local/state/tombolo"));
        assertThat(ClusterPlaces.standard(Map.of("XDG_STATE_HOME", "/x"), "/home/u").state())
                .isEqualTo(Path.of("/x/tombolo"));
        assertThat(ClusterPlaces.standard(Map.of("TOMBOLO_STATE", "/y", "XDG_STATE_HOME", "/x"), "/home/u").state())
                .isEqualTo(Path.of("/y"));
    }
}

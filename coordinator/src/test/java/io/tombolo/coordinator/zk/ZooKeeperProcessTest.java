package io.tombolo.coordinator.zk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ZooKeeperProcessTest {
    @Test
    void keepsItsDataWhenItIsKilledAndStartedAgain() throws Exception {
        try (ZooKeeperServers servers = new ZooKeeperServers(1)) {
            ZkPaths tree = ZooKeeperServers.newTree();
            try (ZkConnection zk = servers.connect(tree)) {
                assertThat(new ClusterTree(zk).read()).isPresent();
            }
            ZooKeeperProcess server = servers.server();
            assertThat(server.mode()).contains("standalone");
            assertThat(server.fourLetters("ruok")).contains("imok");
            long pid = server.pid();
            server.kill();
            assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
            assertThat(server.mode()).isEmpty();
            server.start();
            server.awaitServing(20_000);
            try (ZkConnection zk = servers.connect(tree)) {
                assertThat(new ClusterTree(zk).read()).isPresent();
            }
        }
    }

    /// The end of the standard input is what a server sees when its parent dies in whatever way.
    @Test
    void aServerEndsWithItsParent() throws Exception {
        try (ZooKeeperServers servers = new ZooKeeperServers(1)) {
            servers.server().close();
            Process process = new ProcessBuilder(ZooKeeperProcess.command(servers.server().configFile()))
                    .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            try {
                Awaitility.await().until(() -> servers.server().mode().isPresent());
                process.getOutputStream().close();
                assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
            } finally {
                process.destroyForcibly();
            }
        }
    }

    @Test
    void anEnsembleOfThreeServesWithoutOneOfThem() throws Exception {
        try (ZooKeeperServers servers = new ZooKeeperServers(3)) {
            List<ZooKeeperProcess> all = servers.ensemble().servers();
            assertThat(all.stream().map(server -> server.mode().orElseThrow())).containsExactlyInAnyOrder("leader",
                    "follower", "follower");
            all.stream().filter(server -> server.mode().orElseThrow().equals("leader")).findFirst().orElseThrow()
                    .kill();
            Awaitility.await().until(
                    () -> all.stream().filter(ZooKeeperProcess::isAlive).allMatch(server -> server.mode().isPresent()));
            try (ZkConnection zk = servers.connect(ZooKeeperServers.newTree())) {
                assertThat(new ClusterTree(zk).read()).isPresent();
            }
        }
    }

    @Test
    void namesTheServersThatDoNotAnswer() {
        TomboloException refusal = catchThrowableOfType(TomboloException.class,
                () -> ZkConnection.open("127.0.0.1:1", ZooKeeperServers.newTree(), 1_000, 300));
        assertThat(refusal.code()).isEqualTo(CoordinatorError.ZOOKEEPER_UNREACHABLE);
        assertThat(refusal.facts()).containsEntry("connect", "127.0.0.1:1");
    }
}

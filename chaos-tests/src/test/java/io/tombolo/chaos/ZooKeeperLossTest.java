package io.tombolo.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.chaos.ChaosCluster.Vm;
import io.tombolo.coordinator.wire.RpcAddress;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.deploy.cluster.ClusterFacts;
import io.tombolo.deploy.cluster.ProcessRole;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.os.Linux;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// ZooKeeper goes away: VMs pause at their hosts' deadlines, nobody is killed, and they run again only at a new epoch.
class ZooKeeperLossTest {
    private static final Duration STILL = Duration.ofMillis(500);

    /// Agents by their last known addresses, since there is no ZooKeeper to ask.
    private record Look(ChaosCluster cluster, List<HostRecord> hosts) {
        Map<String, Long> counts(Vm vm) {
            Map<String, Long> counts = new TreeMap<>();
            for (HostRecord host : hosts) {
                OptionalLong count = cluster.instructions(new RpcAddress(host.address(), host.port()), host.name(), vm);
                count.ifPresent(value -> counts.put(host.name(), value));
            }
            return counts;
        }

        void awaitStandstill(Vm vm) {
            Still still = new Still();
            await(vm.name() + " pauses").atMost(ChaosCluster.PATIENCE).pollInterval(Duration.ofMillis(50))
                    .until(() -> still.since(counts(vm)).compareTo(STILL) > 0);
        }
    }

    /// For how long the same counts have been seen.
    private static final class Still {
        private Map<String, Long> last = Map.of();
        private long sinceNs = System.nanoTime();

        Duration since(Map<String, Long> counts) {
            if (counts.isEmpty() || !counts.equals(last)) {
                last = counts;
                sinceNs = System.nanoTime();
            }
            return Duration.ofNanos(System.nanoTime() - sinceNs);
        }
    }

    private static Map<String, Integer> starts(ChaosCluster cluster) {
        return cluster.processes().facts().processes().stream().filter(p -> p.role() != ProcessRole.ZOOKEEPER)
                .collect(Collectors.toMap(ClusterFacts.ProcessFacts::name, ClusterFacts.ProcessFacts::start));
    }

    private static void nobodyDied(ChaosCluster cluster, Map<String, Integer> starts) {
        assertThat(starts(cluster)).isEqualTo(starts);
        assertThat(starts.keySet()).allMatch(cluster::alive);
    }

    /// After ZooKeeper is back the host renews by CAS before anything runs; nothing else has changed the word
    /// meanwhile.
    private static void comesBack(ChaosCluster cluster, Vm vm, String host, long pausedWord) {
        await("a new epoch").atMost(ChaosCluster.PATIENCE).until(() -> cluster.owner(vm) != pausedWord);
        Outcome.runsOnlyAt(cluster, vm, host,
                Outcome.running(OwnerWord.slot(pausedWord), OwnerWord.epoch(pausedWord) + 1));
    }

    @Test
    void killedAndStartedAgain() {
        try (ChaosCluster cluster = ChaosCluster.start(spec -> spec.withHosts(List.of("ant", "bee")))) {
            Vm vm = cluster.create("ant");
            Map<String, Integer> starts = starts(cluster);
            Look look = new Look(cluster, cluster.hosts());
            long word = cluster.owner(vm);
            cluster.processes().kill("zookeeper-1");
            look.awaitStandstill(vm);
            assertThat(OwnerWord.describe(cluster.owner(vm))).isEqualTo(OwnerWord.describe(word));
            nobodyDied(cluster, starts);

            cluster.processes().restart("zookeeper-1");
            comesBack(cluster, vm, "ant", word);
            nobodyDied(cluster, starts);
            handsOffWithoutZooKeeper(cluster, vm, look);
            nobodyDied(cluster, starts);
            Guests.sound(cluster, vm);
            assertThat(cluster.verify().findings()).isEmpty();
        }
    }

    /// Row 17: once the order is in the source's hands, a hand-off needs no ZooKeeper. A new one is refused.
    private static void handsOffWithoutZooKeeper(ChaosCluster cluster, Vm vm, Look look) {
        Attack attack = Attack.of(cluster, vm, "ant", "bee");
        attack.halt("ant", HandoffPoint.SOURCE_MARKED, HaltAction.HOLD);
        attack.begin();
        // Stopped first, because that is quicker than the bound of the source's wait; then killed.
        cluster.processes().signal("zookeeper-1", Linux.SIGSTOP);
        cluster.letGo("ant");
        Outcome.awaitOwner(cluster, vm, attack.runningAtTarget(1));
        cluster.processes().kill("zookeeper-1");
        look.awaitStandstill(vm);
        long paused = cluster.owner(vm);
        assertThatThrownBy(() -> cluster.migrate(vm, "ant").join())
                .hasMessageMatching("(?s).*(ZOOKEEPER_UNREACHABLE|NO_LEADER|ZOOKEEPER_FAILED|NOT_LEADER).*");
        cluster.processes().restart("zookeeper-1");
        comesBack(cluster, vm, "bee", paused);
    }

    /// An ensemble of three that loses two servers, or has them stopped, is no ensemble.
    @ParameterizedTest
    @ValueSource(ints = {Linux.SIGKILL, Linux.SIGSTOP})
    void losesItsQuorum(int signal) {
        try (ChaosCluster cluster = ChaosCluster.start(spec -> spec.withHosts(List.of("ant"))
                .withZooKeeperServers(3))) {
            Vm vm = cluster.create("ant");
            Map<String, Integer> starts = starts(cluster);
            Look look = new Look(cluster, cluster.hosts());
            long word = cluster.owner(vm);
            List<String> servers = List.of("zookeeper-2", "zookeeper-3");
            servers.forEach(server -> cluster.processes().signal(server, signal));
            look.awaitStandstill(vm);
            long paused = cluster.owner(vm);
            assertThat(OwnerWord.state(paused)).isEqualTo(OwnerState.RUNNING);
            assertThat(OwnerWord.slot(paused)).isEqualTo(OwnerWord.slot(word));
            nobodyDied(cluster, starts);
            for (String server : servers) {
                if (signal == Linux.SIGKILL) {
                    cluster.awaitStopped(server);
                    cluster.processes().restart(server);
                } else {
                    cluster.processes().signal(server, Linux.SIGCONT);
                }
            }
            comesBack(cluster, vm, "ant", paused);
            nobodyDied(cluster, starts);
            Guests.sound(cluster, vm);
        }
    }
}

package io.tombolo.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tombolo.chaos.ChaosCluster.Vm;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What every failure has to end in: the VM runs in exactly one place, or stands still with a reason; never two.
final class Outcome {
    /// A guest that runs executes something in it even on a busy machine.
    private static final Duration STILL = Duration.ofMillis(300);

    private Outcome() {
    }

    static long running(int hostSlot, long epoch) {
        return OwnerWord.pack(OwnerState.RUNNING, hostSlot, epoch);
    }

    /// Waits for the word, at its epoch or at a later one that renewals explain.
    static void awaitOwner(ChaosCluster cluster, Vm vm, long word) {
        await(vm.name() + " becomes " + OwnerWord.describe(word)).atMost(ChaosCluster.PATIENCE)
                .pollInterval(Duration.ofMillis(5)).untilAsserted(() -> assertOwner(cluster, vm, word));
    }

    private static void assertOwner(ChaosCluster cluster, Vm vm, long word) {
        long found = cluster.owner(vm);
        long more = OwnerWord.epoch(found) - OwnerWord.epoch(word);
        // The log is read only when it matters.
        boolean explained = OwnerWord.state(found) == OwnerWord.state(word)
                && OwnerWord.slot(found) == OwnerWord.slot(word) && more > 0 && more <= cluster.renewals(vm);
        if (!explained) {
            assertThat(OwnerWord.describe(found)).isEqualTo(OwnerWord.describe(word));
        }
    }

    /// The word names the host, its agent's count grows, nobody else's does; record and lease follow, the intent is
    /// closed.
    static void runsOnlyAt(ChaosCluster cluster, Vm vm, String host, long word) {
        awaitOwner(cluster, vm, word);
        Map<String, Long> before = counts(cluster, vm);
        Map<String, Long> after = new TreeMap<>();
        await(vm.name() + " executes at " + host).atMost(ChaosCluster.PATIENCE).until(() -> {
            after.clear();
            after.putAll(counts(cluster, vm));
            return after.getOrDefault(host, 0L) > before.getOrDefault(host, 0L);
        });
        // A source that has not reaped its stopped guest yet has a count too, but not one that grows.
        before.remove(host);
        after.remove(host);
        after.forEach((other, count) -> assertThat(count).as("executed at %s meanwhile", other)
                .isEqualTo(before.getOrDefault(other, count)));
        followed(cluster, vm, host);
        assertOwner(cluster, vm, word);
    }

    private static void followed(ChaosCluster cluster, Vm vm, String host) {
        await(vm.name() + " is recorded at " + host).atMost(ChaosCluster.PATIENCE).untilAsserted(() -> {
            VmRecord record = cluster.record(vm);
            assertThat(record.host()).isEqualTo(host);
            assertThat(record.reason()).isEmpty();
            assertThat(record.epoch()).isEqualTo(OwnerWord.epoch(cluster.owner(vm)));
            assertThat(cluster.intent(vm)).isEmpty();
            assertThat(cluster.leaseHolder(vm)).contains(host);
        });
    }

    /// Taken over from an owner that is confirmed stopped, at an epoch after its, and lost: nobody executes it, nobody
    /// changes its owner word, and ZooKeeper says why. It can be destroyed, and is.
    static void isLost(ChaosCluster cluster, Vm vm, long word, String reason) {
        await(vm.name() + " is lost, and why").atMost(ChaosCluster.PATIENCE).untilAsserted(() -> {
            assertThat(OwnerWord.state(cluster.owner(vm))).isEqualTo(OwnerState.LOST);
            assertThat(cluster.record(vm).reason()).isEqualTo(reason);
        });
        long lost = cluster.owner(vm);
        assertThat(OwnerWord.epoch(lost)).isGreaterThan(OwnerWord.epoch(word));
        await(vm.name() + " stands still").during(STILL).atMost(STILL.multipliedBy(10))
                .untilAsserted(() -> assertThat(counts(cluster, vm)).isEmpty());
        assertThat(cluster.owner(vm)).isEqualTo(lost);
        cluster.destroy(vm);
        assertThat(OwnerWord.state(cluster.owner(vm))).isEqualTo(OwnerState.FREE);
    }

    /// Instructions by host, of the hosts that have a guest of it.
    static Map<String, Long> counts(ChaosCluster cluster, Vm vm) {
        Map<String, Long> counts = new TreeMap<>();
        List<HostRecord> hosts = cluster.hosts();
        for (HostRecord host : hosts) {
            cluster.instructions(host.name(), vm).ifPresent(count -> counts.put(host.name(), count));
        }
        return counts;
    }
}

package io.tombolo.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.chaos.ChaosCluster.Vm;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.OwnerWord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/// One hand-off under attack: a fresh VM at a host of its own, another host to go to. Used by one thread.
final class Attack {
    private final ChaosCluster cluster;
    private final String source;
    private final String target;
    private final int sourceSlot;
    private final int targetSlot;
    private final Vm vm;
    private final List<String> halting = new ArrayList<>();
    private long epoch;
    private CompletableFuture<Reply.Migrated> migration;

    private Attack(ChaosCluster cluster, Vm vm, String source, String target) {
        this.cluster = cluster;
        this.source = source;
        this.target = target;
        this.sourceSlot = cluster.requireSlot(source);
        this.targetSlot = cluster.requireSlot(target);
        this.vm = vm;
    }

    static Attack of(ChaosCluster cluster, Vm vm, String source, String target) {
        return new Attack(cluster, vm, source, target);
    }

    /// Runs an attack on two hosts that nobody else uses; a host that is dead afterwards comes back.
    static void on(ChaosCluster cluster, Consumer<Attack> test) {
        String source = cluster.lend();
        String target = cluster.lend();
        try {
            test.accept(new Attack(cluster, cluster.create(source), source, target));
            assertThat(cluster.verify().findings()).isEmpty();
        } finally {
            cluster.giveBack(source);
            cluster.giveBack(target);
        }
    }

    String source() {
        return source;
    }

    String target() {
        return target;
    }

    int sourceSlot() {
        return sourceSlot;
    }

    int targetSlot() {
        return targetSlot;
    }

    Vm vm() {
        return vm;
    }

    /// The epoch at which the source ran the VM when the hand-off began.
    long epoch() {
        return epoch;
    }

    void halt(String host, HandoffPoint point, HaltAction action) {
        cluster.haltAt(host, point, action);
        halting.add(host);
    }

    /// Begins the hand-off, and returns when one of the moments is reached. On a busy machine a hand-off may end
    /// before, because a window passed or a host's right lapsed: nothing has happened then, and it is tried again.
    void begin() {
        List<String> failures = new ArrayList<>();
        long startNs = System.nanoTime();
        while (true) {
            epoch = OwnerWord.epoch(cluster.owner(vm));
            migration = cluster.migrate(vm, target);
            await("a moment of " + halting).atMost(ChaosCluster.PATIENCE).pollInterval(Duration.ofMillis(2))
                    .until(() -> reached() || migration.isDone());
            if (reached()) {
                return;
            }
            failures.add(
                    migration.handle((done, failure) -> failure == null ? "" + done : failure.getMessage()).join());
            assertThat(System.nanoTime() - startNs).as("no moment of %s is reached: %s", halting, failures)
                    .isLessThan(ChaosCluster.PATIENCE.toNanos());
        }
    }

    /// What the cluster will say of the hand-off that was begun last.
    CompletableFuture<Reply.Migrated> migration() {
        return migration;
    }

    private boolean reached() {
        return halting.stream().anyMatch(cluster::halted);
    }

    long runningAtSource(int raised) {
        return Outcome.running(sourceSlot, epoch + raised);
    }

    long runningAtTarget(int raised) {
        return Outcome.running(targetSlot, epoch + raised);
    }

    /// The VM's last look: what the guest found wrong in its memory, and what is wrong in the region.
    void endsSound() {
        Guests.sound(cluster, vm);
        assertThat(cluster.verify().findings()).isEmpty();
        cluster.destroy(vm);
    }
}

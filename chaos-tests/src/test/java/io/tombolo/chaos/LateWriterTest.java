package io.tombolo.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.chaos.ChaosCluster.Vm;
import io.tombolo.region.ArmedWord;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// An agent stands still at each moment of a hand-off for longer than its session, and wakes up: nothing kills it
/// meanwhile, because these agents run without a supervisor. What keeps two from running the VM is the protocol alone.
class LateWriterTest {
    private static ChaosCluster cluster;

    @BeforeAll
    static void start() {
        cluster = ChaosCluster.start(spec -> spec.withHosts(List.of("kept")));
        cluster.startUnsupervised("ant");
        cluster.startUnsupervised("bee");
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    /// Rows 2, 3, 5 and, for the target, 6 and 16. Whoever the owner word names at the end runs the VM, and nobody
    /// else.
    @ParameterizedTest
<<<<<<< HEAD
    @EnumSource(value = HandoffPoint.class, mode = EnumSource.Mode.EXCLUDE, names = {"TARGET_CLAIMED",
            "SOURCE_COPYING", "SOURCE_REST"})
=======
    @EnumSource(value = HandoffPoint.class, mode = EnumSource.Mode.EXCLUDE, names = {"TARGET_CLAIMED", "SOURCE_COPYING", "SOURCE_REST"})
>>>>>>> copy
    void wakesAndFindsWhatBecameOfTheVm(HandoffPoint point) {
        boolean atTarget = point.name().startsWith("TARGET");
        Vm vm = cluster.create("ant");
        Attack a = Attack.of(cluster, vm, "ant", "bee");
        String stopped = atTarget ? "bee" : "ant";
        a.halt(stopped, point, HaltAction.STOP);
        a.begin();
        await(stopped + " has lost its session").atMost(ChaosCluster.PATIENCE)
                .until(() -> cluster.hosts().stream().noneMatch(host -> host.name().equals(stopped)));
        Linux.kill(cluster.unsupervised(stopped).pid(), Linux.SIGCONT);
        await(stopped + " is a member again").atMost(ChaosCluster.PATIENCE)
                .until(() -> cluster.hosts().stream().anyMatch(host -> host.name().equals(stopped)));
        await("the intent is closed").atMost(ChaosCluster.PATIENCE).until(() -> cluster.intent(vm).isEmpty());
        await("the VM runs").atMost(ChaosCluster.PATIENCE)
                .until(() -> OwnerWord.state(cluster.owner(vm)) == OwnerState.RUNNING);

        long word = cluster.owner(vm);
        boolean switched = OwnerWord.slot(word) == a.targetSlot();
        assertThat(switched).as("from the CAS to OFFERED on it is the target's, unless that slept").isEqualTo(
                switch (point) {
                    case TARGET_PREPARED, TARGET_SPINNING, TARGET_SEEN, TARGET_TAKEN, SOURCE_ORDERED,
                            SOURCE_MARKED ->
                        false;
                    case SOURCE_OFFERED, TARGET_OWNS, TARGET_RUNNING, SOURCE_SEEN_RUNNING, SOURCE_REAPED -> true;
                    // Nobody has taken the word in between, so that a CAS of the woken source is a right one.
                    case SOURCE_STOPPING, SOURCE_SAVED -> switched;
                    case TARGET_CLAIMED, SOURCE_COPYING, SOURCE_REST ->
<<<<<<< HEAD
                        throw new IllegalStateException("only where pages are copied, or a driver claims");
=======
                        throw new IllegalStateException("only with pages that are copied, or guests that claim");
>>>>>>> copy
                });
        Outcome.runsOnlyAt(cluster, vm, switched ? "bee" : "ant", word);
        await("nothing is armed").atMost(ChaosCluster.PATIENCE).until(() -> switched
                || cluster.slot(vm).armedAcquire() == ArmedWord.NONE);
        if (atTarget == switched) {
            assertThat(OwnerWord.epoch(cluster.owner(vm))).as("its owner slept, so it renewed")
                    .isGreaterThan(a.epoch() + (switched ? 1 : -1));
        }
        a.endsSound();
    }

    /// The leader gives up a source that stands still and lets the target forget; the source wakes, offers all the
    /// same, and dies. The target is alive and the only one who may go on: the leader has it prepare again.
    @Test
    void aTargetThatForgotIsPreparedAgain() {
        cluster.startUnsupervised("cat");
        Vm vm = cluster.create("cat");
        Attack a = Attack.of(cluster, vm, "cat", "bee");
        a.halt("cat", HandoffPoint.SOURCE_SAVED, HaltAction.STOP);
        a.begin();
        // The reason is written after the target was told.
        await("the leader has given the source up").atMost(ChaosCluster.PATIENCE)
                .until(() -> cluster.record(vm).reason().equals("OWNER_HOST_DEAD"));
        cluster.haltAt("cat", HandoffPoint.SOURCE_OFFERED, HaltAction.KILL);
        Linux.kill(cluster.unsupervised("cat").pid(), Linux.SIGCONT);
        assertThat(cluster.unsupervised("cat").onExit()).succeedsWithin(ChaosCluster.PATIENCE);
        Outcome.runsOnlyAt(cluster, vm, "bee", a.runningAtTarget(1));
        a.endsSound();
    }

    /// Another agent with the same name, while the first only stands still: it is refused, and the first goes on.
    @Test
    void aTwinOfAStoppedAgentIsRefused() throws IOException {
        Vm vm = cluster.create("ant");
        Process ant = cluster.unsupervised("ant");
        Linux.kill(ant.pid(), Linux.SIGSTOP);
        Process twin = cluster.launch("ant-twin", "ant", cluster.region().file());
        assertThat(twin.onExit()).succeedsWithin(ChaosCluster.PATIENCE);
        assertThat(twin.exitValue()).isNotZero();
        assertThat(Files.readString(cluster.log("ant-twin"))).contains("REGION_HOST_LIVE");
        long word = cluster.owner(vm);
        Linux.kill(ant.pid(), Linux.SIGCONT);
        Outcome.runsOnlyAt(cluster, vm, "ant", word);
        Guests.sound(cluster, vm);
        cluster.destroy(vm);
    }

    /// A host that maps a copy of the region, the same to the last byte: its CAS would decide nothing here, and the
    /// source finds out before it stops anything, because the nonce is not where it should be.
    @Test
    void aTargetThatMapsACopyOfTheRegionIsRefused() throws IOException {
        Vm vm = cluster.create("ant");
        long word = cluster.owner(vm);
        Path copy = cluster.region().file().resolveSibling("region-copy");
        Files.copy(cluster.region().file(), copy);
        Process other = cluster.launch("dog", "dog", copy);
        try {
            await("dog is a member").atMost(ChaosCluster.PATIENCE)
                    .until(() -> cluster.hosts().stream().anyMatch(host -> host.name().equals("dog")));
            assertThatThrownBy(() -> cluster.migrate(vm, "dog").join())
                    .hasMessageContaining("does not map the same memory");
            Outcome.runsOnlyAt(cluster, vm, "ant", word);
            Guests.sound(cluster, vm);
            cluster.destroy(vm);
        } finally {
            other.destroyForcibly().onExit().join();
            Files.delete(copy);
        }
    }
}

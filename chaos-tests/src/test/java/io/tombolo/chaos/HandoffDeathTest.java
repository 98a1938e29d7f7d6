package io.tombolo.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.deploy.cluster.StopReason;
import io.tombolo.region.ArmedWord;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Recovery;
import io.tombolo.region.SlotWord;
import io.tombolo.region.os.Linux;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Source, target or both die at the moments of a hand-off: by SIGKILL, or by SIGSTOP, after which the watchdog kills
/// them. The agents are processes of their own and run a guest that checks its own memory.
class HandoffDeathTest {
    private static final String NOT_PROTECTED = "VM_LOST_NOT_PROTECTED";
    private static ChaosCluster cluster;

    @BeforeAll
    static void start() {
        cluster = ChaosCluster.start(spec -> spec);
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    private static void attack(Consumer<Attack> test) {
        Attack.on(cluster, test);
    }

    private static void dies(String host, HaltAction action) {
        assertThat(cluster.awaitStopped(host).reason())
                .isEqualTo(action == HaltAction.STOP ? StopReason.WATCHDOG : StopReason.EXITED);
    }

    /// Row 1: nothing was offered, the guest never stopped.
    @ParameterizedTest
    @CsvSource({"KILL", "STOP"})
    void aTargetThatDiesBeforeTheOfferCostsNothing(HaltAction action) {
        attack(a -> {
            a.halt(a.target(), HandoffPoint.TARGET_PREPARED, action);
            a.begin();
            CompletableFuture<Reply.Migrated> migration = a.migration();
            dies(a.target(), action);
            Outcome.runsOnlyAt(cluster, a.vm(), a.source(), a.runningAtSource(0));
            assertThat(cluster.slot(a.vm()).armedAcquire()).isEqualTo(ArmedWord.NONE);
            assertThatThrownBy(migration::join).hasMessageContaining(a.vm().name());
            a.endsSound();
        });
    }

    /// Row 8: the source takes back, without a person. At TARGET_SPINNING the source may hear of the lost connection
    /// before it has looked at the spin word, and then never offers.
    @ParameterizedTest
    @CsvSource({"TARGET_SPINNING, KILL", "TARGET_SPINNING, STOP", "TARGET_SEEN, KILL", "TARGET_SEEN, STOP",
            "TARGET_TAKEN, KILL", "TARGET_TAKEN, STOP"})
    void aTargetThatDiesBeforeItsCasGivesTheVmBack(HandoffPoint point, HaltAction action) {
        attack(a -> {
            a.halt(a.target(), point, action);
            a.begin();
            CompletableFuture<Reply.Migrated> migration = a.migration();
            dies(a.target(), action);
            assertThatThrownBy(migration::join).hasMessageContaining(a.vm().name());
            boolean offered = OwnerWord.epoch(cluster.owner(a.vm())) > a.epoch() + cluster.renewals(a.vm());
            assertThat(offered || point == HandoffPoint.TARGET_SPINNING).isTrue();
            Outcome.runsOnlyAt(cluster, a.vm(), a.source(), a.runningAtSource(offered ? 2 : 0));
            assertThat(cluster.slot(a.vm()).armedAcquire()).isEqualTo(ArmedWord.NONE);
            a.endsSound();
        });
    }

    /// Row 16: nobody but the dead target could go on with it.
    @ParameterizedTest
    @CsvSource({"TARGET_OWNS, KILL", "TARGET_OWNS, STOP", "TARGET_RUNNING, KILL", "TARGET_RUNNING, STOP"})
    void aTargetThatDiesAsOwnerTakesTheVmWithIt(HandoffPoint point, HaltAction action) {
        attack(a -> {
            a.halt(a.target(), point, action);
            a.begin();
            dies(a.target(), action);
            Outcome.isLost(cluster, a.vm(), a.runningAtTarget(1), NOT_PROTECTED);
        });
    }

    /// Rows 3 and 4: until its CAS to OFFERED the VM is the source's.
    @ParameterizedTest
    @CsvSource({"SOURCE_ORDERED, KILL", "SOURCE_ORDERED, STOP", "SOURCE_MARKED, KILL", "SOURCE_MARKED, STOP",
            "SOURCE_STOPPING, KILL", "SOURCE_STOPPING, STOP", "SOURCE_SAVED, KILL", "SOURCE_SAVED, STOP"})
    void aSourceThatDiesAsOwnerTakesTheVmWithIt(HandoffPoint point, HaltAction action) {
        attack(a -> {
            a.halt(a.source(), point, action);
            a.begin();
            CompletableFuture<Reply.Migrated> migration = a.migration();
            dies(a.source(), action);
            assertThatThrownBy(migration::join).hasMessageContaining(a.vm().name());
            Outcome.isLost(cluster, a.vm(), a.runningAtSource(0), NOT_PROTECTED);
        });
    }

    /// Rows 10 and 15: what is offered is complete, the source is not needed any more.
    @ParameterizedTest
    @CsvSource({"SOURCE_OFFERED, KILL", "SOURCE_OFFERED, STOP", "SOURCE_SEEN_RUNNING, KILL",
            "SOURCE_SEEN_RUNNING, STOP", "SOURCE_REAPED, KILL", "SOURCE_REAPED, STOP"})
    void theTargetRunsThoughTheSourceDiesAfterTheOffer(HandoffPoint point, HaltAction action) {
        attack(a -> {
            a.halt(a.source(), point, action);
            a.begin();
            CompletableFuture<Reply.Migrated> migration = a.migration();
            dies(a.source(), action);
            Outcome.runsOnlyAt(cluster, a.vm(), a.target(), a.runningAtTarget(1));
            assertThat(migration.join().vm().ownerHost()).isEqualTo(a.target());
            a.endsSound();
        });
    }

    /// Row 11: its state is whole in the region, so a third host runs it.
    @Test
    void anOfferedVmWithBothDeadGoesOnElsewhere() {
        attack(a -> {
            a.halt(a.source(), HandoffPoint.SOURCE_OFFERED, HaltAction.KILL);
            a.halt(a.target(), HandoffPoint.TARGET_SEEN, HaltAction.KILL);
            a.begin();
            dies(a.source(), HaltAction.KILL);
            dies(a.target(), HaltAction.KILL);
            String third = cluster.processes().spec().hosts().stream()
                    .filter(host -> !host.equals(a.source()) && !host.equals(a.target())).findFirst().orElseThrow();
            await("the third host runs it").atMost(ChaosCluster.PATIENCE)
                    .until(() -> OwnerWord.is(cluster.owner(a.vm()), OwnerState.RUNNING));
            // Fencing the source may have raised the epoch of the offer before.
            assertThat(OwnerWord.epoch(cluster.owner(a.vm()))).isGreaterThan(a.epoch() + 1);
            Outcome.runsOnlyAt(cluster, a.vm(), third,
                    Outcome.running(cluster.requireSlot(third), OwnerWord.epoch(cluster.owner(a.vm()))));
            a.endsSound();
        });
    }

    /// Row 6: the source takes back while the target has the checked state in hand; the target's CAS fails and it lets
    /// go.
    @Test
    void aTargetThatComesTooLateLosesItsCas() {
        attack(a -> {
            a.halt(a.target(), HandoffPoint.TARGET_TAKEN, HaltAction.HOLD);
            a.begin();
            CompletableFuture<Reply.Migrated> migration = a.migration();
            cluster.awaitHalted(a.target());
            Outcome.awaitOwner(cluster, a.vm(), a.runningAtSource(2));
            cluster.letGo(a.target());
            assertThatThrownBy(migration::join).hasMessageContaining(a.vm().name());
            Outcome.runsOnlyAt(cluster, a.vm(), a.source(), a.runningAtSource(2));
            assertThat(cluster.alive(a.target())).isTrue();
            a.endsSound();
        });
    }

    /// Row 7: a target that finds the state damaged gives the VM back at once.
    @Test
    void aDamagedStateSendsTheVmBack() {
        attack(a -> {
            a.halt(a.target(), HandoffPoint.TARGET_SEEN, HaltAction.HOLD);
            a.begin();
            CompletableFuture<Reply.Migrated> migration = a.migration();
            cluster.awaitHalted(a.target());
            MemorySegment payload = cluster.slot(a.vm()).metadata((int) (a.epoch() + 1 & 1)).payload();
            payload.set(ValueLayout.JAVA_BYTE, 100, (byte) ~payload.get(ValueLayout.JAVA_BYTE, 100));
            cluster.letGo(a.target());
            assertThatThrownBy(migration::join).hasMessageContaining(a.vm().name());
            Outcome.runsOnlyAt(cluster, a.vm(), a.source(), a.runningAtSource(2));
            a.endsSound();
        });
    }

    /// Row 9: fencing the source takes its right to take back away, which changes the word under the target's eyes; the
    /// target goes on all the same, and the source does nothing more.
    @Test
    void aFencedSourceCannotTakeBack() {
        attack(a -> {
            a.halt(a.source(), HandoffPoint.SOURCE_OFFERED, HaltAction.STOP);
            a.halt(a.target(), HandoffPoint.TARGET_SEEN, HaltAction.HOLD);
            a.begin();
            cluster.awaitHalted(a.target());
            long incarnation = SlotWord.incarnation(cluster.region().host(a.sourceSlot()).wordAcquire());
            assertThat(HostSlots.fence(cluster.region(), a.sourceSlot(), incarnation)).isTrue();
            assertThat(Recovery.withdrawTakeBack(cluster.region(), a.sourceSlot())).isEqualTo(1);
            cluster.processes().signal(a.source(), Linux.SIGCONT);
            cluster.letGo(a.target());
            Outcome.runsOnlyAt(cluster, a.vm(), a.target(), a.runningAtTarget(2));
            cluster.awaitStopped(a.source());
            a.endsSound();
        });
    }
}

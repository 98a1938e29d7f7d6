package io.tombolo.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.coordinator.zk.Versioned;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.os.Linux;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The leading coordinator dies, or is stopped for longer than its session, while a hand-off is under way. The other
/// one leads and brings the hand-off to its end, by the owner word alone.
class LeaderDeathTest {
    private static ChaosCluster cluster;

    @BeforeAll
    static void start() {
        cluster = ChaosCluster.start(spec -> spec.withHosts(List.of("ant", "bee")));
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    /// Rows 5 and 14. `held` is the side that waits at the moment until the leader is gone, and the epoch rises by
    /// `raised`, at the target if it is 1.
    @ParameterizedTest
    @CsvSource({"TARGET_PREPARED, KILL, 0", "TARGET_PREPARED, STOP, 0", "SOURCE_ORDERED, KILL, -1",
            "SOURCE_MARKED, STOP, -1", "SOURCE_SEEN_RUNNING, KILL, 1", "SOURCE_SEEN_RUNNING, STOP, 1",
            "SOURCE_REAPED, KILL, 1"})
    void theNextLeaderEndsTheHandOff(HandoffPoint point, HaltAction action, int raised) {
        Attack.on(cluster, a -> {
            String held = point.name().startsWith("TARGET") ? a.target() : a.source();
            a.halt(held, point, HaltAction.HOLD);
            a.begin();
            CompletableFuture<Reply.Migrated> migration = a.migration();
            String leader = cluster.leader();
            end(leader, action);
            await("another leader").atMost(ChaosCluster.PATIENCE).until(() -> !cluster.leader().equals(leader));
            cluster.letGo(held);
            await("the intent is closed").atMost(ChaosCluster.PATIENCE)
                    .until(() -> cluster.intent(a.vm()).isEmpty());
            // An order that is in the source's hand is carried out or not; the word says which.
            boolean switched = OwnerWord.slot(cluster.owner(a.vm())) == a.targetSlot();
            assertThat(switched).isEqualTo(raised < 0 ? switched : raised == 1);
            Outcome.runsOnlyAt(cluster, a.vm(), switched ? a.target() : a.source(),
                    switched ? a.runningAtTarget(1) : a.runningAtSource(0));
            wake(leader, action);
            assertThat(migration.handle((_, failure) -> failure).orTimeout(60, TimeUnit.SECONDS))
                    .succeedsWithin(ChaosCluster.PATIENCE);
            goesOn(a, switched);
            a.endsSound();
        });
    }

    /// A new migration works: the VM goes to the other side.
    private static void goesOn(Attack a, boolean switched) {
        String to = switched ? a.source() : a.target();
        cluster.migrateInTheEnd(a.vm(), to);
        Outcome.runsOnlyAt(cluster, a.vm(), to, cluster.owner(a.vm()));
    }

    private static void end(String leader, HaltAction action) {
        cluster.processes().signal(leader, action == HaltAction.KILL ? Linux.SIGKILL : Linux.SIGSTOP);
    }

    private static void wake(String leader, HaltAction action) {
        if (action == HaltAction.KILL) {
            cluster.awaitStopped(leader);
            cluster.processes().restart(leader);
        } else {
            cluster.processes().signal(leader, Linux.SIGCONT);
        }
    }

    /// Row 18: an intent that speaks of an epoch which the word never had is closed, and nothing else is done.
    @Test
    void aStaleIntentIsClosedAndNothingElseIsDone() {
        Attack.on(cluster, a -> {
            long word = cluster.owner(a.vm());
            long term = cluster.records().currentTerm();
            Versioned<VmRecord> record = cluster.records().vm(a.vm().name()).orElseThrow();
            cluster.records().openIntent(term, record, new IntentRecord(a.vm().name(), a.vm().slot(), a.source(),
                    a.sourceSlot(), a.target(), a.targetSlot(), OwnerWord.epoch(word) + 7, term, 0, 1));
            Outcome.runsOnlyAt(cluster, a.vm(), a.source(), word);
            a.endsSound();
        });
    }
}

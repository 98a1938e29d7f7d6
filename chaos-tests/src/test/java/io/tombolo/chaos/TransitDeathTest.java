package io.tombolo.chaos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.chaos.ChaosCluster.Vm;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.deploy.cluster.StopReason;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.os.Linux;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Source, target or leader die in the phases of a transit, in the middle of the moves of pages: by SIGKILL, or by
/// SIGSTOP, after which the watchdog kills a host. The guest dirties its memory all the time and checks it.
///
/// The moment is found in the region: some pages are local, and some are not.
class TransitDeathTest {
    private static final String LOCAL_PAGES = "VM_LOST_LOCAL_PAGES";
    private static final String NOT_PROTECTED = "VM_LOST_NOT_PROTECTED";
    private static final long MEMORY_BYTES = 64L << 20;
    private static final long PAGES = MEMORY_BYTES / 4096;
    private static final int CALL_MS = 60_000;
    private static final int TRIES = 10;
    private static final AtomicInteger VMS = new AtomicInteger();
    private static ChaosCluster cluster;

    /// Phases in which pages move.
    enum Phase {
        TO_SHARED, TO_LOCAL
    }

    /// Who dies.
    enum Victim {
        SOURCE, TARGET
    }

    @BeforeAll
    static void start() {
        cluster = ChaosCluster.start(spec -> spec.withLocalTierBytes(96L << 20));
    }

    @AfterAll
    static void stop() {
        if (cluster != null) {
            cluster.close();
        }
    }

    /// A VM in its source's own memory, on its way.
    private static final class Transit {
        final String source;
        final String target;
        final int sourceSlot;
        final int targetSlot;
        final Vm vm;
        final long epoch;
        CompletableFuture<Reply.Migrated> migration = new CompletableFuture<>();

        Transit(String source, String target) {
            this.source = source;
            this.target = target;
            this.sourceSlot = cluster.requireSlot(source);
            this.targetSlot = cluster.requireSlot(target);
            this.vm = cluster.create(new VmSpec("transit-" + VMS.incrementAndGet(), UUID.randomUUID(), "simulated",
                    MEMORY_BYTES, 1, "dirty", MEMORY_BYTES, "uniform", 20_26).withTier("local"), source);
            this.epoch = OwnerWord.epoch(cluster.owner(vm));
            assertThat(localPages()).isEqualTo(PAGES);
        }

        long localPages() {
            return cluster.slot(vm).localPagesAcquire();
        }

        void begin() {
            migration = migrate(vm, target);
        }

        /// True as soon as some of the pages have moved in that phase; false if the migration is over.
        boolean awaitMiddle(Phase phase) {
            long deadlineNs = System.nanoTime() + ChaosCluster.PATIENCE.toNanos();
            while (!migration.isDone()) {
                if (isInMiddle(phase)) {
                    return true;
                }
                if (System.nanoTime() - deadlineNs > 0) {
                    throw new AssertionError("no page moves " + phase + ": " + cluster.describe());
                }
                Thread.onSpinWait();
            }
            return false;
        }

        boolean isInMiddle(Phase phase) {
            long local = localPages();
            int at = phase == Phase.TO_SHARED ? sourceSlot : targetSlot;
            return local > 0 && local < PAGES && OwnerWord.slot(cluster.owner(vm)) == at
                    && OwnerWord.is(cluster.owner(vm), OwnerState.RUNNING);
        }

        /// Whether it is lost, and not at a living host, when its owner's death has had its effect.
        boolean isLostInTheEnd() {
            await(vm.name() + " is lost, or at a living host").atMost(ChaosCluster.PATIENCE).until(() -> {
                long owner = cluster.owner(vm);
                int slot = OwnerWord.slot(owner);
                return OwnerWord.is(owner, OwnerState.LOST) || (OwnerWord.is(owner, OwnerState.RUNNING)
                        && cluster.hosts().stream()
                                .anyMatch(host -> host.slot() == slot && cluster.alive(host.name())));
            });
            return OwnerWord.is(cluster.owner(vm), OwnerState.LOST);
        }

        /// By the time its host died all of its pages may have come to shared memory.
        void isLostWithItsPages(long word) {
            Outcome.isLost(cluster, vm, word, localPages() > 0 ? LOCAL_PAGES : NOT_PROTECTED);
        }

        /// Wherever it runs, its memory is sound.
        void endsSound() {
            Guests.sound(cluster, vm);
            assertThat(cluster.verify().findings()).isEmpty();
            cluster.destroy(vm);
        }
    }

    private static CompletableFuture<Reply.Migrated> migrate(Vm vm, String host) {
        return CompletableFuture.supplyAsync(() -> cluster.client().call(
                new CoordinatorRequest.VmMigrate(vm.name(), host, MigrateMode.TRANSIT, 0), Reply.Migrated.class,
                CALL_MS));
    }

    /// As a person would: again, when nothing happened.
    private static void migrateInTheEnd(Vm vm, String host) {
        for (int i = 1;; i++) {
            try {
                migrate(vm, host).join();
                return;
            } catch (CompletionException e) {
                if (i == TRIES) {
                    throw e;
                }
            }
        }
    }

    /// Runs an attack until it hits its moment: it returns false if that was over before the signal came.
    private static void attack(Predicate<Transit> test) {
        for (int i = 0; i < TRIES; i++) {
            String source = cluster.lend();
            String target = cluster.lend();
            try {
                boolean hit = test.test(new Transit(source, target));
                assertThat(cluster.verify().findings()).isEmpty();
                if (hit) {
                    return;
                }
            } finally {
                cluster.giveBack(source);
                cluster.giveBack(target);
            }
        }
        throw new AssertionError("the moment was missed " + TRIES + " times");
    }

    private static int signal(HaltAction action) {
        return action == HaltAction.KILL ? Linux.SIGKILL : Linux.SIGSTOP;
    }

    private static void dies(String host, HaltAction action) {
        assertThat(cluster.awaitStopped(host).reason())
                .isEqualTo(action == HaltAction.STOP ? StopReason.WATCHDOG : StopReason.EXITED);
    }

    @ParameterizedTest
    @CsvSource({"TO_SHARED, SOURCE, KILL", "TO_SHARED, SOURCE, STOP", "TO_SHARED, TARGET, KILL",
            "TO_SHARED, TARGET, STOP", "TO_LOCAL, SOURCE, KILL", "TO_LOCAL, SOURCE, STOP", "TO_LOCAL, TARGET, KILL",
            "TO_LOCAL, TARGET, STOP"})
    void aHostThatDiesWhilePagesMove(Phase phase, Victim victim, HaltAction action) {
        attack(t -> {
            String host = victim == Victim.SOURCE ? t.source : t.target;
            t.begin();
            boolean middle = t.awaitMiddle(phase);
            if (!middle) {
                endUnhit(t);
                return false;
            }
            cluster.processes().signal(host, signal(action));
            dies(host, action);
            if (phase == Phase.TO_SHARED && victim == Victim.SOURCE) {
                // It may have offered the VM before the signal came.
                if (!t.isLostInTheEnd()) {
                    return false;
                }
                assertThatThrownBy(t.migration::join).isInstanceOf(CompletionException.class);
                t.isLostWithItsPages(Outcome.running(t.sourceSlot, t.epoch));
            } else if (phase == Phase.TO_LOCAL && victim == Victim.TARGET) {
                if (!t.isLostInTheEnd()) {
                    return false;
                }
                assertThatThrownBy(t.migration::join).isInstanceOf(CompletionException.class);
                t.isLostWithItsPages(Outcome.running(t.targetSlot, t.epoch + 1));
            } else if (phase == Phase.TO_SHARED) {
                // The pages of a VM that cannot go anywhere stay where they are by then. When all of them have moved
                // and no hand-off has begun, it is the target that is refused.
                assertThatThrownBy(t.migration::join)
                        .hasMessageFindingMatch(t.vm.name() + "\\b|HOST_DEAD: .*host=" + t.target + "\\b");
                boolean offered = OwnerWord.epoch(cluster.owner(t.vm)) > t.epoch + cluster.renewals(t.vm);
                Outcome.runsOnlyAt(cluster, t.vm, t.source, Outcome.running(t.sourceSlot, t.epoch + (offered ? 2 : 0)));
                t.endsSound();
            } else {
                // The source is not needed any more.
                assertThat(t.migration.join().vm().ownerHost()).isEqualTo(t.target);
                Outcome.runsOnlyAt(cluster, t.vm, t.target, Outcome.running(t.targetSlot, t.epoch + 1));
                assertThat(t.localPages()).isEqualTo(PAGES);
                t.endsSound();
            }
            return true;
        });
    }

    private static void endUnhit(Transit t) {
        assertThat(t.migration.handle((_, failure) -> failure)).succeedsWithin(ChaosCluster.PATIENCE);
        t.endsSound();
    }

    /// The hand-off in the middle of a transit ends as one without: with the pages in shared memory nothing is lost by
    /// either death, and it is the owner word that says who may go on.
    @ParameterizedTest
    @CsvSource({"TARGET_TAKEN, KILL", "SOURCE_SAVED, KILL", "SOURCE_OFFERED, STOP"})
    void aHostThatDiesInTheHandOff(HandoffPoint point, HaltAction action) {
        attack(t -> {
            String host = point.name().startsWith("TARGET") ? t.target : t.source;
            cluster.haltAt(host, point, action);
            t.begin();
            await("the moment").atMost(ChaosCluster.PATIENCE)
                    .until(() -> cluster.halted(host) || t.migration.isDone());
            if (!cluster.halted(host)) {
                cluster.forgetOrder(host);
                endUnhit(t);
                return false;
            }
            dies(host, action);
            switch (point) {
                case TARGET_TAKEN -> {
                    assertThatThrownBy(t.migration::join).hasMessageContaining(t.vm.name());
                    Outcome.runsOnlyAt(cluster, t.vm, t.source, Outcome.running(t.sourceSlot, t.epoch + 2));
                    assertThat(t.localPages()).isZero();
                    t.endsSound();
                }
                case SOURCE_SAVED -> {
                    assertThatThrownBy(t.migration::join).isInstanceOf(CompletionException.class);
                    assertThat(t.localPages()).isZero();
                    Outcome.isLost(cluster, t.vm, Outcome.running(t.sourceSlot, t.epoch), NOT_PROTECTED);
                }
                default -> {
                    Outcome.runsOnlyAt(cluster, t.vm, t.target, Outcome.running(t.targetSlot, t.epoch + 1));
                    assertThat(t.migration.join().vm().ownerHost()).isEqualTo(t.target);
                    assertThat(t.localPages()).isEqualTo(PAGES);
                    t.endsSound();
                }
            }
            return true;
        });
    }

    /// Nobody goes on with the transit; the VM runs where it is, and the command can be given again.
    @ParameterizedTest
    @CsvSource({"TO_SHARED, KILL", "TO_SHARED, STOP", "TO_LOCAL, KILL", "TO_LOCAL, STOP"})
    void aLeaderThatDiesWhilePagesMove(Phase phase, HaltAction action) {
        attack(t -> {
            String leader = cluster.leader();
            t.begin();
            if (!t.awaitMiddle(phase)) {
                endUnhit(t);
                return false;
            }
            cluster.processes().signal(leader, signal(action));
            await("another leader").atMost(ChaosCluster.PATIENCE).until(() -> !cluster.leader().equals(leader));
            await("the intent is closed").atMost(ChaosCluster.PATIENCE)
                    .until(() -> cluster.intent(t.vm).isEmpty());
            boolean switched = OwnerWord.slot(cluster.owner(t.vm)) == t.targetSlot;
            Outcome.runsOnlyAt(cluster, t.vm, switched ? t.target : t.source,
                    Outcome.running(switched ? t.targetSlot : t.sourceSlot, t.epoch + (switched ? 1 : 0)));
            wake(leader, action);
            assertThat(t.migration.handle((_, failure) -> failure)).succeedsWithin(ChaosCluster.PATIENCE);

            switched = OwnerWord.slot(cluster.owner(t.vm)) == t.targetSlot;
            String to = switched ? t.source : t.target;
            migrateInTheEnd(t.vm, to);
            Outcome.runsOnlyAt(cluster, t.vm, to, cluster.owner(t.vm));
            t.endsSound();
            return true;
        });
    }

    private static void wake(String leader, HaltAction action) {
        if (action == HaltAction.KILL) {
            cluster.awaitStopped(leader);
            cluster.processes().restart(leader);
        } else {
            cluster.processes().signal(leader, Linux.SIGCONT);
        }
    }

    /// Wherever the VM is by then, it runs on there, and nothing keeps it from going.
    @ParameterizedTest
    @EnumSource(Phase.class)
    void aCancelLeavesItRunningWhereItIs(Phase phase) {
        attack(t -> {
            t.begin();
            if (!t.awaitMiddle(phase)) {
                endUnhit(t);
                return false;
            }
            Reply.MigrateCancelled cancelled;
            try {
                cancelled = cluster.client().call(new CoordinatorRequest.VmMigrateCancel(t.vm.name()),
                        Reply.MigrateCancelled.class, CALL_MS);
            } catch (RuntimeException e) {
                assertThat(e).hasMessageContaining("MIGRATION_NOT_RUNNING");
                endUnhit(t);
                return false;
            }
            boolean switched = OwnerWord.slot(cluster.owner(t.vm)) == t.targetSlot;
            String at = switched ? t.target : t.source;
            assertThat(cancelled.vm().ownerHost()).isEqualTo(at);
            Outcome.runsOnlyAt(cluster, t.vm, at, cluster.owner(t.vm));
            String to = switched ? t.source : t.target;
            migrateInTheEnd(t.vm, to);
            Outcome.runsOnlyAt(cluster, t.vm, to, cluster.owner(t.vm));
            t.endsSound();
            return cancelled.cancelled();
        });
    }
}

package io.tombolo.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.HostPorts.WindowEnd;
import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.GuestStatus;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.HostState;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.SlotWord;
import io.tombolo.region.WatchdogBound;
import io.tombolo.region.os.Linux;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A host dies, and another goes on with its VMs: everything real but the network, ZooKeeper and the death, which is
/// that all its threads stop where they are and nothing is put in order.
@Timeout(60)
final class TakeoverBetweenAgentsTest {
    private static final UUID CLUSTER = new UUID(3, 4);
    private static final VmSpec SPEC = new VmSpec("vm", new UUID(5, 6), SimulatedHypervisor.NAME, 1 << 20, 1, "kv",
            1 << 20, "uniform", 7);
    private static final long MS = 1_000_000;
    private static final long TERM = 1;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    private Path directory;

    private Region region;
    private TestAgent ant;
    private TestAgent bee;
    private TestAgent cat;

    @BeforeEach
    void start() {
        Path file = directory.resolve("region");
        Region.format(file, FormatOptions.of(CLUSTER, 16 << 20).withHostSlots(4).withVmSlots(2)
                .withMetadataSlotBytes(1 << 14));
        region = Region.open(file, OpenOptions.ofCluster(CLUSTER));
        ant = new TestAgent("ant");
        bee = new TestAgent("bee");
        cat = new TestAgent("cat");
    }

    @AfterEach
    void stop() {
        ant.close();
        bee.close();
        cat.close();
        region.close();
    }

    @Test
    void aProtectedVmGoesOnFromItsLastCommitWithEverythingThatWasAnswered() {
        create(SPEC.withProtection(2_000));
        for (int key = 0; key < 20; key++) {
            assertThat(call(ant, 1, key + 1, "kv-write", key, 100 + key).status()).isEqualTo(GuestStatus.OK);
        }
        ant.die();
        fence(bee, ant);
        long epoch = takeOver(bee, SPEC.withProtection(2_000));

        assertThat(state(bee).phase()).isEqualTo("WAITING");
        assertThat(state(bee).inDoubt()).containsExactly(ant.claimed.slot() + "#" + ant.claimed.incarnation());
        assertThat(owner()).isEqualTo(OwnerWord.pack(OwnerState.RECOVERING, bee.claimed.slot(), epoch));

        confirm(bee, ant);
        awaitPhase(bee, "RUNNING");
        for (int key = 0; key < 20; key++) {
            assertThat(call(bee, 2, key + 1, "kv-read", key).values()).contains(100L + key);
        }
        // A repeat is recognised: what was executed once is not executed again.
        assertThat(call(bee, 1, 20, "kv-write", 19, 119).status()).isEqualTo(GuestStatus.OK);
        Reply.TakeoverState end = state(bee);
        assertThat(end.begunNs()).isLessThan(end.confirmedNs());
        assertThat(end.confirmedNs()).isLessThanOrEqualTo(end.recoveredNs());
        assertThat(end.recoveredNs()).isLessThanOrEqualTo(end.runningNs());
        Reply.VmReply shown = ask(bee, new AgentRequest.ShowVm("vm"), Reply.VmReply.class);
        assertThat(shown.vm().protection().isProtected()).isTrue();
        assertThat(shown.vm().ownerState()).isEqualTo("RUNNING");
    }

    @Test
    void aVmThatWasNotProtectedIsLostAndCanBeRestartedInItsSlot() {
        create(SPEC);
        ant.die();
        fence(bee, ant);
        takeOver(bee, SPEC);
        confirm(cat, ant);
        awaitPhase(bee, "LOST");
        assertThat(state(bee).reason()).isEqualTo("VM_LOST_NOT_PROTECTED");
        assertThat(OwnerWord.state(owner())).isEqualTo(OwnerState.LOST);

        ask(cat, new AgentRequest.RestartVm(TERM, SPEC, 0), Reply.VmReply.class);
        assertThat(OwnerWord.state(owner())).isEqualTo(OwnerState.RUNNING);
        assertThat(OwnerWord.slot(owner())).isEqualTo(cat.claimed.slot());
        assertThat(call(cat, 1, 1, "kv-write", 1, 2).status()).isEqualTo(GuestStatus.OK);
    }

    @Test
    void aLostVmIsDestroyedByAnyHost() {
        create(SPEC);
        ant.die();
        fence(bee, ant);
        confirm(bee, ant);
        takeOver(bee, SPEC);
        awaitPhase(bee, "LOST");
        ask(cat, new AgentRequest.DestroyVm(TERM, "vm", 0), Reply.Ack.class);
        assertThat(OwnerWord.state(owner())).isEqualTo(OwnerState.FREE);
        ask(cat, new AgentRequest.FreeHost(TERM, ant.claimed.slot(), ant.claimed.incarnation()), Reply.Ack.class);
        assertThat(SlotWord.state(region.host(ant.claimed.slot()).wordAcquire())).isEqualTo(HostState.FREE);
    }

    @Test
    void aPausedVmStaysPausedAlsoUnprotectedAndRunsWhenItIsResumed() {
        create(SPEC);
        assertThat(call(ant, 1, 1, "kv-write", 3, 33).status()).isEqualTo(GuestStatus.OK);
        ask(ant, new AgentRequest.PauseVm(TERM, "vm", 0), Reply.VmReply.class);
        ant.die();
        fence(bee, ant);
        confirm(bee, ant);
        takeOver(bee, SPEC);
        awaitPhase(bee, "PAUSED");
        assertThat(OwnerWord.state(owner())).isEqualTo(OwnerState.PAUSED);
        ask(bee, new AgentRequest.ResumeVm(TERM, "vm", 0), Reply.VmReply.class);
        assertThat(call(bee, 2, 1, "kv-read", 3).values()).contains(33L);
    }

    @Test
    void anotherHostGoesOnWhenTheOneThatTookItOverDiesBeforeTheConfirmation() {
        VmSpec spec = SPEC.withProtection(2_000);
        create(spec);
        assertThat(call(ant, 1, 1, "kv-write", 3, 33).status()).isEqualTo(GuestStatus.OK);
        ant.die();
        fence(bee, ant);
        takeOver(bee, spec);
        bee.die();
        fence(cat, bee);
        takeOver(cat, spec);
        await().atMost(PATIENCE).until(() -> state(cat).inDoubt().size() == 2);
        confirm(cat, bee);
        await().atMost(PATIENCE).until(() -> state(cat).inDoubt().size() == 1);
        assertThat(state(cat).phase()).isEqualTo("WAITING");
        confirm(cat, ant);
        awaitPhase(cat, "RUNNING");
        assertThat(call(cat, 2, 1, "kv-read", 3).values()).contains(33L);
    }

    @Test
    void twoHostsThatAreOrderedAtOnceDoNotBothTakeIt() {
        VmSpec spec = SPEC.withProtection(2_000);
        create(spec);
        ant.die();
        fence(bee, ant);
        long epoch = OwnerWord.epoch(owner());
        CompletableFuture<? extends Reply> one = serve(bee, new AgentRequest.TakeOver(TERM, spec, 0, epoch));
        CompletableFuture<? extends Reply> two = serve(cat, new AgentRequest.TakeOver(TERM, spec, 0, epoch));
        await().atMost(PATIENCE).until(() -> one.isDone() && two.isDone());
        assertThat(one.isCompletedExceptionally()).isNotEqualTo(two.isCompletedExceptionally());
        confirm(bee, ant);
        TestAgent winner = one.isCompletedExceptionally() ? cat : bee;
        awaitPhase(winner, "RUNNING");
        assertThat(OwnerWord.slot(owner())).isEqualTo(winner.claimed.slot());
    }

    @Test
    void aFencedHostThatComesBackTouchesNothing() {
        create(SPEC.withProtection(2_000));
        fence(bee, ant);
        takeOver(bee, SPEC.withProtection(2_000));
        // It was not dead: it finds its slot word fenced and its commit word sealed.
        await().atMost(PATIENCE).until(() -> !ant.executes());
        assertThat(OwnerWord.slot(owner())).isEqualTo(bee.claimed.slot());
        ant.die();
        confirm(bee, ant);
        awaitPhase(bee, "RUNNING");
        assertThat(call(bee, 1, 1, "kv-write", 1, 2).status()).isEqualTo(GuestStatus.OK);
    }

    // ---- helpers

    private void create(VmSpec spec) {
        ask(ant, new AgentRequest.CreateVm(TERM, 0, spec), Reply.VmReply.class);
    }

    private void fence(TestAgent by, TestAgent whom) {
        ask(by, new AgentRequest.FenceHost(TERM, whom.claimed.slot(), whom.claimed.incarnation()), Reply.Ack.class);
        assertThat(SlotWord.state(region.host(whom.claimed.slot()).wordAcquire())).isNotEqualTo(HostState.LIVE);
    }

    private void confirm(TestAgent by, TestAgent whom) {
        ask(by, new AgentRequest.ConfirmStopped(TERM, whom.claimed.slot(), whom.claimed.incarnation(), "test"),
                Reply.Ack.class);
    }

    private long takeOver(TestAgent by, VmSpec spec) {
        return ask(by, new AgentRequest.TakeOver(TERM, spec, 0, OwnerWord.epoch(owner())),
                Reply.TakeoverStarted.class).epoch();
    }

    private static Reply.TakeoverState state(TestAgent agent) {
        return ask(agent, new AgentRequest.AskTakeover(0), Reply.TakeoverState.class);
    }

    private static void awaitPhase(TestAgent agent, String phase) {
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(state(agent).phase()).isEqualTo(phase));
    }

    private static Reply.GuestReply call(TestAgent agent, long client, long seq, String op, long... args) {
        return ask(agent, new AgentRequest.GuestCall("vm", client, seq, op,
                java.util.Arrays.stream(args).boxed().toList()), Reply.GuestReply.class);
    }

    private long owner() {
        return region.vm(0).ownerAcquire();
    }

    private static CompletableFuture<? extends Reply> serve(TestAgent agent, AgentRequest request) {
        try {
            return agent.service.handle(request, null);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static <T extends Reply> T ask(TestAgent agent, AgentRequest request, Class<T> type) {
        CompletableFuture<? extends Reply> reply = serve(agent, request);
        assertThat(reply).succeedsWithin(PATIENCE);
        return type.cast(reply.join());
    }

    /// An agent without network, membership and supervisor.
    private final class TestAgent implements AgentService.HostView, AutoCloseable {
        private final String name;
        private final ClaimedSlot claimed;
        private final HostCore host;
        private final SimulatedHypervisor driver;
        private final HostedVms vms;
        private final AgentService service;

        TestAgent(String name) {
            this.name = name;
            this.claimed = HostSlots.claim(region, new HostIdentity(UUID.randomUUID(), name, Linux.bootId(),
                    ProcessHandle.current().pid(), WatchdogBound.UNKNOWN));
            this.host = LastingRight.host(region, claimed, _ -> {
            }, (_, _, _, _, _) -> CompletableFuture.completedFuture(WindowEnd.UNKNOWN));
            this.driver = new SimulatedHypervisor(region, claimed.slot(), directory);
            this.vms = new HostedVms(region, host, List.of(driver),
                    _ -> new HandoffBounds(new SourceCore.Bounds(5_000 * MS, 10_000 * MS, 5_000 * MS), 60_000 * MS,
                            1_000 * MS, 50_000, 1_000 * MS),
                    () -> 0, _ -> {
                    });
            TermGuard terms = new TermGuard();
            this.service = new AgentService(vms, terms, this, new PageRequests(Optional.empty()),
                    new HostFailures(region, vms, host, terms));
        }

        boolean executes() {
            return vms.hosted().stream().anyMatch(vm -> vm.facts().running());
        }

        /// All its threads stop where they are.
        void die() {
            vms.all().forEach(vm -> vm.abandon().join());
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public long incarnation() {
            return claimed.incarnation();
        }

        @Override
        public Reply.HostReply describe() {
            throw new UnsupportedOperationException("nobody asks");
        }

        @Override
        public String hostName(int slot) {
            return slot == claimed.slot() ? name : "other";
        }

        @Override
        public void close() {
            die();
            host.close();
            driver.close();
        }
    }
}

package io.tombolo.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.HostPorts.PageLink;
import io.tombolo.agent.handoff.HostPorts.Peer;
import io.tombolo.agent.handoff.HostPorts.WindowEnd;
import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.agent.pages.HugePages;
import io.tombolo.agent.pages.LocalTier;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.agent.sim.MemoryComparison;
import io.tombolo.agent.sim.PagedMemory;
import io.tombolo.agent.sim.ReferenceRun;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageSize;
import io.tombolo.region.PageTable;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.Region;
import io.tombolo.region.RegionVerifier;
import io.tombolo.region.TomboloException;
import io.tombolo.region.WatchdogBound;
import io.tombolo.region.os.Linux;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A VM whose pages are sent from one agent to another, with everything real but the network and ZooKeeper.
final class CopyBetweenAgentsTest {
    private static final UUID CLUSTER = new UUID(3, 4);
    private static final int BYTES = 8 << 20;
    private static final long PAGES = BYTES / 4096;
    private static final long MS = 1_000_000;
    private static final long TERM = 1;
    private static final long NONCE = 99;
    private static final int DOWNTIME_MS = 300;
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir
    Path directory;

    private VmSpec spec = spec(4096);
    private Region region;
    private TestAgent ant;
    private TestAgent bee;

    private static VmSpec spec(int pageBytes) {
        return new VmSpec("vm", new UUID(5, 6), SimulatedHypervisor.NAME, BYTES, 1, "dirty", BYTES / 2, "uniform", 7)
                .withTier("local").withPageBytes(pageBytes);
    }

    @BeforeEach
    void start() {
        Path file = directory.resolve("region");
        Region.format(file, FormatOptions.of(CLUSTER, 16 << 20).withHostSlots(2).withVmSlots(2)
                .withMetadataSlotBytes(1 << 13));
        region = Region.open(file, OpenOptions.ofCluster(CLUSTER));
        ant = new TestAgent("ant", 2 * BYTES);
        bee = new TestAgent("bee", 2 * BYTES);
        ant.peer = bee;
        bee.peer = ant;
    }

    @AfterEach
    void stop() {
        ant.close();
        bee.close();
        region.close();
    }

    private void create() {
        ask(ant, new AgentRequest.CreateVm(TERM, 0, spec), Reply.VmReply.class);
    }

    @Test
    void aGuestThatDirtiesAllTheTimeIsByteIdenticalAfterItsCopies() {
        create();
        awaitProgress(ant);
        for (int hop = 1; hop <= 4; hop++) {
            Reply.CopySwitched done = copyOver(ant, bee, hop);

            assertThat(done.report().outcome()).isEqualTo(HandoffOutcome.COMPLETED);
            assertThat(done.report().downtimeNs()).isPositive().isLessThan(1_500 * MS);
            assertThat(done.copy().rounds()).isGreaterThanOrEqualTo(2);
            assertThat(done.copy().pages()).isEqualTo(PAGES);
            // Read here and stored there, all pages and what was sent again.
            assertThat(done.report().bytesCopied()).isEqualTo(2 * 4096 * done.copy().pagesSent());
            assertThat(done.copy().pagesSent()).isGreaterThan(PAGES);
            assertThat(done.copy().bytesSent()).isPositive().isLessThanOrEqualTo(4096 * done.copy().pagesSent());
            assertThat(ant.local.freeFrames()).isEqualTo(2 * PAGES);
            assertThat(bee.local.freeFrames()).isEqualTo(PAGES);
            assertThat(region.vm(0).localPagesAcquire()).isEqualTo(PAGES);
            assertThat(region.vm(0).gate().isClosed()).isFalse();
            assertThat(RegionVerifier.verify(region).findings()).isEmpty();
            awaitProgress(bee);
            swap();
        }
        assertIdentical(ant);
    }

    @Test
    void aVmOfLargePagesIsByteIdenticalAfterItsCopy() {
        spec = spec(PageSize.LARGE.bytes());
        create();
        awaitProgress(ant);

        Reply.CopySwitched done = copyOver(ant, bee, 1);

        assertThat(done.copy().pages()).isEqualTo(BYTES / PageSize.LARGE.bytes());
        awaitProgress(bee);
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
        assertIdentical(bee);
    }

    @Test
    void pagesInSharedMemoryStayWhereTheyAre() {
        create();
        HostPages pages = new HostPages(region, ant.vms, ant.host.board(), ant.local, ant.copier);
        var _ = MovesAgain.move(pages, "vm", 0, 1_000, 0, 0);

        Reply.CopySwitched done = copyOver(ant, bee, 1);

        assertThat(done.copy().pages()).isEqualTo(PAGES - 1_000);
        assertThat(region.vm(0).localPagesAcquire()).isEqualTo(PAGES - 1_000);
        assertThat(bee.local.freeFrames()).isEqualTo(2 * PAGES - (PAGES - 1_000));
        assertThat(ant.local.freeFrames()).isEqualTo(2 * PAGES);
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
        assertIdentical(bee);
    }

    @Test
    void anOfferWithCopiedPagesIsWholeForVerifyAtEveryPoint() {
        create();
        AtomicInteger looked = new AtomicInteger();
        Consumer<HandoffPoint> look = point -> {
            if (point == HandoffPoint.SOURCE_OFFERED || point == HandoffPoint.TARGET_SEEN
                    || point == HandoffPoint.TARGET_CLAIMED || point == HandoffPoint.TARGET_OWNS) {
                looked.incrementAndGet();
                assertThat(RegionVerifier.verify(region).findings()).isEmpty();
            }
        };
        bee.atPoint = look;

        assertThat(copyOver(ant, bee, 1).report().outcome()).isEqualTo(HandoffOutcome.COMPLETED);
        assertThat(looked.get()).isGreaterThanOrEqualTo(3);
    }

    @Test
    void aGuestThatDirtiesFasterThanPagesAreSentStaysWhereItIs() {
        create();
        ant.delayMs = 5;

        TomboloException failure = refusal(order(ant, bee, 1, 1, 400));

        assertThat(failure.code()).isEqualTo(CoordinatorError.MIGRATE_NOT_CONVERGED);
        assertThat(failure.facts().get("reason")).contains("downtime limit of 1 ms");
        assertRunsOnAtAnt(1);
    }

    @Test
    void aCancelInTheMiddleOfARoundLeavesTheSourceRunning() {
        create();
        ant.delayMs = 20;
        prepare(ant, bee, 1);
        CompletableFuture<? extends Reply> order = ant.service.handle(switchCopy(ant, bee, 1, DOWNTIME_MS, 60_000),
                null);
        await().atMost(PATIENCE).until(() -> ask(ant, new AgentRequest.AskCopy(0, 1), Reply.CopyProgress.class)
                .pagesDone() > 0);

        Reply.Cancelled cancelled = cancel(ant, 1);

        assertThat(cancelled.armed()).isFalse();
        assertThat(order).failsWithin(PATIENCE);
        assertRunsOnAtAnt(1);
    }

    @Test
    void aCancelWhileTheGuestStandsStillLetsItRunAgain() {
        create();
        CompletableFuture<Void> reached = new CompletableFuture<>();
        ant.atPoint = point -> {
            if (point == HandoffPoint.SOURCE_REST) {
                ant.stuck = true;
                reached.complete(null);
            }
        };
        prepare(ant, bee, 1);
        CompletableFuture<? extends Reply> order = ant.service.handle(switchCopy(ant, bee, 1, DOWNTIME_MS, 60_000),
                null);
        assertThat(reached).succeedsWithin(PATIENCE);

        cancel(ant, 1);

        assertThat(order).failsWithin(Duration.ofSeconds(1));
        assertRunsOnAtAnt(1);
    }

    @Test
    void aLastRoundThatDoesNotEndIsGivenUp() {
        create();
        ant.atPoint = point -> ant.stuck |= point == HandoffPoint.SOURCE_REST;

        TomboloException failure = refusal(order(ant, bee, 1, 50, 60_000));

        assertThat(failure.code()).isEqualTo(CoordinatorError.MIGRATE_COPY_FAILED);
        assertRunsOnAtAnt(1);
    }

    @Test
    void aTargetThatDiesInTheMiddleCostsTheSourceNothing() {
        create();
        ant.messagesUntilDeath.set(2);

        TomboloException failure = refusal(order(ant, bee, 1, DOWNTIME_MS, 60_000));

        assertThat(failure.code()).isEqualTo(CoordinatorError.MIGRATE_COPY_FAILED);
        assertRunsOnAtAnt(1);
    }

    @Test
    void aTargetWithoutRoomRefusesBeforeAnythingIsSent() {
        create();
        long[] frames = new long[(int) PAGES + 1];
        assertThat(bee.local.take(PageSize.SMALL, frames.length, frames)).isEqualTo(frames.length);

        CompletableFuture<? extends Reply> reply = bee.service.handle(prepareCopy(ant, bee, 1), null);

        assertThat(reply).failsWithin(PATIENCE);
        assertThat(Errors.codeOf(reply.exceptionNow())).isEqualTo("LOCAL_TIER_FULL");
        assertThat(bee.local.freeFrames()).isEqualTo(PAGES - 1);
        assertThat(bee.vms.all()).isEmpty();
    }

    @Test
    void aTargetThatExpectsNoPagesTakesNone() {
        create();
        long epoch = OwnerWord.epoch(region.vm(0).ownerAcquire());
        ask(bee, new AgentRequest.PrepareTarget(TERM, 1, spec, 0, epoch, ant.claimed.slot(), ant.name, NONCE),
                Reply.Prepared.class);

        CompletableFuture<? extends Reply> order = ant.service.handle(switchCopy(ant, bee, 1, DOWNTIME_MS, 60_000),
                null);

        assertThat(order).failsWithin(PATIENCE);
        assertRunsOnAtAnt(1);
    }

    @Test
    void aSourceTakesTheVmBackWithItsPagesAsTheyWere() {
        create();
        bee.atPoint = point -> {
            if (point == HandoffPoint.TARGET_TAKEN) {
                await().atMost(PATIENCE).until(() -> OwnerWord.is(region.vm(0).ownerAcquire(), OwnerState.RUNNING));
            }
        };

        Reply.CopySwitched done = copyOver(ant, bee, 1);

        assertThat(done.report().outcome()).isEqualTo(HandoffOutcome.TAKEN_BACK);
        assertRunsOnAtAnt(1);
        bee.atPoint = _ -> {
        };
        assertThat(copyOver(ant, bee, 2).report().outcome()).isEqualTo(HandoffOutcome.COMPLETED);
        assertIdentical(bee);
    }

    /// The target has claimed the VM and replaced some entries when it finds one that it cannot replace.
    @Test
    void aTargetThatCannotPutItsFramesInGivesTheVmBackAsItWas() {
        create();
        PageTable table = region.vm(0).pageTable();
        long[] before = new long[1];
        bee.atPoint = point -> {
            if (point == HandoffPoint.TARGET_CLAIMED) {
                before[0] = PageTableEntry.frame(table.entryAcquire(0));
                long entry = table.entryAcquire(100);
                table.compareAndSet(100, entry, PageTableEntry.with(entry, PteState.MIGRATING));
            }
        };

        Reply.CopySwitched done = copyOver(ant, bee, 1);

        assertThat(done.report().outcome()).isEqualTo(HandoffOutcome.TAKEN_BACK);
        assertThat(PageTableEntry.frame(table.entryAcquire(0))).isEqualTo(before[0]);
        long marked = table.entryAcquire(100);
        assertThat(table.compareAndSet(100, marked, PageTableEntry.with(marked, PteState.PRESENT))).isTrue();
        bee.atPoint = _ -> {
        };
        assertRunsOnAtAnt(1);
        assertThat(copyOver(ant, bee, 2).report().outcome()).isEqualTo(HandoffOutcome.COMPLETED);
        assertIdentical(bee);
    }

    // ---- what holds

    /// The VM runs at ant as if nothing had been tried, bee has nothing of it, and the next copy works.
    private void assertRunsOnAtAnt(long intentSeq) {
        assertThat(OwnerWord.is(region.vm(0).ownerAcquire(), OwnerState.RUNNING)).isTrue();
        assertThat(OwnerWord.slot(region.vm(0).ownerAcquire())).isEqualTo(ant.claimed.slot());
        awaitProgress(ant);
        cancel(bee, intentSeq);
        await().atMost(PATIENCE).until(() -> bee.vms.all().isEmpty());
        assertThat(bee.local.freeFrames()).isEqualTo(2 * PAGES);
        assertThat(ant.local.freeFrames()).isEqualTo(PAGES);
        assertThat(region.vm(0).gate().isClosed()).isFalse();
        assertThat(RegionVerifier.verify(region).findings()).isEmpty();
        ant.delayMs = 0;
        ant.stuck = false;
        ant.messagesUntilDeath.set(Long.MAX_VALUE);
        ant.atPoint = _ -> {
        };
    }

    private void assertIdentical(TestAgent at) {
        VmStatus paused = ask(at, new AgentRequest.PauseVm(TERM, "vm", 0), Reply.VmReply.class).vm();
        VmPages pages = at.vms.byName("vm").pages().orElseThrow();
        GuestSpec guest = SimulatedHypervisor.guestSpec(spec);
        long[] instructions = paused.instructions().stream().mapToLong(Long::longValue).toArray();
        PagedMemory memory = PagedMemory.of(pages, (page, entry) -> {
            throw new AssertionError("page " + page + " is not present: " + entry);
        });
        try (ReferenceRun reference = ReferenceRun.compute(guest, instructions, List.of(), directory)) {
            assertThat(MemoryComparison.compare(memory, reference.memory(), at.copier).identical()).isTrue();
        }
    }

    private void awaitProgress(TestAgent agent) {
        long before = instructions(agent);
        await().atMost(PATIENCE).until(() -> instructions(agent) > before + 10_000);
    }

    private static long instructions(TestAgent agent) {
        return ask(agent, new AgentRequest.ShowVm("vm"), Reply.VmReply.class).vm().instructions().getFirst();
    }

    // ---- what is asked

    private void swap() {
        TestAgent former = ant;
        ant = bee;
        bee = former;
    }

    private Reply.CopySwitched copyOver(TestAgent from, TestAgent to, long intentSeq) {
        prepare(from, to, intentSeq);
        return ask(from, switchCopy(from, to, intentSeq, DOWNTIME_MS, 60_000), Reply.CopySwitched.class);
    }

    private Supplier<CompletableFuture<? extends Reply>> order(TestAgent from, TestAgent to, long intentSeq,
            int downtimeMs, int timeMs) {
        prepare(from, to, intentSeq);
        return () -> from.service.handle(switchCopy(from, to, intentSeq, downtimeMs, timeMs), null);
    }

    private static TomboloException refusal(Supplier<CompletableFuture<? extends Reply>> order) {
        CompletableFuture<? extends Reply> reply = order.get();
        assertThat(reply).failsWithin(PATIENCE);
        return (TomboloException) Errors.unwrap(reply.exceptionNow());
    }

    private AgentRequest.PrepareCopy prepareCopy(TestAgent from, TestAgent to, long intentSeq) {
        assertThat(from).isNotSameAs(to);
        return new AgentRequest.PrepareCopy(TERM, intentSeq, spec, 0, OwnerWord.epoch(region.vm(0).ownerAcquire()),
                from.claimed.slot(), from.name, NONCE);
    }

    private void prepare(TestAgent from, TestAgent to, long intentSeq) {
        ask(to, prepareCopy(from, to, intentSeq), Reply.Prepared.class);
    }

    private AgentRequest.SwitchCopy switchCopy(TestAgent from, TestAgent to, long intentSeq, int downtimeMs,
            int timeMs) {
        assertThat(from).isNotSameAs(to);
        return new AgentRequest.SwitchCopy(TERM, intentSeq, "vm", 0, OwnerWord.epoch(region.vm(0).ownerAcquire()),
                to.claimed.slot(), to.name, "127.0.0.1", 1, NONCE, downtimeMs, timeMs);
    }

    private static Reply.Cancelled cancel(TestAgent agent, long intentSeq) {
        return ask(agent, new AgentRequest.CancelIntent(TERM, intentSeq, "vm", 0), Reply.Cancelled.class);
    }

    private static <T extends Reply> T ask(TestAgent agent, AgentRequest request, Class<T> type) {
        CompletableFuture<? extends Reply> reply = agent.service.handle(request, null);
        assertThat(reply).succeedsWithin(PATIENCE);
        return type.cast(reply.join());
    }

    /// An agent without network, membership and supervisor. Its right never lapses.
    private final class TestAgent implements AgentService.HostView, PageLink, AutoCloseable {
        private final String name;
        private final ClaimedSlot claimed;
        private final GuestCopier copier = new GuestCopier();
        private final LocalTier local;
        private final HostCore host;
        private final SimulatedHypervisor driver;
        private final HostedVms vms;
        private final AgentService service;
        private final AtomicLong messagesUntilDeath = new AtomicLong(Long.MAX_VALUE);
        private volatile TestAgent peer;
        private volatile int delayMs;
        private volatile boolean stuck;
        private volatile Consumer<HandoffPoint> atPoint = _ -> {
        };

        TestAgent(String name, long localBytes) {
            this.name = name;
            this.claimed = HostSlots.claim(region, new HostIdentity(UUID.randomUUID(), name, Linux.bootId(),
                    ProcessHandle.current().pid(), WatchdogBound.UNKNOWN));
            this.local = LocalTier.open(directory.resolve(name + ".local"), localBytes, HugePages.NONE);
            this.host = LastingRight.host(region, claimed, point -> atPoint.accept(point),
                    (Peer _, long intentSeq, int _, long epoch, long _) -> peer.openWindow(intentSeq, epoch),
                    Optional.of(this));
            this.driver = new SimulatedHypervisor(region, claimed.slot(), directory, local);
            this.vms = new HostedVms(region, host, List.of(driver),
                    _ -> new HandoffBounds(new SourceCore.Bounds(5_000 * MS, 10_000 * MS, 300 * MS), 10_000 * MS,
                            200 * MS, 50_000, 1_000 * MS),
                    copier::bytesCopied, _ -> {
                    });
            this.service = new AgentService(vms, new TermGuard(), this, new PageRequests(Optional.empty()),
                    new HostFailures(region, vms, host, new TermGuard()));
        }

        CompletableFuture<WindowEnd> openWindow(long intentSeq, long epoch) {
            return service.handle(new AgentRequest.OpenWindow(intentSeq, 0, epoch, 0), null)
                    .thenApply(Reply.WindowClosed.class::cast)
                    .thenApply(end -> new WindowEnd(end.ran(), end.offerSeenNs(), end.runningNs(),
                            end.firstInstructionNs(), end.bytesCopied(), end.reason()));
        }

        @Override
        public GuestCopier copier() {
            return copier;
        }

        @Override
        public LocalTier local() {
            return local;
        }

        @Override
        public CompletableFuture<?> send(Peer target, AgentRequest request) {
            if (stuck) {
                return new CompletableFuture<>();
            }
            if (messagesUntilDeath.decrementAndGet() < 0) {
                return CompletableFuture.failedFuture(TomboloException
                        .error(CoordinatorError.RPC_CONNECTION_LOST, "the connection was lost").build());
            }
            Executor executor = CompletableFuture.delayedExecutor(delayMs, TimeUnit.MILLISECONDS);
            return CompletableFuture.runAsync(() -> {
            }, executor).thenCompose(_ -> peer.service.handle(request, null));
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
            vms.all().forEach(vm -> vm.abandon().join());
            host.close();
            driver.close();
            local.close();
        }
    }
}

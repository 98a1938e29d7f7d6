package io.tombolo.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.HostPorts.WindowEnd;
import io.tombolo.agent.handoff.HostedVm;
import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.agent.pages.HugePages;
import io.tombolo.agent.pages.LocalTier;
import io.tombolo.agent.pages.PageService;
import io.tombolo.agent.pages.PagesError;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.ClaimedSlot;
import io.tombolo.region.ErrorCode;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.FrameAllocator;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageSize;
import io.tombolo.region.Region;
import io.tombolo.region.RegionError;
import io.tombolo.region.RegionVerifier;
import io.tombolo.region.Tier;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmSlot;
import io.tombolo.region.WatchdogBound;
import io.tombolo.region.os.Errno;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Pages and tiers of an agent whose VMs run: everything real but the network and ZooKeeper.
@Timeout(120)
final class HostPagesTest {
    private static final UUID CLUSTER = new UUID(3, 4);
    private static final long LONG_NS = Duration.ofSeconds(20).toNanos();
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int SHARED = Tier.SHARED.code();
    private static final int LOCAL = Tier.LOCAL.code();
    private static final long MIB = 1L << 20;

    private Path directory;
    private Host ant;

    @BeforeEach
    void start() throws IOException {
        directory = Files.createTempDirectory(Path.of("/dev/shm"), "tombolo-host-");
    }

    @AfterEach
    void stop() throws IOException {
        if (ant != null) {
            ant.close();
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    /// An agent without network, membership and supervisor. Its right never lapses.
    private final class Host implements AutoCloseable {
        final Region region;
        final ClaimedSlot claimed;
        final GuestCopier copier = new GuestCopier();
        final LocalTier local;
        final HostCore host;
        final SimulatedHypervisor driver;
        final HostedVms vms;
        final HostPages pages;

        Host(long regionBytes, long localBytes) {
            Path file = directory.resolve("region");
            Region.format(file, FormatOptions.of(CLUSTER, regionBytes).withHostSlots(2).withVmSlots(4)
                    .withMetadataSlotBytes(1 << 13));
            region = Region.open(file, OpenOptions.ofCluster(CLUSTER));
            claimed = HostSlots.claim(region, new HostIdentity(UUID.randomUUID(), "ant", Linux.bootId(),
                    ProcessHandle.current().pid(), WatchdogBound.UNKNOWN));
            local = localBytes == 0
                    ? null
                    : LocalTier.open(directory.resolve("local"), localBytes, HugePages.NONE);
            host = LastingRight.host(region, claimed, _ -> {
            }, (_, _, _, _, _) -> CompletableFuture.completedFuture(WindowEnd.PASSED));
            driver = new SimulatedHypervisor(region, claimed.slot(), directory, local);
            vms = new HostedVms(region, host, List.of(driver),
                    _ -> new HandoffBounds(new SourceCore.Bounds(LONG_NS, LONG_NS, LONG_NS), LONG_NS, LONG_NS, 50_000,
                            LONG_NS),
                    copier::bytesCopied, _ -> {
                    });
            pages = new HostPages(region, vms, host.board(), local, copier);
        }

        HostedVm create(int slot, String name, long bytes, PageSize size, String tier) {
            VmSpec spec = new VmSpec(name, new UUID(5, slot), SimulatedHypervisor.NAME, bytes, 1, "dirty", 0,
                    "uniform", 7, tier, size.bytes());
            HostedVm vm = vms.open(slot, spec);
            vm.create().join();
            return vm;
        }

        long freeFrames() {
            return region.allocator(claimed.slot()).freeFrames();
        }

        @Override
        public void close() {
            vms.all().forEach(vm -> vm.abandon().join());
            host.close();
            driver.close();
            region.close();
            if (local != null) {
                local.close();
            }
        }
    }

    private void start(long regionBytes, long localBytes) {
        ant = new Host(regionBytes, localBytes);
    }

    private static void refused(ErrorCode code, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(TomboloException.class,
                e -> assertThat(e.code()).isEqualTo(code));
    }

    private static void goesOn(HostedVm vm) {
        long before = vm.facts().instructions().getFirst();
        await("the guest goes on").atMost(PATIENCE).until(() -> vm.facts().instructions().getFirst() > before);
    }

    private void clean() {
        assertThat(RegionVerifier.verify(ant.region).findings()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(PageSize.class)
    void movesTheMemoryOfARunningGuestAndTellsWhereItIs(PageSize size) {
        start(24 * MIB, 16 * MIB);
        HostedVm vm = ant.create(0, "vm", 8 * MIB, size, "local");
        int pages = (int) (8 * MIB / size.bytes());
        for (int tier : new int[]{SHARED, LOCAL, SHARED}) {
            PageService.Moved moved = MovesAgain.move(ant.pages, "vm", 0, pages, tier, 0);
            assertThat(moved.done()).isEqualTo(pages);
            assertThat(moved.notMoved()).isZero();
            assertThat(moved.vmPages()).isEqualTo(pages);
            assertThat(moved.pageBytes()).isEqualTo(size.bytes());
            PageService.Moved found = ant.pages.move("vm", 0, pages + 2, PageService.QUERY, 0);
            assertThat(found.done()).isEqualTo(pages + 2);
            assertThat(found.notMoved()).isZero();
            for (int i = 0; i < pages; i++) {
                assertThat(found.status()[i]).isEqualTo((byte) tier);
            }
            assertThat(found.status()[pages]).isEqualTo((byte) -Errno.EFAULT);
            assertThat(ant.vms.localPages(0)).isEqualTo(tier == LOCAL ? pages : 0);
            goesOn(vm);
        }
        await("the guest touches its pages").atMost(PATIENCE).until(
                () -> (ant.pages.move("vm", 0, 1, PageService.QUERY, 0).bits()[0] & 3) == 3);
        vm.pause().join();
        assertThat(vm.facts().errors()).isZero();
        // Paused is no reason not to move.
        assertThat(MovesAgain.move(ant.pages, "vm", 0, pages, LOCAL, 0).notMoved()).isZero();
        vm.resume().join();
        goesOn(vm);
        assertThat(vm.facts().errors()).isZero();
        clean();
    }

    @Test
    void refusesCallsAsAWhole() {
        start(16 * MIB, 4 * MIB);
        ant.create(0, "vm", 2 * MIB, PageSize.SMALL, "shared");
        refused(PagesError.PAGES_ESRCH, () -> ant.pages.move("nobody", 0, 1, LOCAL, LONG_NS));
        refused(PagesError.PAGES_E2BIG, () -> ant.pages.move("vm", 0, PageService.MAX_CALL_PAGES + 1, LOCAL, LONG_NS));
        refused(PagesError.PAGES_EINVAL, () -> ant.pages.move("vm", 0, 1, 7, LONG_NS));
        refused(PagesError.PAGES_EINVAL, () -> ant.pages.move("vm", 0, 1, -2, LONG_NS));
        refused(RegionError.PIN_UNKNOWN, () -> ant.pages.unpin("vm", 0, 1));
        refused(RegionError.PIN_RANGE_INVALID, () -> ant.pages.pin("vm", 511, 2));
        assertThat(ant.host.board().running()).noneMatch(name -> name.startsWith("mover") || name.startsWith("pins"));
    }

    @Test
    void aHostWithoutALocalTierSaysSo() {
        start(16 * MIB, 0);
        ant.create(0, "vm", 2 * MIB, PageSize.SMALL, "auto");
        refused(PagesError.PAGES_ENODEV, () -> ant.pages.move("vm", 0, 1, LOCAL, LONG_NS));
        assertThat(ant.pages.move("vm", 0, 3, SHARED, LONG_NS).notMoved()).isZero();
        assertThat(ant.pages.tiers()).extracting(PageService.TierFacts::name).containsExactly("shared");
    }

    @Test
    void aHostThatDoesNotOwnTheVmMayNotMoveItsPages() {
        start(16 * MIB, 4 * MIB);
        HostedVm vm = ant.create(0, "vm", 2 * MIB, PageSize.SMALL, "shared");
        vm.pause().join();
        VmSlot slot = ant.region.vm(0);
        long owner = slot.ownerAcquire();
        assertThat(slot.compareAndSetOwner(owner, OwnerWord.pack(OwnerState.DESTROYING, ant.claimed.slot(),
                OwnerWord.nextEpoch(owner)))).isTrue();
        keepABlock(ant.region.allocator(ant.claimed.slot()));

        refused(PagesError.PAGES_EPERM, () -> ant.pages.move("vm", 0, 1, LOCAL, LONG_NS));
        refused(PagesError.PAGES_EPERM, () -> ant.pages.pin("vm", 0, 1));

        // Its next host may need the blocks.
        assertThat(ant.region.allocator(ant.claimed.slot()).trim()).isZero();
    }

    /// And stores nothing, not even to give back blocks that it does not need.
    @Test
    void aFencedHostMayNotMovePages() {
        start(16 * MIB, 4 * MIB);
        ant.create(0, "vm", 2 * MIB, PageSize.SMALL, "shared");
        FrameAllocator allocator = ant.region.allocator(ant.claimed.slot());
        keepABlock(allocator);
        assertThat(HostSlots.fence(ant.region, ant.claimed.slot(), ant.claimed.incarnation())).isTrue();

        refused(PagesError.PAGES_EPERM, () -> ant.pages.move("vm", 0, 1, LOCAL, LONG_NS));
        refused(PagesError.PAGES_EPERM, () -> ant.pages.pin("vm", 0, 1));

        assertThat(allocator.trim()).isPositive();
    }

    private static void keepABlock(FrameAllocator allocator) {
        long[] frame = new long[1];
        assertThat(allocator.reserve(PageSize.SMALL, 0, new long[1], 1, frame)).isEqualTo(1);
        allocator.release(PageSize.SMALL, 0, new long[1], frame, 1);
    }

    @Test
    void endsAfterAWholeBatchWhenItsTimeIsOverOrItIsInterrupted() {
        start(16 * MIB, 4 * MIB);
        ant.create(0, "vm", 2 * MIB, PageSize.SMALL, "shared");
        PageService.Moved moved = ant.pages.move("vm", 0, 512, LOCAL, 0);
        assertThat(moved.done()).isBetween(1, 511);
        assertThat(moved.status()).hasSize(moved.done());
        // The guest may have taken back some of the batch, or all of it.
        assertThat(ant.vms.localPages(0)).isEqualTo(moved.done() - moved.notMoved());

        Thread.currentThread().interrupt();
        PageService.Moved more = ant.pages.move("vm", moved.done(), 300, LOCAL, LONG_NS);
        assertThat(Thread.interrupted()).isTrue();
        assertThat(more.done()).isEqualTo(moved.done());
    }

    @Test
    void pinnedPagesStay() {
        start(16 * MIB, 4 * MIB);
        ant.create(0, "vm", 2 * MIB, PageSize.SMALL, "shared");
        ant.pages.pin("vm", 10, 5);
        ant.pages.pin("vm", 10, 5);
        ant.pages.pin("vm", 14, 2);
        PageService.Moved moved = MovesAgain.move(ant.pages, "vm", 0, 64, LOCAL, 6);
        assertThat(moved.notMoved()).isEqualTo(6);
        for (int i = 0; i < 64; i++) {
            assertThat(moved.status()[i]).isEqualTo((byte) (i >= 10 && i < 16 ? -Errno.EBUSY : LOCAL));
        }
        assertThat(ant.pages.pins("vm")).contains(new PageService.Pinned(10, 5, 2),
                new PageService.Pinned(14, 2, 1));
        ant.pages.unpin("vm", 10, 5);
        assertThat(MovesAgain.move(ant.pages, "vm", 0, 64, LOCAL, 6).notMoved()).isEqualTo(6);
        ant.pages.unpin("vm", 10, 5);
        assertThat(MovesAgain.move(ant.pages, "vm", 0, 64, LOCAL, 2).notMoved()).isEqualTo(2);
        for (int i = 0; i < 31; i++) {
            ant.pages.pin("vm", 100 + i, 1);
        }
        refused(RegionError.PINS_FULL, () -> ant.pages.pin("vm", 200, 1));
        ant.region.vm(0).gate().close();
        refused(PagesError.PAGES_EPERM, () -> ant.pages.unpin("vm", 14, 2));
        ant.region.vm(0).gate().open();
        clean();
    }

    @Test
    void tellsWhatItsTiersHoldAndForWhom() {
        start(16 * MIB, 4 * MIB);
        ant.create(0, "one", 2 * MIB, PageSize.SMALL, "local");
        ant.create(1, "two", 2 * MIB, PageSize.SMALL, "shared");
        var _ = MovesAgain.move(ant.pages, "one", 0, 100, SHARED, 0);
        PageService.TierFacts local = ant.pages.tiers().getFirst();
        assertThat(local.bytes()).isEqualTo(4 * MIB);
        assertThat(local.freeBytes()).isEqualTo(4 * MIB - 412 * 4096);
        assertThat(local.uses()).containsExactly(new PageService.Use("one", 412, 412 * 4096));
        PageService.TierFacts shared = ant.pages.tiers().get(1);
        assertThat(shared.uses()).containsExactlyInAnyOrder(new PageService.Use("one", 100, 100 * 4096),
                new PageService.Use("two", 512, 512 * 4096));
        assertThat(shared.freeBytes()).isEqualTo(ant.freeFrames() * 4096);
    }

    /// Moves race with destroy, and the next VM is made in the same slot at once.
    @ParameterizedTest
    @EnumSource(PageSize.class)
    void destroyGetsEverythingBackFromUnderTheMovers(PageSize size) throws InterruptedException {
        long seed = Long.getLong("tombolo.seed", System.nanoTime());
        System.out.println("seed " + seed);
        start(24 * MIB, 16 * MIB);
        long free = ant.freeFrames();
        AtomicReference<Throwable> failed = new AtomicReference<>();
        AtomicLong moved = new AtomicLong();
        int pages = (int) (8 * MIB / size.bytes());
        List<Thread> movers = new ArrayList<>();
        AtomicReference<Boolean> end = new AtomicReference<>(false);
        for (int i = 0; i < 2; i++) {
            SplittableRandom random = new SplittableRandom(seed + i);
            movers.add(Thread.ofPlatform().start(() -> {
                while (!end.get() && failed.get() == null) {
                    try {
                        int first = random.nextInt(pages);
                        PageService.Moved done = ant.pages.move("vm", first, 1 + random.nextInt(pages - first),
                                random.nextInt(2), LONG_NS);
                        moved.addAndGet(done.done() - done.notMoved());
                    } catch (TomboloException e) {
                        if (e.code() != PagesError.PAGES_ESRCH && e.code() != PagesError.PAGES_EPERM) {
                            failed.compareAndSet(null, e);
                        }
                    } catch (Throwable t) {
                        failed.compareAndSet(null, t);
                    }
                }
            }));
        }
        for (int round = 0; round < 8 && failed.get() == null; round++) {
            HostedVm vm = ant.create(0, "vm", 8 * MIB, size, round % 2 == 0 ? "local" : "shared");
            long before = moved.get();
            await("pages move").atMost(PATIENCE).until(() -> moved.get() > before + 10 || failed.get() != null);
            assertThat(vm.facts().errors()).isZero();
            vm.destroy().join();
            assertThat(OwnerWord.state(ant.region.vm(0).ownerAcquire())).isEqualTo(OwnerState.FREE);
            assertThat(ant.local.freeFrames() * 4096).isEqualTo(ant.local.bytes());
            assertThat(ant.freeFrames()).isEqualTo(free);
            clean();
        }
        end.set(true);
        for (Thread mover : movers) {
            mover.join();
        }
        if (failed.get() != null) {
            throw new AssertionError("a call failed", failed.get());
        }
    }

    /// As many as a call of the command line may name, as agents get them: 64 Ki at a time. The VM has only 64 Ki
    /// pages, because two million small ones would take 8 GiB twice; so each is moved 32 times.
    @Test
    void movesTwoMillionPages() {
        long bytes = 256 * MIB;
        start(bytes + 16 * MIB, bytes);
        HostedVm vm = ant.create(0, "vm", bytes, PageSize.SMALL, "shared");
        int pages = (int) (bytes / 4096);
        assertThat(pages).isEqualTo(PageService.MAX_CALL_PAGES);
        long moved = 0;
        for (int call = 0; call < 32; call++) {
            int done = 0;
            while (done < pages) {
                PageService.Moved part = ant.pages.move("vm", done, pages - done, (call + 1) % 2, LONG_NS);
                for (byte status : part.status()) {
                    // A vCPU that does not come to the end of a slice on a busy machine.
                    assertThat(status == (call + 1) % 2 || status == -Errno.EBUSY).isTrue();
                }
                moved += part.done() - part.notMoved();
                done += part.done();
            }
        }
        System.out.println("moved " + moved);
        assertThat(moved).isGreaterThan(2_000_000);
        goesOn(vm);
        assertThat(vm.facts().errors()).isZero();
        clean();
    }

    @Test
    void aTruncatedTierStopsTheVmsThatAreInItAndNoOthers() throws IOException {
        start(24 * MIB, 8 * MIB);
        HostedVm broken = ant.create(0, "broken", 4 * MIB, PageSize.SMALL, "local");
        HostedVm healthy = ant.create(1, "healthy", 4 * MIB, PageSize.SMALL, "shared");
        goesOn(broken);
        try (FileChannel file = FileChannel.open(ant.local.file(), StandardOpenOption.WRITE)) {
            file.truncate(MIB);
        }
        await("it stops with a reason").atMost(PATIENCE).until(() -> broken.facts().failed());
        assertThat(broken.facts().note()).contains("InternalError");
        await("it says so").atMost(PATIENCE).until(() -> !broken.reason().isEmpty());

        PageService.Moved moved = ant.pages.move("broken", 0, 1024, SHARED, LONG_NS);

        for (int i = 0; i < 1024; i++) {
            assertThat(moved.status()[i]).as("page %d", i).isEqualTo((byte) (i < 256 ? SHARED : -Errno.EIO));
        }
        goesOn(healthy);
        assertThat(healthy.facts().errors()).isZero();
        clean();
        broken.destroy().join();
        assertThat(ant.local.freeFrames() * 4096).isEqualTo(ant.local.bytes());
        goesOn(healthy);
        clean();
    }
}

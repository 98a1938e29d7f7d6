package io.tombolo.agent.pages;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.sim.AccessPattern;
import io.tombolo.agent.sim.GuestFault;
import io.tombolo.agent.sim.GuestOp;
import io.tombolo.agent.sim.GuestProgram;
import io.tombolo.agent.sim.GuestReply;
import io.tombolo.agent.sim.GuestRequest;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.agent.sim.InputLog;
import io.tombolo.agent.sim.MemoryComparison;
import io.tombolo.agent.sim.MovingPageWait;
import io.tombolo.agent.sim.PagedMemory;
import io.tombolo.agent.sim.ReferenceRun;
import io.tombolo.agent.sim.ReplyStatus;
import io.tombolo.agent.sim.RequestQueue;
import io.tombolo.agent.sim.RightCheck;
import io.tombolo.agent.sim.SimulatedState;
import io.tombolo.agent.sim.StopReason;
import io.tombolo.agent.sim.StopReport;
import io.tombolo.agent.sim.VcpuRegisters;
import io.tombolo.agent.sim.VcpuRunner;
import io.tombolo.agent.sim.VmListener;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageSize;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.Tier;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.VmMemory;
import io.tombolo.region.VmSlots;
import io.tombolo.region.os.Errno;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Real vCPUs, two movers that fight for the same pages, pins that come and go, pauses and closed gates, all at once;
/// afterwards the guest's memory is that of a run that never moved.
///
/// `-Dtombolo.load.ms` makes it run longer.
@Timeout(120)
final class PagesUnderLoadTest {
    private static final long LOAD_MS = Long.getLong("tombolo.load.ms", 800);
    private static final long SEED = Long.getLong("tombolo.seed", System.nanoTime());
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(30);
    private static final int LEAST = 20;

    /// A VM that runs, and threads that disturb it until [#join].
    private static final class Load implements AutoCloseable {
        final TestVm vm;
        final GuestSpec spec;
        final SimulatedState state;
        final RequestQueue queue = new RequestQueue(64, Runnable::run);
        final InputLog log = InputLog.inMemory(4_000_000);
        final VcpuRunner runner;
        final AtomicBoolean end = new AtomicBoolean();
        final AtomicReference<Throwable> failed = new AtomicReference<>();
        final AtomicReference<StopReport> stopped = new AtomicReference<>();
        final AtomicLong moved = new AtomicLong();
        final List<Thread> threads = new ArrayList<>();

        Load(TestVm vm, GuestProgram program, int vcpus, long seed) {
            this.vm = vm;
            this.spec = new GuestSpec(new UUID(1, 2), vm.pages.table().pages() * vm.pages.size().bytes(), vcpus,
                    program, 0, AccessPattern.UNIFORM, seed);
            this.state = SimulatedState.fresh(spec);
            VmListener listener = new VmListener() {
                @Override
                public void stopped(StopReport report) {
                    stopped.set(report);
                }

                @Override
                public void selfCheckFailed(int vcpu, SelfCheckFailure failure) {
                    failed.compareAndSet(null, new AssertionError("vcpu " + vcpu + ": " + failure));
                }
            };
            this.runner = VcpuRunner.create("load", state,
                    vcpu -> PagedMemory.of(vm.pages, new MovingPageWait(vm.pages, vcpu, RightCheck.ALWAYS)),
                    vm.pages.shootdown(),
                    new VcpuRunner.Options(RightCheck.ALWAYS, queue, log, listener, Runnable::run, 0));
        }

        void disturb(String name, Runnable once) {
            threads.add(Thread.ofPlatform().name(name).start(() -> {
                try {
                    while (!end.get() && failed.get() == null) {
                        once.run();
                    }
                } catch (Throwable t) {
                    failed.compareAndSet(null, t);
                }
            }));
        }

        void mover(SplittableRandom random) {
            PageMover mover = new PageMover(vm.region, vm.copier, () -> !vm.pages.isClosed(), 50_000_000,
                    PageMover.SMALL_BATCH);
            long[] pages = new long[PageMover.SMALL_BATCH];
            int[] status = new int[PageMover.SMALL_BATCH];
            disturb("mover", () -> {
                Tier to = random.nextBoolean() ? Tier.LOCAL : Tier.SHARED;
                int count = random.nextInt(1, mover.batch(vm.pages) + 1);
                long first = random.nextLong(vm.pages.table().pages());
                for (int i = 0; i < count; i++) {
                    pages[i] = (first + i) % vm.pages.table().pages();
                }
                if (!mover.move(vm.pages, pages, 0, count, to, status)) {
                    return;
                }
                for (int i = 0; i < count; i++) {
                    assertThat(status[i]).isIn(to.code(), -Errno.EBUSY, -Errno.ENOMEM);
                    moved.addAndGet(status[i] == to.code() ? 1 : 0);
                }
            });
        }

        void pins(SplittableRandom random) {
            disturb("pins", () -> {
                long first = random.nextLong(vm.pages.table().pages());
                long count = random.nextLong(1, Math.min(9, vm.pages.table().pages() - first + 1));
                vm.pages.pins().pin(first, count);
                long pinned = vm.pages.table().entryAcquire(first);
                assertThat(vm.pages.pins().isPinned(first)).as(PageTableEntry.describe(pinned)).isTrue();
                Thread.onSpinWait();
                vm.pages.pins().unpin(first, count);
            });
        }

        /// As a hand-off does up to its offer, and back: gate closed and drained, vCPUs stopped, nothing is being
        /// moved.
        void handOff() {
            vm.pages.gate().close();
            until(() -> vm.pages.gate().drained(), "the gate is drained");
            assertThat(runner.requestStop()).succeedsWithin(PATIENCE_NS, TimeUnit.NANOSECONDS);
            long local = 0;
            for (long page = 0; page < vm.pages.table().pages(); page++) {
                long entry = vm.pages.table().entryAcquire(page);
                assertThat(PageTableEntry.state(entry)).isEqualTo(PteState.PRESENT);
                local += PageTableEntry.tier(entry) == Tier.LOCAL ? 1 : 0;
            }
            assertThat(vm.slot.localPagesAcquire()).isEqualTo(local);
            runner.resume();
            vm.pages.gate().open();
            goOn();
        }

        /// Pauses do not close the gate: pages move while the vCPUs stand.
        void pause() {
            assertThat(runner.requestStop()).succeedsWithin(PATIENCE_NS, TimeUnit.NANOSECONDS);
            long before = moved.get();
            until(() -> moved.get() > before + 5 || end.get() || failed.get() != null, "pages move in a pause");
            runner.resume();
            goOn();
        }

        /// Until the guest has executed something more.
        private void goOn() {
            long before = state.vcpu(0).get(VcpuRegisters.INSTRUCTIONS);
            until(() -> state.vcpu(0).get(VcpuRegisters.INSTRUCTIONS) > before + 1000 || failed.get() != null,
                    "the guest goes on");
        }

        void client() {
            if (spec.program() == GuestProgram.DIRTY) {
                return;
            }
            AtomicLong sequence = new AtomicLong();
            disturb("client", () -> {
                long number = sequence.incrementAndGet();
                GuestRequest request = spec.program() == GuestProgram.KV
                        ? GuestRequest.of(1, number, number == 1 ? GuestOp.KV_WRITE : GuestOp.KV_CAS, 7,
                                number == 1 ? 1 : number - 1, number)
                        : GuestRequest.of(1, number, GuestOp.BANK_TRANSFER, number % 16, (number + 5) % 16, 3);
                GuestReply reply = queue.submit(request).reply().orTimeout(30, TimeUnit.SECONDS).join();
                assertThat(reply.status()).isEqualTo(ReplyStatus.OK);
                if (spec.program() == GuestProgram.KV) {
                    assertThat(reply.value()).isEqualTo(number);
                }
            });
        }

        static void until(BooleanSupplier condition, String what) {
            long since = System.nanoTime();
            while (!condition.getAsBoolean()) {
                if (System.nanoTime() - since > PATIENCE_NS) {
                    throw new AssertionError("not in time: " + what);
                }
                Thread.onSpinWait();
            }
        }

        void join() {
            end.set(true);
            for (Thread thread : threads) {
                try {
                    thread.join(TimeUnit.NANOSECONDS.toMillis(PATIENCE_NS));
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                assertThat(thread.isAlive()).as(thread.getName()).isFalse();
            }
            if (failed.get() != null) {
                throw new AssertionError("seed " + SEED + ": " + failed.get(), failed.get());
            }
        }

        /// Everything stands still, and the memory is that of a run that never moved.
        void verify() {
            if (runner.state() != VcpuRunner.State.STOPPED) {
                assertThat(runner.requestStop()).succeedsWithin(PATIENCE_NS, TimeUnit.NANOSECONDS);
            }
            queue.leave();
            assertThat(runner.checkAll()).isZero();
            List<InputLog.Entry> inputs = InputLog.merge(List.of(log.entries()));
            try (ReferenceRun reference = ReferenceRun.compute(spec, state.instructions(), inputs, vm.directory)) {
                MemoryComparison.Result result = MemoryComparison.compare(PagedMemory.of(vm.pages, (page, entry) -> {
                    throw new GuestFault(GuestFault.Kind.NOT_PRESENT, page, PageTableEntry.describe(entry));
                }), reference.memory(), new GuestCopier());
                assertThat(result.identical()).as("seed " + SEED + " " + result).isTrue();
                assertThat(reference.registerDifference(state)).isEmpty();
            }
        }

        @Override
        public void close() {
            end.set(true);
            runner.kill();
        }
    }

    private static long bytes(PageSize size) {
        return size == PageSize.SMALL ? 2L << 20 : 8L << 20;
    }

    @ParameterizedTest
    @CsvSource({"DIRTY,1,SMALL", "DIRTY,2,SMALL", "DIRTY,2,LARGE", "KV,1,SMALL", "KV,2,LARGE", "BANK,2,SMALL",
            "BANK,1,LARGE"})
    void aGuestWhosePagesMoveLeavesTheMemoryOfOneThatNeverMoved(String program, int vcpus, PageSize size) {
        System.out.println("seed " + SEED);
        SplittableRandom random = new SplittableRandom(SEED);
        AtomicInteger handOffs = new AtomicInteger();
        AtomicInteger pauses = new AtomicInteger();
        try (TestVm vm = new TestVm(bytes(size), size, random.nextBoolean(), vcpus);
                Load load = new Load(vm, GuestProgram.of(program.toLowerCase(Locale.ROOT)), vcpus,
                        random.nextLong())) {
            PageMoves.Account account = new PageMoves.Account(vm);
            load.runner.resume();
            load.mover(random.split());
            load.mover(random.split());
            load.pins(random.split());
            load.client();
            // Hand-offs and pauses are given by one control thread, one after the other.
            Load.until(() -> load.moved.get() > 0 || load.failed.get() != null, "pages move");
            AtomicBoolean handOff = new AtomicBoolean();
            load.disturb("control", () -> {
                if (handOff.getAndSet(!handOff.get())) {
                    load.handOff();
                    handOffs.incrementAndGet();
                } else {
                    load.pause();
                    pauses.incrementAndGet();
                }
            });
            long since = System.nanoTime();
            Load.until(() -> load.failed.get() != null
                    || (System.nanoTime() - since > TimeUnit.MILLISECONDS.toNanos(LOAD_MS)
                            && handOffs.get() >= 3 && pauses.get() >= 3 && load.moved.get() >= LEAST),
                    "the load");
            load.join();
            load.verify();
            account.check();
            System.out.println(program + " vcpus=" + vcpus + " " + size + ": moved=" + load.moved + " handOffs="
                    + handOffs + " pauses=" + pauses + " waits=" + vm.pages.waits().count() + " requests="
                    + load.state.vcpu(0).get(VcpuRegisters.REQUESTS));
        }
    }

    /// As [io.tombolo.agent.handoff.HostedVm#destroy] does it; afterwards the slot is another VM's.
    @ParameterizedTest
    @EnumSource(PageSize.class)
    void destroyGetsEveryFrameBackFromUnderTheMovers(PageSize size) {
        System.out.println("seed " + SEED);
        SplittableRandom random = new SplittableRandom(SEED);
        for (int round = 0; round < 5; round++) {
            try (TestVm vm = new TestVm(bytes(size), size, false, 1);
                    Load load = new Load(vm, GuestProgram.DIRTY, 1, random.nextLong())) {
                long all = vm.allocator.freeFrames() + vm.pages.table().pages() * size.frames()
                        + vm.slot.readIdentity().tableFrames();
                load.runner.resume();
                load.mover(random.split());
                load.mover(random.split());
                Load.until(() -> load.moved.get() > LEAST || load.failed.get() != null, "pages move");

                vm.pages.close();
                load.runner.kill();
                vm.pages.gate().close();
                Load.until(() -> vm.pages.gate().drained(), "the gate is drained");
                assertThat(VmSlots.destroy(vm.region, vm.slot, vm.slot.ownerAcquire(), vm.local.zeroed())).isTrue();
                VmSlots.claim(vm.region, vm.allocator.hostSlot());
                VmMemory.populate(vm.region, vm.allocator, vm.slot,
                        VmIdentity.frames(UUID.randomUUID(), "next", bytes(size), size, 1, "simulated"), null);
                long creating = vm.slot.ownerAcquire();
                assertThat(vm.slot.compareAndSetOwner(creating, OwnerWord.pack(OwnerState.RUNNING,
                        vm.allocator.hostSlot(), OwnerWord.epoch(creating)))).isTrue();
                long moved = load.moved.get();
                load.join();

                assertThat(load.moved.get() - moved).isLessThanOrEqualTo(2L * PageMover.SMALL_BATCH);
                assertThat(vm.local.freeFrames() * 4096).isEqualTo(vm.local.bytes());
                assertThat(vm.slot.localPagesAcquire()).isZero();
                assertThat(vm.findings()).isEmpty();
                assertThat(VmSlots.destroy(vm.region, vm.slot, vm.slot.ownerAcquire())).isTrue();
                assertThat(vm.allocator.freeFrames()).isEqualTo(all);
                assertThat(vm.findings()).isEmpty();
            }
        }
    }

    /// The file of one VM's host loses its end: that VM stops and says why. Another VM of the same process, in another
    /// tier, goes on.
    @Test
    void aVmWhoseTierFileIsTruncatedStopsAndTheOtherGoesOn() throws IOException {
        System.out.println("seed " + SEED);
        try (TestVm other = new TestVm(bytes(PageSize.SMALL), PageSize.SMALL, true, 1);
                Load healthy = new Load(other, GuestProgram.DIRTY, 1, SEED);
                TestVm vm = new TestVm(bytes(PageSize.SMALL), PageSize.SMALL, true, 2);
                Load broken = new Load(vm, GuestProgram.DIRTY, 2, SEED)) {
            healthy.runner.resume();
            broken.runner.resume();
            healthy.mover(new SplittableRandom(SEED));
            broken.goOn();
            try (FileChannel file = FileChannel.open(vm.local.file(), StandardOpenOption.WRITE)) {
                file.truncate(4096);
            }
            Load.until(() -> broken.stopped.get() != null, "the VM stops");
            assertThat(broken.stopped.get().reason()).isEqualTo(StopReason.FAILED);
            assertThat(broken.stopped.get().cause()).isInstanceOf(InternalError.class);
            assertThat(broken.runner.state()).isEqualTo(VcpuRunner.State.STOPPED);
            healthy.goOn();
            healthy.join();
            healthy.verify();
        }
    }

    /// The mover needs the vCPU to get to a quiescent state, and the vCPU needs the core. Whoever has it must not keep
    /// it for a whole turn of milliseconds every time.
    @ParameterizedTest
    @EnumSource(PageSize.class)
    void aMoverAndItsVcpuGetOnWithOneCore(PageSize size) throws InterruptedException {
        AtomicReference<Throwable> failed = new AtomicReference<>();
        // What a thread starts is kept on the core that it is kept on.
        Thread one = Thread.ofPlatform().start(() -> {
            try {
                Linux.schedSetaffinity(0, Linux.schedGetaffinity(0)[0]);
                getsOnWithOneCore(size);
            } catch (Throwable t) {
                failed.set(t);
            }
        });
        one.join();
        assertThat(failed.get()).isNull();
    }

    private static void getsOnWithOneCore(PageSize size) {
        try (TestVm vm = new TestVm(32L << 20, size, false, 1);
                Load load = new Load(vm, GuestProgram.DIRTY, 1, SEED)) {
            load.runner.resume();
            load.goOn();
            PageMover mover = vm.mover(PageMover.SMALL_BATCH);
            long[] pages = LongStream.range(0, vm.pages.table().pages()).toArray();
            int[] status = new int[pages.length];
            int step = mover.batch(vm.pages);
            long before = load.state.vcpu(0).get(VcpuRegisters.INSTRUCTIONS);
            long batches = 0;
            for (Tier to : List.of(Tier.LOCAL, Tier.SHARED, Tier.LOCAL, Tier.SHARED)) {
                for (int i = 0; i < pages.length; i += step, batches++) {
                    mover.move(vm.pages, pages, i, step, to, status);
                }
                assertThat(IntStream.of(status).filter(code -> code == to.code()).count())
                        .isGreaterThan(pages.length * 3L / 4);
            }
            long executed = load.state.vcpu(0).get(VcpuRegisters.INSTRUCTIONS) - before;

            System.out.printf(Locale.ROOT, "%s pages on one core: %d instructions in %d batches%n", size, executed,
                    batches);
            // When it kept the core for its turn, 3,900; and it took every large page back.
            if (size == PageSize.SMALL) {
                assertThat(executed / batches).isLessThan(1_500);
            }
            assertThat(load.failed.get()).isNull();
        }
    }
}

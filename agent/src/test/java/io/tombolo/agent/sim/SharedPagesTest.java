package io.tombolo.agent.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.pages.ProtectedPages;
import io.tombolo.agent.pages.TestVm;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.PageSize;
import io.tombolo.region.Protection;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// vCPUs that write and read the same pages of a protected VM, which no guest program does: what one has written, and
/// said so, another one reads, whatever frame the page has been given in between.
final class SharedPagesTest {
    private static final int PAGES = 1024;
    private static final long RUN_NS = TimeUnit.SECONDS.toNanos(3);
    private static final long LONGEST_NS = TimeUnit.SECONDS.toNanos(30);

    private final ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();
    /// The number that a vCPU has certainly written to its word of a page.
    private AtomicLongArray written;
    private volatile boolean stop;

    @ParameterizedTest
    @CsvSource({"2, 4, 20", "2, 64, 200", "3, 16, 100"})
    void whatIsWrittenIsReadByAll(int vcpus, int pages, int intervalUs) throws InterruptedException {
        written = new AtomicLongArray(vcpus * pages);
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        try (TestVm vm = new TestVm((long) PAGES * GuestMemory.PAGE_BYTES, PageSize.SMALL, false, vcpus, 0)) {
            GuestSpec spec = new GuestSpec(new UUID(1, 2), (long) PAGES * GuestMemory.PAGE_BYTES, vcpus,
                    GuestProgram.DIRTY, 0, AccessPattern.UNIFORM, 7);
            SimulatedState state = SimulatedState.fresh(spec);
            PagedMemory[] memories = new PagedMemory[vcpus];
            for (int i = 0; i < vcpus; i++) {
                memories[i] = PagedMemory.of(vm.pages, new MovingPageWait(vm.pages, i, RightCheck.ALWAYS));
            }
            ProtectedPages protection = new ProtectedPages(
                    Protection.start(vm.region, vm.allocator, vm.slot, intervalUs), PAGES, vcpus);
            long epoch = OwnerWord.epoch(vm.slot.ownerAcquire());
            Checkpointer checkpointer = new Checkpointer(protection, vm.pages, state, new SimulatedStateCodec(spec),
                    () -> epoch, intervalUs * 1000L, RightCheck.ALWAYS, memories, new RequestQueue(1, Runnable::run));
            assertThat(checkpointer.commitStopped(epoch, false)).isTrue();
            checkpointer.begin();
            Thread[] threads = new Thread[vcpus];
            for (int i = 0; i < vcpus; i++) {
                int vcpu = i;
                threads[i] = Thread.ofPlatform().daemon().name("vcpu-" + i).start(
                        () -> run(vm, checkpointer, memories[vcpu], vcpu, vcpus, pages,
                                new SplittableRandom(seed + vcpu)));
            }
            long since = System.nanoTime();
            while (wrong.isEmpty() && System.nanoTime() - since < LONGEST_NS
                    && (System.nanoTime() - since < RUN_NS || checkpointer.checkpoint().commits() < 300)) {
                SimFixtures.pause();
            }
            stop = true;
            for (Thread thread : threads) {
                thread.join(TimeUnit.NANOSECONDS.toMillis(LONGEST_NS));
                assertThat(thread.isAlive()).isFalse();
            }
            System.out.println("commits " + checkpointer.checkpoint().commits() + " dirty " + checkpointer.meanDirty()
                    + " pause p50 " + checkpointer.pauses().quantileNs(0.5) + " ns");
            assertThat(wrong).isEmpty();
            assertThat(checkpointer.checkpoint().commits()).isGreaterThan(100);
            assertThat(checkpointer.commitStopped(epoch, false)).isTrue();
            assertThat(vm.findings()).isEmpty();
        }
    }

    private void run(TestVm vm, Checkpointer checkpointer, PagedMemory memory, int vcpu, int vcpus, int pages,
            SplittableRandom random) {
        try {
            checkpointer.enters();
            vm.pages.shootdown().online(vcpu);
            memory.forget();
            boolean in = true;
            for (long number = 1; in && !stop; number++) {
                for (int i = 0; i < 8; i++) {
                    int page = random.nextInt(pages);
                    if (random.nextInt(3) == 0) {
                        write(memory, page, vcpu, vcpus, number);
                    } else {
                        read(memory, page, random.nextInt(vcpus), vcpus);
                    }
                }
                if (vm.pages.shootdown().quiescent(vcpu)) {
                    memory.forget();
                }
                in = checkpointer.pass(vcpu);
            }
            vm.pages.shootdown().offline(vcpu);
            checkpointer.leaves(true);
            if (!in) {
                wrong.add("vcpu " + vcpu + " was stopped");
            }
        } catch (RuntimeException | Error e) {
            wrong.add("vcpu " + vcpu + ": " + e);
            checkpointer.leaves(false);
        }
    }

    private void write(PagedMemory memory, int page, int vcpu, int vcpus, long number) {
        long gpa = (long) page * GuestMemory.PAGE_BYTES + vcpu * 64L;
        long before = memory.getLong(gpa);
        long expected = written.get(page * vcpus + vcpu);
        if (before != expected) {
            wrong.add("vcpu " + vcpu + " finds " + before + " in its word of page " + page + ", and wrote " + expected);
        }
        memory.setLong(gpa, number);
        written.set(page * vcpus + vcpu, number);
    }

    private void read(PagedMemory memory, int page, int other, int vcpus) {
        long least = written.get(page * vcpus + other);
        long found = memory.getLong((long) page * GuestMemory.PAGE_BYTES + other * 64L);
        if (found < least) {
            wrong.add("page " + page + " has " + found + " of vcpu " + other + ", which had written " + least);
        }
    }
}

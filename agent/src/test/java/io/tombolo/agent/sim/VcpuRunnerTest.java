package io.tombolo.agent.sim;

import io.tombolo.agent.pages.GuestCopier;
import static io.tombolo.agent.sim.SimFixtures.MIB;
import static io.tombolo.agent.sim.SimFixtures.await;
import static io.tombolo.agent.sim.SimFixtures.options;
import static io.tombolo.agent.sim.SimFixtures.right;
import static io.tombolo.agent.sim.SimFixtures.spec;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.tombolo.region.TomboloException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class VcpuRunnerTest {
    @TempDir
    Path directory;

    private final ScratchMemory scratch = new ScratchMemory(MIB, 1);
    private final List<VcpuRunner> runners = new ArrayList<>();

    @AfterEach
    void release() {
        runners.forEach(VcpuRunner::kill);
        scratch.close();
    }

    private VcpuRunner runner(GuestSpec spec, VcpuRunner.Options options) {
        VcpuRunner runner = VcpuRunner.create("t", SimulatedState.fresh(spec), scratch.memory(), options);
        runners.add(runner);
        return runner;
    }

    private static GuestSpec dirty(int vcpus) {
        return spec(GuestProgram.DIRTY, MIB, vcpus, AccessPattern.UNIFORM, 11);
    }

    private static void awaitProgress(VcpuRunner runner) {
        long before = runner.vm().vcpu(0).get(VcpuRegisters.INSTRUCTIONS);
        await(() -> runner.vm().vcpu(0).get(VcpuRegisters.INSTRUCTIONS) > before + 100);
    }

    private void assertSameAsNeverStopped(VcpuRunner runner, List<InputLog.Entry> log) {
        SimulatedState state = runner.vm();
        try (ReferenceRun reference = ReferenceRun.compute(state.spec(), state.instructions(), log, directory)) {
            MemoryComparison.Result result = MemoryComparison.compare(scratch.memory(), reference.memory(),
                    new GuestCopier());
            assertThat(result.identical()).as(result.toString()).isTrue();
            assertThat(reference.registerDifference(state)).isEmpty();
        }
        assertThat(runner.checkAll()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"dirty,1", "dirty,2", "dirty,4", "kv,2", "bank,1", "bank,2"})
    void stoppedAndResumedAtRandomPointsItLeavesTheImageOfARunThatNeverStopped(String program, int vcpus) {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        VcpuRunner runner = runner(spec(GuestProgram.of(program), MIB, vcpus, AccessPattern.ZIPF, seed), options());
        for (int cycle = 0; cycle < 200; cycle++) {
            runner.resume();
            long spinNs = random.nextLong(300_000);
            long start = System.nanoTime();
            while (System.nanoTime() - start < spinNs) {
                Thread.onSpinWait();
            }
            assertThat(await(runner.requestStop()).reason()).isEqualTo(StopReason.REQUESTED);
        }
        for (long count : runner.vm().instructions()) {
            assertThat(count).isPositive();
        }
        assertSameAsNeverStopped(runner, List.of());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void losesNoStopAndExecutesNothingBetweenStopAndResume(int vcpus) {
        VcpuRunner runner = runner(dirty(vcpus), options());
        for (int cycle = 0; cycle < 1000; cycle++) {
            runner.resume();
            CompletableFuture<StopReport> stopped = runner.requestStop();
            assertThat(await(stopped).reason()).isEqualTo(StopReason.REQUESTED);
            assertThat(runner.state()).isEqualTo(VcpuRunner.State.STOPPED);
            long[] counts = runner.vm().instructions();
            SimFixtures.pause();
            assertThat(runner.vm().instructions()).isEqualTo(counts);
        }
        assertSameAsNeverStopped(runner, List.of());
    }

    @Test
    void manyRequestersGetOneStopEach() {
        VcpuRunner runner = runner(dirty(2), options());
        AtomicInteger switches = new AtomicInteger();
        AtomicInteger refused = new AtomicInteger();
        runner.resume();
        List<Thread> requesters = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            requesters.add(Thread.ofPlatform().start(() -> {
                for (int cycle = 0; cycle < 500; cycle++) {
                    try {
                        await(runner.requestSwitch(_ -> {
                            switches.incrementAndGet();
                            return SwitchAction.Outcome.RESUME;
                        }));
                    } catch (TomboloException e) {
                        assertThat(e.code()).isEqualTo(SimError.VCPU_BUSY);
                        refused.incrementAndGet();
                    }
                }
            }));
        }
        requesters.forEach(thread -> await(() -> !thread.isAlive()));
        assertThat(switches.get() + refused.get()).isEqualTo(1500);
        assertThat(switches.get()).isPositive();
        await(runner.requestStop());
        assertSameAsNeverStopped(runner, List.of());
    }

    @Test
    void runsTheSwitchOnTheLastThreadToStopWithAllOthersStopped() {
        VcpuRunner runner = runner(dirty(4), options());
        runner.resume();
        awaitProgress(runner);
        for (int cycle = 0; cycle < 200; cycle++) {
            AtomicBoolean still = new AtomicBoolean();
            AtomicLong stoppedAt = new AtomicLong();
            String[] thread = new String[1];
            await(runner.requestSwitch(state -> {
                long[] counts = state.instructions();
                SimFixtures.pause();
                still.set(java.util.Arrays.equals(counts, state.instructions()));
                stoppedAt.set(state.stoppedAtNs());
                thread[0] = Thread.currentThread().getName();
                return SwitchAction.Outcome.RESUME;
            }));
            assertThat(still).isTrue();
            assertThat(thread[0]).matches("vm-t-vcpu-[0-3]");
            assertThat(stoppedAt.get()).isPositive().isLessThanOrEqualTo(System.nanoTime());
        }
    }

    @Test
    void departsStaysOrStopsAsTheSwitchSays() {
        VcpuRunner runner = runner(dirty(2), options());
        runner.resume();
        assertThat(await(runner.requestSwitch(_ -> SwitchAction.Outcome.RESUME)))
                .isEqualTo(SwitchAction.Outcome.RESUME);
        awaitProgress(runner);
        assertThat(await(runner.requestSwitch(_ -> SwitchAction.Outcome.STOP))).isEqualTo(SwitchAction.Outcome.STOP);
        assertThat(await(runner.requestStop()).reason()).isEqualTo(StopReason.SWITCH_ENDED);
        runner.resume();
        awaitProgress(runner);
        assertThat(await(runner.requestSwitch(_ -> SwitchAction.Outcome.DEPARTED)))
                .isEqualTo(SwitchAction.Outcome.DEPARTED);
        assertThat(await(runner.requestStop()).reason()).isEqualTo(StopReason.DEPARTED);
        // Taken back: the same threads go on.
        runner.resume();
        awaitProgress(runner);
        await(runner.requestStop());
        assertSameAsNeverStopped(runner, List.of());
    }

    @Test
    void aSwitchThatThrowsStopsTheVmForGoodAndTellsWhy() {
        List<StopReport> heard = new CopyOnWriteArrayList<>();
        VcpuRunner runner = runner(dirty(2),
                options(RightCheck.ALWAYS, null, null, listener(heard, new ArrayList<>())));
        runner.resume();
        CompletableFuture<SwitchAction.Outcome> done = runner.requestSwitch(_ -> {
            throw new IllegalStateException("planted");
        });
        assertThatThrownBy(() -> await(done)).hasMessageContaining("planted").hasMessageStartingWith("VCPU_FAILED");
        await(() -> !heard.isEmpty());
        assertThat(heard).hasSize(1);
        assertThat(heard.getFirst().reason()).isEqualTo(StopReason.FAILED);
        assertThatThrownBy(runner::resume).isInstanceOf(TomboloException.class).hasMessageContaining("planted");
        assertThat(runner.state()).isEqualTo(VcpuRunner.State.STOPPED);
    }

    private static VmListener listener(List<StopReport> stops, List<VmListener.SelfCheckFailure> damages) {
        return new VmListener() {
            @Override
            public void stopped(StopReport report) {
                stops.add(report);
            }

            @Override
            public void selfCheckFailed(int vcpu, SelfCheckFailure failure) {
                damages.add(failure);
            }
        };
    }

    @Test
    void stopsAllVcpusWhenTheRightOfOneLapsesAndDoesNotRunAPendingSwitch() {
        AtomicBoolean right = new AtomicBoolean(true);
        AtomicBoolean switched = new AtomicBoolean();
        VcpuRunner runner = runner(dirty(3),
                options(right(vcpu -> vcpu != 1 || right.get()), null, null, VmListener.NONE));
        runner.resume();
        awaitProgress(runner);
        right.set(false);
        await(() -> runner.state() == VcpuRunner.State.STOPPED);
        assertThat(await(runner.requestStop()).reason()).isEqualTo(StopReason.RIGHT_LAPSED);
        assertThatThrownBy(() -> runner.requestSwitch(_ -> SwitchAction.Outcome.DEPARTED))
                .hasMessageStartingWith("VCPU_BUSY");
        runner.resume();
        await(() -> runner.state() == VcpuRunner.State.STOPPED);
        right.set(true);
        runner.resume();
        awaitProgress(runner);

        // vCPU 1 lapses in the very slice after which it would have obeyed the switch.
        CountDownLatch inCheck = new CountDownLatch(1);
        CountDownLatch asked = new CountDownLatch(1);
        VcpuRunner second = runner(dirty(2), options(right(vcpu -> {
            if (vcpu == 1) {
                inCheck.countDown();
                awaitLatch(asked);
                return false;
            }
            return true;
        }), null, null, VmListener.NONE));
        second.resume();
        awaitLatch(inCheck);
        CompletableFuture<SwitchAction.Outcome> done = second.requestSwitch(_ -> {
            switched.set(true);
            return SwitchAction.Outcome.DEPARTED;
        });
        asked.countDown();
        assertThatThrownBy(() -> await(done)).hasMessageContaining("RIGHT_LAPSED");
        assertThat(switched).isFalse();
        assertThat(await(second.requestStop()).reason()).isEqualTo(StopReason.RIGHT_LAPSED);
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aGuestFaultStopsThisVmWithItsReasonInTheRegisters() {
        List<StopReport> heard = new CopyOnWriteArrayList<>();
        VcpuRunner runner = runner(dirty(2),
                options(RightCheck.ALWAYS, null, null, listener(heard, new ArrayList<>())));
        scratch.entry(200, 0);
        runner.resume();
        await(() -> runner.state() == VcpuRunner.State.STOPPED);
        StopReport report = await(runner.requestStop());
        assertThat(report.reason()).isEqualTo(StopReason.GUEST_FAULT);
        assertThat(((GuestFault) report.cause()).gpa() / 4096).isEqualTo(200);
        VcpuRegisters faulted = runner.vm().vcpu(1);
        assertThat(faulted.get(VcpuRegisters.FAULTS)).isEqualTo(1);
        assertThat(SelfCheck.describe(faulted.get(VcpuRegisters.FIRST_ERROR_KIND))).isEqualTo("FAULT_NOT_PRESENT");
        assertThatThrownBy(runner::resume).hasMessageStartingWith("VCPU_FAILED").hasMessageContaining("GUEST_FAULT");
        await(() -> !heard.isEmpty());
        assertThat(heard).containsExactly(report);
    }

    @Test
    void anythingThrownOnAVcpuThreadStopsTheVmAndNotTheThread() {
        AtomicInteger calls = new AtomicInteger();
        VcpuRunner runner = runner(dirty(2), options(right(vcpu -> {
            if (vcpu == 0 && calls.incrementAndGet() == 50) {
                throw new StackOverflowError("planted");
            }
            return true;
        }), null, null, VmListener.NONE));
        runner.resume();
        await(() -> runner.state() == VcpuRunner.State.STOPPED);
        StopReport report = await(runner.requestStop());
        assertThat(report.reason()).isEqualTo(StopReason.FAILED);
        assertThat(report.cause()).hasMessage("planted");
    }

    @Test
    void tellsOfDamageOnceAndRunsOn() {
        List<VmListener.SelfCheckFailure> damages = new CopyOnWriteArrayList<>();
        VcpuRunner runner = runner(dirty(1),
                options(RightCheck.ALWAYS, null, null, listener(new ArrayList<>(), damages)));
        runner.resume();
        awaitProgress(runner);
        await(runner.requestStop());
        long gpa = 17 * 4096 + PageVisitor.WORD_STRIDE_BYTES;
        scratch.memory().setLong(gpa, scratch.memory().getLong(gpa) ^ 2);
        assertThat(runner.checkAll()).isEqualTo(1);
        runner.resume();
        await(() -> !damages.isEmpty());
        awaitProgress(runner);
        await(runner.requestStop());
        assertThat(damages).hasSize(1);
        assertThat(damages.getFirst().gpa()).isEqualTo(gpa);
        assertThat(runner.checkAll()).isEqualTo(1);
    }

    @Test
    void refusesWhatDoesNotFitItsState() {
        VcpuRunner runner = runner(dirty(1), options());
        assertThatThrownBy(() -> runner.requestSwitch(_ -> SwitchAction.Outcome.STOP))
                .hasMessageStartingWith("VCPU_BUSY");
        assertThat(await(runner.requestStop()).lastInstructionNs()).isZero();
        runner.resume();
        assertThatThrownBy(runner::resume).hasMessageStartingWith("VCPU_NOT_STOPPED");
        assertThatThrownBy(() -> runner.arm(_ -> false)).hasMessageStartingWith("VCPU_NOT_STOPPED");
        assertThatThrownBy(runner::checkAll).hasMessageStartingWith("VCPU_NOT_STOPPED");
        runner.kill();
        assertThat(runner.state()).isEqualTo(VcpuRunner.State.DEAD);
        assertThatThrownBy(runner::requestStop).hasMessageStartingWith("VCPU_BUSY");
        assertThatThrownBy(runner::resume).hasMessageStartingWith("VCPU_NOT_STOPPED");
    }

    @Test
    void killEndsAllThreadsInEveryState() {
        VcpuRunner neverRun = runner(dirty(3), options());
        List<StopReport> heard = new CopyOnWriteArrayList<>();
        VcpuRunner running = runner(dirty(3),
                options(RightCheck.ALWAYS, null, null, listener(heard, new ArrayList<>())));
        running.resume();
        VcpuRunner armed = runner(dirty(3), options());
        armed.arm(_ -> {
            await(() -> Thread.currentThread().isInterrupted());
            return false;
        });
        VcpuRunner switching = runner(dirty(3), options());
        switching.resume();
        CountDownLatch inSwitch = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        CompletableFuture<SwitchAction.Outcome> done = switching.requestSwitch(_ -> {
            inSwitch.countDown();
            awaitLatch(go);
            return SwitchAction.Outcome.RESUME;
        });
        awaitLatch(inSwitch);
        Thread killer = Thread.ofPlatform().start(switching::kill);
        await(() -> switching.state() == VcpuRunner.State.DEAD);
        go.countDown();
        for (VcpuRunner runner : List.of(neverRun, running, armed)) {
            runner.kill();
            assertThat(runner.state()).isEqualTo(VcpuRunner.State.DEAD);
        }
        await(() -> !killer.isAlive());
        assertThat(done).isDone();
        await(() -> !heard.isEmpty());
        assertThat(heard).extracting(StopReport::reason).containsExactly(StopReason.KILLED);
        assertThat(Thread.getAllStackTraces().keySet()).noneMatch(thread -> thread.getName().startsWith("vm-t-"));
    }

    @Test
    void anArrivalThatIsCalledOffCanBeArmedAgain() {
        VcpuRunner runner = runner(dirty(2), options());
        AtomicBoolean cancelled = new AtomicBoolean();
        runner.arm(_ -> {
            await(cancelled::get);
            return false;
        });
        assertThat(runner.state()).isEqualTo(VcpuRunner.State.ARMED);
        assertThatThrownBy(runner::resume).hasMessageStartingWith("VCPU_NOT_STOPPED");
        assertThatThrownBy(runner::requestStop).hasMessageStartingWith("VCPU_BUSY");
        cancelled.set(true);
        await(() -> runner.state() == VcpuRunner.State.STOPPED);
        assertThat(runner.vm().instructions()).containsOnly(0);
        String[] thread = new String[1];
        runner.arm(_ -> {
            thread[0] = Thread.currentThread().getName();
            return true;
        });
        await(() -> runner.vm().vcpu(1).get(VcpuRegisters.INSTRUCTIONS) > 0);
        assertThat(thread[0]).isEqualTo("vm-t-vcpu-0");
        assertThat(runner.startedNs()).isPositive().isLessThanOrEqualTo(runner.firstInstructionDoneNs());
        await(runner.requestStop());
        assertThat(runner.lastInstructionNs()).isGreaterThanOrEqualTo(runner.firstInstructionDoneNs());
        assertSameAsNeverStopped(runner, List.of());
    }

    @Test
    void tellsTheRightOfEveryStartAndOfEveryStopAfterTheSwitchWasCarriedOut() {
        AtomicInteger storing = new AtomicInteger();
        AtomicInteger atSwitch = new AtomicInteger(-1);
        AtomicBoolean wrong = new AtomicBoolean();
        RightCheck right = new RightCheck() {
            private final AtomicBoolean[] started = {new AtomicBoolean(), new AtomicBoolean()};

            @Override
            public boolean start(int vcpu) {
                wrong.compareAndSet(false, !started[vcpu].compareAndSet(false, true));
                storing.incrementAndGet();
                return true;
            }

            @Override
            public boolean check(int vcpu) {
                wrong.compareAndSet(false, !started[vcpu].get());
                return true;
            }

            @Override
            public void stopped(int vcpu) {
                if (started[vcpu].compareAndSet(true, false)) {
                    storing.decrementAndGet();
                }
            }
        };
        VcpuRunner runner = runner(dirty(2), options(right, null, null, VmListener.NONE));
        for (int cycle = 0; cycle < 100; cycle++) {
            runner.resume();
            awaitProgress(runner);
            await(runner.requestSwitch(_ -> {
                atSwitch.set(storing.get());
                return SwitchAction.Outcome.DEPARTED;
            }));
            assertThat(atSwitch.get()).isPositive();
            await(() -> storing.get() == 0);
            runner.resume();
            await(runner.requestStop());
            assertThat(storing.get()).isZero();
        }
        assertThat(wrong).isFalse();
    }

    @Test
    void sleepsBetweenSlicesWhenToldAndStillObeys() {
        VcpuRunner runner = runner(dirty(2),
                new VcpuRunner.Options(RightCheck.ALWAYS, null, null, VmListener.NONE, Runnable::run, 200_000));
        for (int cycle = 0; cycle < 50; cycle++) {
            runner.resume();
            await(runner.requestSwitch(_ -> SwitchAction.Outcome.RESUME));
            await(runner.requestStop());
        }
        assertSameAsNeverStopped(runner, List.of());
    }

    @Test
    void allocatesNothingFromTheLastSliceToTheSwitch() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        AtomicLong atCheck = new AtomicLong();
        AtomicLong allocated = new AtomicLong(Long.MAX_VALUE);
        VcpuRunner runner = runner(dirty(1), options(right(_ -> {
            atCheck.set(threads.getCurrentThreadAllocatedBytes());
            return true;
        }), null, null, VmListener.NONE));
        runner.resume();
        SwitchAction action = _ -> {
            allocated.accumulateAndGet(threads.getCurrentThreadAllocatedBytes() - atCheck.get(), Math::min);
            return SwitchAction.Outcome.RESUME;
        };
        for (int cycle = 0; cycle < 200; cycle++) {
            await(runner.requestSwitch(action));
        }
        assertThat(allocated.get()).isZero();
    }
}

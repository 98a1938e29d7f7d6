package io.tombolo.agent.right;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.tombolo.region.HostState;
import io.tombolo.region.SlotWord;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The keeper with its thread, a board and one storing thread; the clock is the test's.
class RightLoopTest {
    private static final long MS = 1_000_000L;
    private static final Timings TIMINGS = new Timings(50);
    private static final long LIVE = SlotWord.pack(HostState.LIVE, 5);

    private final AtomicLong boottime = new AtomicLong(1_000 * MS);
    private final AtomicLong monotonic = new AtomicLong(500 * MS);
    private final AtomicLong word = new AtomicLong(LIVE);
    private final AtomicBoolean guestsGone = new AtomicBoolean();
    private final AtomicBoolean failNext = new AtomicBoolean();
    private final List<String> calls = new CopyOnWriteArrayList<>();
    private final CheckBoard board = new CheckBoard(boottime::get, word::get, LIVE, 4);
    private RightLoop loop;
    private CheckBoard.Checker vcpu;

    private final class Actions implements RightActions {
        @Override
        public void warn(long remainingNs) {
            calls.add("warn");
        }

        @Override
        public void pauseAll(LapseReason reason, boolean terminal) {
            assertThat(board.gateOpen()).isFalse();
            if (failNext.get()) {
                throw new IllegalStateException("planted");
            }
            calls.add("pause " + reason);
        }

        @Override
        public boolean guestsGone() {
            return guestsGone.get();
        }

        @Override
        public void renewAll(long generation) {
            calls.add("renew " + generation);
            loop.renewDone(generation);
        }

        @Override
        public void resumeAll(long generation) {
            assertThat(board.gateOpen()).isTrue();
            calls.add("resume " + generation);
        }

        @Override
        public void stopVm(int vmSlot) {
            calls.add("stop " + vmSlot);
        }

        @Override
        public void sayStopped() {
            calls.add("say stopped");
        }

        @Override
        public void exit(LapseReason reason, boolean allStopped) {
            calls.add("exit " + reason + " " + allStopped);
        }
    }

    @BeforeEach
    void startAndTakeTheRight() {
        loop = new RightLoop(new RightKeeper(TIMINGS, LIVE, true), board, new Actions(), boottime::get, monotonic::get,
                word::get, TIMINGS);
        vcpu = board.register("vcpu", () -> true);
        loop.start();
        heartbeat();
        loop.post(new RightEvent.SupervisorSeen());
        await().until(loop::fresh);
        await().until(vcpu::start);
    }

    @AfterEach
    void stop() {
        loop.close();
        assertThat(board.gateOpen()).isFalse();
    }

    private void heartbeat() {
        loop.post(new RightEvent.HeartbeatConfirmed(boottime.get(), TIMINGS.sessionMs()));
    }

    private void pass(long ms) {
        monotonic.addAndGet(ms * MS);
        boottime.addAndGet(ms * MS);
    }

    @Test
    void countsTheSupervisorsSilenceFromItsStart() {
        List<String> before = List.copyOf(calls);
        try (RightLoop late = new RightLoop(new RightKeeper(TIMINGS, LIVE, true), board, new Actions(), boottime::get,
                monotonic::get, word::get, TIMINGS)) {
            boottime.addAndGet(2 * TIMINGS.watchdogNs());
            monotonic.addAndGet(2 * TIMINGS.watchdogNs());
            late.post(new RightEvent.SupervisorSeen());
            late.start();
            await().until(() -> late.state().supervisor());
            assertThat(late.state().phase()).isEqualTo(RightPhase.PAUSED);
        }
        assertThat(calls).startsWith(before.toArray(String[]::new)).doesNotContain("exit SUPERVISOR_GONE true");
    }

    @Test
    void lapsesAtTheDeadlineAndComesBackByRenewal() {
        pass(TIMINGS.sessionMs());
        assertThat(vcpu.check()).as("the thread sees the deadline by itself").isFalse();
        await().until(() -> calls.contains("pause DEADLINE"));
        assertThat(loop.fresh()).isFalse();
        heartbeat();
        await().until(() -> loop.state().heartbeatSentNs() == boottime.get());
        assertThat(loop.state().phase()).as("the thread has not stopped").isEqualTo(RightPhase.STOPPING);

        vcpu.stopped();

        await().until(loop::fresh);
        assertThat(calls).containsExactly("renew 1", "resume 1", "pause DEADLINE", "renew 2", "resume 2");
        assertThat(vcpu.start()).isTrue();
    }

    @Test
    void aSuspendedMachineIsALapse() {
        boottime.addAndGet(60_000 * MS);

        await().until(() -> calls.contains("pause DEADLINE") || calls.contains("pause SUSPENDED"));
        assertThat(loop.fresh()).isFalse();
    }

    @Test
    void aShortSuspendIsSeenByTheClocksAlone() {
        boottime.addAndGet(20 * MS);

        await().until(() -> calls.contains("pause SUSPENDED"));
    }

    @Test
    void aFencedHostSaysStoppedWhenNothingOfItIsLeft() {
        word.set(SlotWord.pack(HostState.FENCING, 5));
        await().until(() -> calls.contains("pause FENCED"));
        vcpu.stopped();
        await().until(() -> loop.state().phase() == RightPhase.ENDING && board.allStopped());
        assertThat(calls).doesNotContain("say stopped");

        guestsGone.set(true);

        await().until(() -> loop.state().phase() == RightPhase.ENDED);
        assertThat(calls).endsWith("pause FENCED", "say stopped", "exit FENCED true");
    }

    @Test
    void aKeeperThatFailsClosesTheGateAndEndsTheAgent() {
        failNext.set(true);
        loop.post(new RightEvent.SessionLost());

        await().until(() -> calls.contains("exit KEEPER_FAILED false"));
        assertThat(board.gateOpen()).isFalse();
        assertThat(vcpu.check()).isFalse();
        assertThat(loop.fresh()).isFalse();
    }

    @Test
    void aVmThatWasLostIsStoppedAndTheRightStays() {
        loop.post(new RightEvent.OwnerLost(3));

        await().until(() -> calls.contains("stop 3"));
        assertThat(loop.fresh()).isTrue();
    }
}

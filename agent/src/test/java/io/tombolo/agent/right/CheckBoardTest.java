package io.tombolo.agent.right;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.region.HostState;
import io.tombolo.region.SlotWord;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class CheckBoardTest {
    private static final long LIVE = SlotWord.pack(HostState.LIVE, 5);

    private final AtomicLong now = new AtomicLong(1_000);
    private final AtomicLong word = new AtomicLong(LIVE);
    private final AtomicBoolean owner = new AtomicBoolean(true);
    private final CheckBoard board = new CheckBoard(now::get, word::get, LIVE, 2);

    @Test
    void aThreadBeginsStoppedAndRunsOnlyThroughAnOpenGate() {
        CheckBoard.Checker checker = board.register("vcpu a/0", owner::get);
        assertThat(board.allStopped()).isTrue();
        assertThat(checker.start()).isFalse();
        assertThat(board.allStopped()).isTrue();

        board.openGate(2_000);

        assertThat(checker.start()).isTrue();
        assertThat(board.allStopped()).isFalse();
        assertThat(board.oldestCheckNs()).isEqualTo(1_000);
    }

    @Test
    void showsTheOldestCheckOfTheRunningThreadsOnly() {
        board.openGate(Long.MAX_VALUE);
        CheckBoard.Checker a = board.register("a", () -> true);
        CheckBoard.Checker b = board.register("b", () -> true);
        assertThat(a.start()).isTrue();
        now.set(1_500);
        assertThat(b.start()).isTrue();
        assertThat(board.oldestCheckNs()).isEqualTo(1_000);

        a.stopped();
        assertThat(board.oldestCheckNs()).isEqualTo(1_500);
        assertThat(board.running()).containsExactly("b checked 0 us ago");
        b.close();
        assertThat(board.allStopped()).isTrue();
    }

    @Test
    void aCheckFailsForEachPartOfTheRight() {
        board.openGate(2_000);
        CheckBoard.Checker checker = board.register("a", owner::get);
        assertThat(checker.start()).isTrue();

        owner.set(false);
        assertThat(checker.check()).isFalse();
        owner.set(true);
        word.set(SlotWord.pack(HostState.FENCING, 5));
        assertThat(checker.check()).isFalse();
        word.set(SlotWord.pack(HostState.LIVE, 6));
        assertThat(checker.check()).isFalse();
        word.set(LIVE);
        now.set(2_000);
        assertThat(checker.check()).as("the deadline passed").isFalse();
        board.openGate(3_000);
        assertThat(checker.check()).isTrue();
        board.closeGate();
        assertThat(checker.check()).isFalse();
    }

    @Test
    void aFailedCheckLeavesTheCellAgingUntilTheThreadSaysThatItStopped() {
        board.openGate(2_000);
        CheckBoard.Checker checker = board.register("a", owner::get);
        assertThat(checker.start()).isTrue();
        board.closeGate();
        now.set(1_800);

        assertThat(checker.check()).isFalse();
        assertThat(board.oldestCheckNs()).isEqualTo(1_000);
        assertThat(board.allStopped()).isFalse();
        checker.stopped();
        assertThat(board.allStopped()).isTrue();
    }

    @Test
    void theRecordedTimeIsNeverLaterThanTheLookAtTheSlotWord() {
        // The clock goes on with every reading of it and of the word, so the order of the two shows in the record.
        AtomicLong steps = new AtomicLong();
        AtomicLong lookedAt = new AtomicLong();
        CheckBoard stepping = new CheckBoard(steps::incrementAndGet, () -> {
            lookedAt.set(steps.incrementAndGet());
            return LIVE;
        }, LIVE, 1);
        stepping.openGate(Long.MAX_VALUE);

        assertThat(stepping.register("a", () -> true).start()).isTrue();

        assertThat(stepping.oldestCheckNs()).isLessThan(lookedAt.get());
    }

    @Test
    void cellsAreUsedAgainAndLimited() {
        CheckBoard.Checker a = board.register("a", () -> true);
        board.register("b", () -> true);
        assertThatThrownBy(() -> board.register("c", () -> true)).isInstanceOf(TomboloException.class)
                .hasMessageStartingWith("CHECK_BOARD_FULL").hasMessageContaining("thread=c");

        a.close();

        assertThat(board.register("c", () -> true).name()).isEqualTo("c");
    }

    /// Threads start, store and stop while a keeper opens and closes the gate: after "closed and all stopped" no thread
    /// may store until the gate opens.
    @Test
    void noThreadStoresBetweenAllStoppedAndTheNextOpening() throws InterruptedException {
        int threads = 3;
        CheckBoard shared = new CheckBoard(System::nanoTime, () -> LIVE, LIVE, threads);
        AtomicBoolean end = new AtomicBoolean();
        AtomicLong stores = new AtomicLong();
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            CheckBoard.Checker checker = shared.register("worker " + i, () -> true);
            workers.add(Thread.ofPlatform().start(() -> {
                while (!end.get()) {
                    if (checker.start()) {
                        for (int k = 0; k < 20 && checker.check(); k++) {
                            stores.incrementAndGet();
                        }
                        checker.stopped();
                    }
                }
            }));
        }
        long violations = 0;
        for (int round = 0; round < 500; round++) {
            shared.openGate(Long.MAX_VALUE);
            long open = stores.get();
            while (stores.get() == open) {
                Thread.onSpinWait();
            }
            shared.closeGate();
            while (!shared.allStopped()) {
                Thread.onSpinWait();
            }
            long before = stores.get();
            for (int k = 0; k < 200; k++) {
                Thread.onSpinWait();
            }
            violations += stores.get() == before ? 0 : 1;
        }
        end.set(true);
        for (Thread worker : workers) {
            worker.join();
        }
        assertThat(violations).isZero();
    }
}

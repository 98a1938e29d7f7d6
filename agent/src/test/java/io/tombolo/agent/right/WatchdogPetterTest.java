package io.tombolo.agent.right;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.tombolo.region.HostState;
import io.tombolo.region.SlotWord;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WatchdogPetterTest {
    private static final long MS = 1_000_000L;
    private static final long LIVE = SlotWord.pack(HostState.LIVE, 5);
    private static final Timings TIMINGS = new Timings(50);

    @ParameterizedTest(name = "oldest check {0} ago, fresh {1}, {2}: pet {3}")
    @CsvSource({"1,true,TIMESTAMPED,true", "900,true,TIMESTAMPED,true", "1,false,TIMESTAMPED,false",
            "none,false,TIMESTAMPED,true", "none,true,TIMESTAMPED,true", "1,true,PLAIN,true", "12,true,PLAIN,true",
            "13,true,PLAIN,false", "none,false,PLAIN,true", "1,false,PLAIN,false"})
    void petsOnlyWithAFreshRightOrWithEverythingStopped(String ageMs, boolean fresh, PetMode mode, boolean pets) {
        long now = 10_000 * MS;
        long oldest = ageMs.equals("none") ? CheckBoard.STOPPED : now - Long.parseLong(ageMs) * MS;

        WatchdogPetter.Decision decision = WatchdogPetter.decide(now, oldest, fresh, mode, 12 * MS);

        if (pets) {
            assertThat(decision).isEqualTo(new WatchdogPetter.Decision.Pet(Math.min(now, oldest)));
        } else {
            assertThat(decision).isInstanceOf(WatchdogPetter.Decision.Withhold.class);
        }
    }

    @Test
    void aCheckMadeWhileDecidingDoesNotMoveThePetIntoTheFuture() {
        assertThat(WatchdogPetter.decide(100, 130, true, PetMode.TIMESTAMPED, 1))
                .isEqualTo(new WatchdogPetter.Decision.Pet(100));
    }

    @Test
    void carriesTheOldestCheckAndTellsWhenTheSupervisorIsLost() {
        CheckBoard board = new CheckBoard(System::nanoTime, () -> LIVE, LIVE, 2);
        board.openGate(Long.MAX_VALUE);
        CheckBoard.Checker checker = board.register("stuck", () -> true);
        assertThat(checker.start()).isTrue();
        long stuckAt = board.oldestCheckNs();
        List<String> sent = new CopyOnWriteArrayList<>();
        AtomicBoolean there = new AtomicBoolean(true);
        AtomicBoolean fresh = new AtomicBoolean(true);
        AtomicLong seen = new AtomicLong();
        AtomicLong lost = new AtomicLong();
        WatchdogPetter.Listener listener = new WatchdogPetter.Listener() {
            @Override
            public void supervisorSeen() {
                seen.incrementAndGet();
            }

            @Override
            public void supervisorLost() {
                lost.incrementAndGet();
            }
        };
        var settings = new WatchdogSettings("/x", Optional.of(TIMINGS.watchdogNs()), PetMode.TIMESTAMPED);
        try (WatchdogPetter petter = new WatchdogPetter(board, fresh::get, System::nanoTime, settings, TIMINGS,
                message -> {
                    sent.add(message);
                    return there.get();
                }, listener)) {
            petter.start();
            assertThat(sent).as("the first pet is sent before start returns").hasSize(1);
            await().until(() -> seen.get() >= 3);
            assertThat(sent).allMatch(m -> m.equals("WATCHDOG=1\nX_TOMBOLO_CHECKED_NS=" + stuckAt));

            there.set(false);
            await().until(() -> lost.get() >= 2);

            there.set(true);
            fresh.set(false);
            await().until(() -> board.running().size() == 1 && quiet(sent));
            checker.stopped();
            int before = sent.size();
            await().until(() -> sent.size() > before + 2);
            assertThat(sent.getLast()).isNotEqualTo(sent.getFirst());
        }
    }

    /// No pet within two periods.
    private static boolean quiet(List<String> sent) {
        int before = sent.size();
        long until = System.nanoTime() + 2 * TIMINGS.petPeriodMs() * MS;
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
        return sent.size() == before;
    }

    @Test
    void readsWhatTheSupervisorSet() {
        assertThat(WatchdogSettings.fromEnvironment(Map.of(), 7)).isEmpty();
        assertThat(WatchdogSettings.fromEnvironment(Map.of("NOTIFY_SOCKET", "/run/n", "WATCHDOG_USEC", "2000000"), 7))
                .contains(new WatchdogSettings("/run/n", Optional.of(2_000_000_000L), PetMode.PLAIN));
        assertThat(WatchdogSettings.fromEnvironment(Map.of("NOTIFY_SOCKET", "@n", "WATCHDOG_USEC", "5", "WATCHDOG_PID",
                "7", "X_TOMBOLO_SUPERVISOR", "1"), 7))
                .contains(new WatchdogSettings("@n", Optional.of(5_000L), PetMode.TIMESTAMPED));
        assertThat(WatchdogSettings
                .fromEnvironment(Map.of("NOTIFY_SOCKET", "@n", "WATCHDOG_USEC", "5", "WATCHDOG_PID", "8"), 7))
                .contains(new WatchdogSettings("@n", Optional.empty(), PetMode.PLAIN));
    }

    @ParameterizedTest
    @CsvSource({"relative,5,7", "/x,0,7", "/x,-1,7", "/x,abc,7", "/x,9223372036854775807,7", "/x,5,me"})
    void refusesWhatTheProtocolDoesNotAllow(String socket, String usec, String pid) {
        Map<String, String> environment = Map.of("NOTIFY_SOCKET", socket, "WATCHDOG_USEC", usec, "WATCHDOG_PID", pid);

        assertThatThrownBy(() -> WatchdogSettings.fromEnvironment(environment, 7))
                .hasMessageStartingWith("WATCHDOG_ENVIRONMENT_INVALID");
    }
}

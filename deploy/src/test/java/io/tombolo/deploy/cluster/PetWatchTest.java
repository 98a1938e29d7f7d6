package io.tombolo.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.deploy.cluster.PetWatch.Verdict;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PetWatchTest {
    private static final long W = 1_000;
    private static final long PID = 42;

    private final PetWatch watch = new PetWatch(PID, W, 10_000, 5_000);

    private static String pet(long checkedNs) {
        return "WATCHDOG=1\nX_TOMBOLO_CHECKED_NS=" + checkedNs;
    }

    @Test
    void countsFromTheStartUntilTheFirstPet() {
        assertThat(watch.dueNs()).isEqualTo(16_000);
        assertThat(watch.lastCheckedNs()).isZero();
    }

    @Test
    void countsFromTheCheckAndNotFromTheReceipt() {
        assertThat(watch.take(pet(10_300), PID, 11_200)).isEqualTo(Verdict.ARMED);

        assertThat(watch.dueNs()).isEqualTo(11_300);
        assertThat(watch.lastCheckedNs()).isEqualTo(10_300);
    }

    @Test
    void petsThatWaitedInTheQueueAreAsOldAsTheyAre() {
        // The supervisor was stopped from 10 500 on and drains at 20 000: the last check was at 11 000.
        watch.take(pet(10_500), PID, 20_000);
        watch.take(pet(11_000), PID, 20_000);

        assertThat(watch.dueNs()).isLessThan(20_000);
    }

    @Test
    void aStuckThreadIsSeenThroughAnyNumberOfPets() {
        for (long now = 10_300; now < 11_300; now += 100) {
            assertThat(watch.take(pet(10_250), PID, now)).isEqualTo(Verdict.ARMED);
        }
        assertThat(watch.dueNs()).isEqualTo(11_250);
    }

    @Test
    void anotherProcessOfTheGroupCannotPet() {
        assertThat(watch.take(pet(11_000), PID + 1, 11_000)).isEqualTo(Verdict.REFUSED_SENDER);
        assertThat(watch.take("READY=1", -1, 11_000)).isEqualTo(Verdict.REFUSED_SENDER);

        assertThat(watch.dueNs()).isEqualTo(16_000);
        assertThat(watch.ready()).isFalse();
        assertThat(watch.refused()).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"WATCHDOG=1", "'WATCHDOG=1\nX_TOMBOLO_CHECKED_NS='", "'WATCHDOG=1\nX_TOMBOLO_CHECKED_NS=x'",
            "'WATCHDOG=1\nX_TOMBOLO_CHECKED_NS=-5'", "'WATCHDOG=1\nX_TOMBOLO_CHECKED_NS=11001'",
            "'WATCHDOG=1\nX_TOMBOLO_CHECKED_NS=99999999999999999999'"})
    void aPetWithoutAUsableTimeIsRefused(String message) {
        assertThat(watch.take(message, PID, 11_000)).isEqualTo(Verdict.REFUSED_TIME);
        assertThat(watch.dueNs()).isEqualTo(16_000);
    }

    @Test
    void notesWhatTheProcessSaysOfItself() {
        assertThat(watch.take("READY=1\nSTATUS=two VMs\nX_TOMBOLO_SLOT=3\nMAINPID=1", PID, 11_000))
                .isEqualTo(Verdict.NOTED);
        watch.take("STOPPING=1\nSTATUS=bye\nno equals sign\n=x", PID, 11_000);

        assertThat(watch.ready()).isTrue();
        assertThat(watch.stopping()).isTrue();
        assertThat(watch.declared()).containsOnlyKeys("STATUS", "X_TOMBOLO_SLOT").containsEntry("STATUS", "bye");
    }

    @Test
    void aProcessMayAskToBeKilled() {
        assertThat(watch.take("WATCHDOG=trigger", PID, 11_000)).isEqualTo(Verdict.TRIGGERED);
    }

    @Test
    void nobodyWatchesAProcessWithoutWatchdog() {
        PetWatch none = new PetWatch(PID, Long.MAX_VALUE, 10_000, 5_000);
        none.take(pet(10_500), PID, 10_600);

        assertThat(none.dueNs()).isEqualTo(Long.MAX_VALUE);
    }
}

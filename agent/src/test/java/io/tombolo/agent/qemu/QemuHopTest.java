package io.tombolo.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class QemuHopTest {
    @Test
    void movesAGuestOftenAndItFindsItsMemoryAsItWas() throws IOException {
        try (GuestLab lab = GuestLab.small()) {
            QemuGuest source = lab.boot();
            long fileBytes = lab.segment.toFile().length();
            long[] downtimes = new long[6];
            long beats = 0;
            for (int i = 0; i < downtimes.length; i++) {
                QemuGuest target = lab.prelaunch();
                GuestLab.Hop hop = lab.hop(source, target);
                System.out.println("hop " + i + ": " + hop.line());
                downtimes[i] = hop.downtimeNs();
                assertThat(hop.downtimeNs()).isPositive();
                assertThat(hop.saved().completedNs()).isGreaterThan(hop.saved().stopEventNs());
                GuestConsole.Beat beat = lab.awaitProgress(target);
                assertThat(beat.errors()).isZero();
                assertThat(beat.number()).as("the guest's own count goes on").isGreaterThan(beats);
                beats = beat.number();
                source = target;
            }
            Arrays.sort(downtimes);
            System.out.println("hop downtime p50 " + GuestLab.us(downtimes[downtimes.length / 2]) + " us");
            assertThat(lab.segment.toFile().length()).isEqualTo(fileBytes);
        }
    }

    @Test
    void movesAGuestOfTwoProcessorsWithAnUnevenPattern() throws IOException {
        try (GuestLab lab = new GuestLab(192L << 20, new GuestLoad(32L << 20, "zipf", 3, 2, 25))) {
            QemuGuest source = lab.boot();
            for (int i = 0; i < 2; i++) {
                QemuGuest target = lab.prelaunch();
                System.out.println("2 vCPUs: " + lab.hop(source, target).line());
                lab.awaitProgress(target);
                source = target;
            }
        }
    }

    @Test
    void aStoppedGuestMovesStoppedAndRunsWhenItIsToldTo() throws IOException {
        try (GuestLab lab = GuestLab.small()) {
            QemuGuest source = lab.boot();
            source.stop();
            SaveResult saved = source.saveState(lab.slot, GuestLab.TIMEOUT_MS);
            assertThat(saved.stopEventNs()).isZero();
            source.kill();
            QemuGuest target = lab.prelaunch();
            target.loadState(lab.slot, saved.length(), GuestLab.TIMEOUT_MS);
            assertThat(target.status()).isEqualTo("paused");
            target.cont();
            lab.awaitProgress(target);
        }
    }
}

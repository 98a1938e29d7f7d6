package io.tombolo.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class QemuTakeBackTest {

    @Test
    void theSourceGoesOnWithinMillisecondsWhereverTheTargetDied() throws IOException {
        try (GuestLab lab = GuestLab.small()) {
            QemuGuest source = lab.boot();

            QemuGuest deadBeforeLoad = lab.prelaunch();
            source.saveState(lab.slot, GuestLab.TIMEOUT_MS);
            deadBeforeLoad.kill();
            assertResumes(lab, source, "target killed before its load");

            QemuGuest deadAfterLoad = lab.prelaunch();
            SaveResult saved = source.saveState(lab.slot, GuestLab.TIMEOUT_MS);
            deadAfterLoad.loadState(lab.slot, saved.length(), GuestLab.TIMEOUT_MS);
            deadAfterLoad.kill();
            assertResumes(lab, source, "target killed after its load");

            QemuGuest truncated = lab.prelaunch();
            SaveResult again = source.saveState(lab.slot, GuestLab.TIMEOUT_MS);
            assertThatThrownBy(() -> truncated.loadState(lab.slot, again.length() / 2, GuestLab.TIMEOUT_MS))
                    .hasMessageStartingWith("STATE_LOAD_FAILED").hasMessageContaining("load of migration failed");
            truncated.kill();
            assertResumes(lab, source, "target died in its load");

            lab.awaitProgress(moveOn(lab, source));
        }
    }

    private static QemuGuest moveOn(GuestLab lab, QemuGuest source) {
        QemuGuest target = lab.prelaunch();
        lab.hop(source, target);
        return target;
    }

    private static void assertResumes(GuestLab lab, QemuGuest source, String what) {
        long began = System.nanoTime();
        QmpEvent resumed = source.takeBack();
        System.out.println(what + ": resumed after " + GuestLab.us(resumed.atNs() - began) + " us");
        lab.awaitProgress(source);
    }

    @Test
    void anImpossibleStateNeverReachesQemu() throws IOException {
        try (GuestLab lab = GuestLab.small()) {
            QemuGuest source = lab.boot();
            QemuGuest target = lab.prelaunch();
            int length = source.saveState(lab.slot, GuestLab.TIMEOUT_MS).length();
            for (long wrong : new long[]{Long.MIN_VALUE, -1, 0, 7, GuestLab.SLOT_BYTES + 1L, Long.MAX_VALUE}) {
                assertThatThrownBy(() -> target.loadState(lab.slot, wrong, GuestLab.TIMEOUT_MS))
                        .hasMessageStartingWith("STATE_LENGTH");
            }
            byte first = lab.slot.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0);
            lab.slot.set(java.lang.foreign.ValueLayout.JAVA_BYTE, 0, (byte) (first ^ 1));
            assertThatThrownBy(() -> target.loadState(lab.slot, length, GuestLab.TIMEOUT_MS))
                    .hasMessageStartingWith("STATE_NOT_A_STREAM");
            assertThatThrownBy(target::cont).hasMessageStartingWith("QEMU_REFUSED");
            lab.slot.set(java.lang.foreign.ValueLayout.JAVA_BYTE, 0, first);
            assertThat(target.status()).isEqualTo("inmigrate");
            target.loadState(lab.slot, length, GuestLab.TIMEOUT_MS);
            source.kill();
            target.cont();
            lab.awaitProgress(target);
        }
    }

    @Test
    void aStateThatDoesNotFitLeavesTheGuestRunningAtTheSource() throws IOException {
        try (GuestLab lab = GuestLab.small(); Arena arena = Arena.ofShared()) {
            QemuGuest source = lab.boot();
            int length = moveAndTakeBack(lab, source);
            for (int capacity : new int[]{0, 1000, length / 2, length - 100, length - 1}) {
                MemorySegment tooSmall = arena.allocate(capacity);
                assertThatThrownBy(() -> source.saveState(tooSmall, GuestLab.TIMEOUT_MS)).as("capacity %d", capacity)
                        .hasMessageStartingWith("STATE_TOO_LARGE").hasMessageContaining("guest=running");
                assertThat(source.status()).isEqualTo("running");
                lab.awaitProgress(source);
            }
            source.stop();
            assertThatThrownBy(() -> source.saveState(arena.allocate(1000), GuestLab.TIMEOUT_MS))
                    .hasMessageStartingWith("STATE_TOO_LARGE");
            assertThat(source.status()).as("a paused guest stays paused").isNotEqualTo("running");
            source.cont();
            lab.awaitProgress(source);
            moveAndTakeBack(lab, source);
        }
    }

    private static int moveAndTakeBack(GuestLab lab, QemuGuest source) {
        int length = source.saveState(lab.slot, GuestLab.TIMEOUT_MS).length();
        source.takeBack();
        return length;
    }

    @Test
    void aWaitingTargetLeavesTheMemoryOfAStoppedSourceAlone() throws IOException {
        try (GuestLab lab = GuestLab.small()) {
            QemuGuest source = lab.boot();
            source.stop();
            long before = lab.segmentHash();
            lab.prelaunch().kill();
            assertThat(lab.segmentHash()).as("a target that was pre-launched and killed").isEqualTo(before);
            QemuGuest target = lab.prelaunch();
            int length = source.saveState(lab.slot, GuestLab.TIMEOUT_MS).length();
            assertThat(lab.segmentHash()).as("saved").isEqualTo(before);
            target.loadState(lab.slot, length, GuestLab.TIMEOUT_MS);
            assertThat(lab.segmentHash()).as("loaded by a target that does not run").isEqualTo(before);
            target.kill();
            assertThat(lab.segmentHash()).as("loaded by a target that was killed").isEqualTo(before);
            source.takeBack();
            lab.awaitProgress(source);
            source.stop();
            assertThat(lab.segmentHash()).as("the hash sees a guest that ran").isNotEqualTo(before);
        }
    }
}

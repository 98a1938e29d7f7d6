package io.tombolo.chaos.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunLogTest {
    @Test
    void keepsWhoBeganAndWhoEnded(@TempDir Path directory) {
        UUID vm = UUID.randomUUID();
        RunLog log = RunLog.create(directory);
        long before = System.nanoTime();
        log.begins(vm, 7, 0, 41);
        log.ended(vm, 7, 0);
        log.begins(vm, 7, 0, 43);
        List<RunRecord> all = RunLog.read(directory, "host-1");
        assertThat(all).hasSize(2);
        RunRecord first = all.getFirst();
        assertThat(first.vm()).isEqualTo(vm);
        assertThat(first.vmSlot()).isEqualTo(7);
        assertThat(first.host()).isEqualTo("host-1");
        assertThat(first.pid()).isEqualTo(ProcessHandle.current().pid());
        assertThat(first.epoch()).isEqualTo(41);
        assertThat(first.startNs()).isBetween(before, first.endNs());
        assertThat(all.getLast().epoch()).isEqualTo(43);
        assertThat(all.getLast().startNs()).isGreaterThanOrEqualTo(first.endNs());
        assertThat(all.getLast().endNs()).isZero();
    }

    @Test
    void everyThreadEndsWhatItBegan(@TempDir Path directory) throws InterruptedException {
        UUID vm = UUID.randomUUID();
        RunLog log = RunLog.create(directory);
        log.begins(vm, 1, 0, 5);
        Thread other = Thread.ofPlatform().start(() -> {
            log.begins(vm, 1, 1, 5);
            log.ended(vm, 1, 1);
        });
        other.join();
        assertThat(RunLog.read(directory, "h")).extracting(RunRecord::vcpu, r -> r.endNs() == 0)
                .containsExactlyInAnyOrder(org.assertj.core.groups.Tuple.tuple(0, true),
                        org.assertj.core.groups.Tuple.tuple(1, false));
    }

    @Test
    void ofAHostThatNeverRanThereIsNothing(@TempDir Path directory) {
        assertThat(RunLog.read(directory.resolve("nowhere"), "h")).isEmpty();
    }
}

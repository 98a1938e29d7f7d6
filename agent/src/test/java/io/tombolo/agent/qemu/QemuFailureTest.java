package io.tombolo.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(180)
class QemuFailureTest {
    /// A thread of its own for each: on two cores the common pool has one.
    private static final Executor THREADS = task -> Thread.ofPlatform().daemon().start(task);

    @Test
    void theGuestRunsAtTheTargetThoughTheSourceDiedRightAfterTheSave() throws IOException {
        try (GuestLab lab = GuestLab.small()) {
            QemuGuest source = lab.boot();
            QemuGuest target = lab.prelaunch();
            SaveResult saved = source.saveState(lab.slot, GuestLab.TIMEOUT_MS);
            source.kill();
            target.loadState(lab.slot, saved.length(), GuestLab.TIMEOUT_MS);
            target.cont();
            assertThat(lab.awaitProgress(target).errors()).isZero();
        }
    }

    @Test
    void aQemuKilledFromOutsideIsReportedAndFailsWhatWaits()
            throws IOException, InterruptedException, ExecutionException, TimeoutException {
        try (GuestLab lab = GuestLab.small()) {
            QemuGuest guest = lab.boot();
            CompletableFuture<String> ended = guest.endedByItself();
            assertThat(ProcessHandle.of(guest.pid()).orElseThrow().destroyForcibly()).isTrue();
            assertThat(ended.get(10, TimeUnit.SECONDS)).startsWith("QEMU ended with status 137");
            assertThatThrownBy(guest::status).hasMessageStartingWith("QEMU_DIED");
            assertThatThrownBy(() -> guest.saveState(lab.slot, GuestLab.TIMEOUT_MS))
                    .hasMessageStartingWith("QEMU_DIED");
        }
    }

    @Test
    void killEndsWhatAnotherThreadWaitsFor()
            throws IOException, InterruptedException, ExecutionException, TimeoutException {
        try (GuestLab lab = GuestLab.small()) {
            QemuGuest guest = lab.register(QemuGuest.launch(lab.definition()));
            long mark = guest.qmp().eventMark();
            CompletableFuture<QmpEvent> waiting = CompletableFuture
                    .supplyAsync(() -> guest.qmp().awaitEvent(mark, "NEVER", QmpEvent.named("NEVER"), 60_000), THREADS);
            CompletableFuture<String> ended = guest.endedByItself();
            guest.kill();
            guest.kill();
            assertThatThrownBy(() -> waiting.get(10, TimeUnit.SECONDS)).hasMessageContaining("QMP_CLOSED");
            assertThat(ended).as("we killed it").isNotDone();
        }
    }

    @Test
    void aQemuThatEndsAtOnceSaysWhy() throws IOException {
        try (GuestLab lab = GuestLab.small()) {
            Path fake = lab.memoryDirectory.resolve("fake-qemu");
            Files.writeString(fake, "#!/bin/sh\necho 'no such machine: q35' >&2\nexit 3\n");
            Files.setPosixFilePermissions(fake, PosixFilePermissions.fromString("rwx------"));
            QemuDefinition definition = withBinary(lab.definition(), new QemuBinary(fake, 9, 0, "fake"));
            assertThatThrownBy(() -> QemuGuest.launch(definition)).hasMessageStartingWith("QEMU_DIED")
                    .hasMessageContaining("status=3").hasMessageContaining("no such machine: q35");
            Files.delete(fake);
        }
    }

    @Test
    void aRealQemuThatRefusesItsArgumentsSaysWhy() throws IOException {
        try (GuestLab lab = GuestLab.small()) {
            QemuDefinition definition = withExtra(lab.definition(), List.of("-device", "virtio-rng-pci,nonsense=1"));
            assertThatThrownBy(() -> QemuGuest.launch(definition)).hasMessageStartingWith("QEMU_DIED")
                    .hasMessageContaining("nonsense");
        }
    }

    @Test
    void refusesASegmentFileThatIsShorterThanTheGuest() throws IOException {
        try (GuestLab lab = GuestLab.small()) {
            Comparison.sparseFile(lab.runDirectory.resolve("console-short"), 4096);
            QemuDefinition given = lab.definition();
            QemuDefinition definition = withMemory(given,
                    new QemuDefinition.Memory.SegmentFile(lab.runDirectory.resolve("console-short")));
            assertThatThrownBy(() -> QemuGuest.launch(definition)).hasMessageStartingWith("QEMU_DEFINITION")
                    .hasMessageContaining("found=4096");
            QemuDefinition missing = withMemory(given,
                    new QemuDefinition.Memory.SegmentFile(lab.runDirectory.resolve("missing")));
            assertThatThrownBy(() -> QemuGuest.launch(missing)).hasMessageStartingWith("QEMU_DEFINITION");
        }
    }

    private static QemuDefinition withBinary(QemuDefinition d, QemuBinary binary) {
        return new QemuDefinition(d.name(), d.uuid(), d.memory(), d.memoryBytes(), d.vcpus(), binary, d.accelerator(),
                d.image(), d.load(), d.runDirectory(), d.consoleFile(), d.extraArguments());
    }

    private static QemuDefinition withMemory(QemuDefinition d, QemuDefinition.Memory memory) {
        return new QemuDefinition(d.name(), d.uuid(), memory, d.memoryBytes(), d.vcpus(), d.binary(), d.accelerator(),
                d.image(), d.load(), d.runDirectory(), d.consoleFile(), d.extraArguments());
    }

    private static QemuDefinition withExtra(QemuDefinition d, List<String> extra) {
        return new QemuDefinition(d.name(), d.uuid(), d.memory(), d.memoryBytes(), d.vcpus(), d.binary(),
                d.accelerator(),
                d.image(), d.load(), d.runDirectory(), d.consoleFile(), extra);
    }
}

package io.tombolo.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Mistakes with a real QEMU that must be noticed, or must harm nobody; see docs/planted-bugs.md. One boot for all.
@Timeout(180)
class QemuPlantedTest {
    /// A QEMU that is not told to wait.
    private static QemuDefinition withoutWaiting(GuestLab lab, Path wrapper) throws IOException {
        Files.writeString(wrapper, """
                #!/bin/bash
                arguments=()
                for argument; do
                    [ "$argument" = -S ] || arguments+=("$argument")
                done
                exec %s "${arguments[@]}"
                """.formatted(lab.binary.path()));
        Files.setPosixFilePermissions(wrapper, PosixFilePermissions.fromString("rwx------"));
        QemuDefinition d = lab.definition();
        QemuBinary binary = new QemuBinary(wrapper, lab.binary.major(), lab.binary.minor(), lab.binary.version());
        return new QemuDefinition(d.name(), d.uuid(), d.memory(), d.memoryBytes(), d.vcpus(), binary, d.accelerator(),
                d.image(), d.load(), d.runDirectory(), d.consoleFile(), d.extraArguments());
    }

    @Test
    void aTargetThatDoesNotWaitIsNoticedAndACancelByWhoIsNotTheOwnerHarmsNobody() throws IOException {
        try (GuestLab lab = GuestLab.small()) {
            QemuGuest source = lab.boot();

            // The source has offered the VM: it is not the owner any more, and cancels all the same.
            long mark = source.markAfterRoundTrip();
            lab.register(source).saveState(lab.slot, GuestLab.TIMEOUT_MS);
            source.qmp().call("migrate_cancel", Map.of(), GuestLab.TIMEOUT_MS);
            source.awaitSettled();
            assertThat(source.status()).isEqualTo("postmigrate");
            assertThat(source.qmp().findEvent(mark, QmpEvent.named("RESUME"))).isNull();
            source.takeBack();
            lab.awaitProgress(source);

            Path wrapper = lab.memoryDirectory.resolve("qemu-without-S");
            QemuGuest target = lab.register(QemuGuest.prelaunch(withoutWaiting(lab, wrapper)));
            long began = System.nanoTime();
            assertThatThrownBy(() -> lab.hop(source, target)).isInstanceOf(AssertionError.class)
                    .hasMessageContaining("before the owner word names it");
            System.out.println(
                    "planted: a target without -S: found after " + GuestLab.us(System.nanoTime() - began) + " us");
            Files.delete(wrapper);
        }
    }
}

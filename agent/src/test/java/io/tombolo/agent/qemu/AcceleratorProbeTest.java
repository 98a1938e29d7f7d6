package io.tombolo.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class AcceleratorProbeTest {
    @TempDir
    private Path cache;

    @Test
    void whatItChoosesReallyRunsAGuestAndIsRemembered() throws IOException {
        try (GuestLab lab = GuestLab.small()) {
            AcceleratorProbe.Result result = AcceleratorProbe.probe(lab.binary, lab.image, cache, lab.runDirectory);
            System.out.println("accelerator: " + result);
            QemuDefinition d = lab.definition();
            QemuGuest guest = lab.register(QemuGuest.launch(new QemuDefinition(d.name(), d.uuid(), d.memory(),
                    d.memoryBytes(), d.vcpus(), d.binary(), result.accelerator(), d.image(), d.load(), d.runDirectory(),
                    d.consoleFile(), List.of())));
            guest.cont();
            lab.awaitProgress(guest);
            try (var notes = Files.list(cache)) {
                for (Path note : notes.toList()) {
                    assertThat(Files.readString(note)).isEqualTo(
                            result.accelerator() == Accelerator.KVM ? "kvm" : result.reason());
                    Files.writeString(note, "as remembered");
                    assertThat(AcceleratorProbe.probe(lab.binary, lab.image, cache, lab.runDirectory))
                            .isEqualTo(new AcceleratorProbe.Result(Accelerator.TCG, "as remembered"));
                }
            }
        }
    }
}

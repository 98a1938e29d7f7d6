package io.tombolo.agent.qemu;

import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.UUID;

/// Finds out whether a Linux guest really runs under KVM here. The presence of /dev/kvm says little: there are machines
/// on which QEMU dies under it, and machines on which it says `running` while the guest stands still. So the guest
/// image is booted and must count, within a bounded time.
public final class AcceleratorProbe {
    /// Under KVM the image counts after some 1 s.
    private static final long PROGRESS_MS = 6_000;
    private static final Path KVM = Path.of("/dev/kvm");
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final String TRUE = "kvm";

    private AcceleratorProbe() {
    }

    /// What the probe found.
    ///
    /// @param accelerator what to use
    /// @param reason why not KVM; empty for KVM
    public record Result(Accelerator accelerator, String reason) {
    }

    /// The accelerator to use, from the note in `cache` if this machine, since it was booted, this QEMU and this image
    /// have been tried.
    ///
    /// @param runDirectory for the trial's sockets
    public static Result probe(QemuBinary binary, GuestImage image, Path cache, Path runDirectory) {
        if (!Files.isReadable(KVM) || !Files.isWritable(KVM)) {
            return new Result(Accelerator.TCG, "no access to " + KVM);
        }
        try {
            Path note = cache
                    .resolve("accelerator-" + UUID.nameUUIDFromBytes((Files.readString(BOOT_ID).strip() + binary
                            + image.hash()).getBytes(java.nio.charset.StandardCharsets.UTF_8)));
            if (!Files.exists(note)) {
                String reason = whyNotKvm(binary, image, runDirectory);
                Files.createDirectories(cache);
                Path written = Files.createTempFile(cache, "accelerator-", ".tmp");
                Files.writeString(written, reason.isEmpty() ? TRUE : reason);
                Files.move(written, note, StandardCopyOption.ATOMIC_MOVE);
            }
            String text = Files.readString(note).strip();
            return text.equals(TRUE) ? new Result(Accelerator.KVM, "") : new Result(Accelerator.TCG, text);
        } catch (IOException e) {
            return new Result(Accelerator.TCG, "the trial of KVM could not be made: " + e);
        }
    }

    private static String whyNotKvm(QemuBinary binary, GuestImage image, Path runDirectory) throws IOException {
        Path directory = TempFiles.privateDirectory(runDirectory, "kvm");
        GuestLoad load = new GuestLoad(1 << 20, "sequential", 1, 1, 20);
        QemuDefinition definition = new QemuDefinition("kvm-trial", new UUID(0, 1), new QemuDefinition.Memory.Private(),
                256L << 20, 1, binary, Accelerator.KVM, image, load, directory, directory.resolve("console"),
                List.of());
        try (QemuGuest guest = QemuGuest.launch(definition)) {
            guest.cont();
            new GuestConsole(definition.consoleFile()).await(b -> b.number() >= 3 && b.iterations() > 0, PROGRESS_MS);
            return "";
        } catch (TomboloException e) {
            return "a guest under KVM made no progress: " + e.getMessage().replace('\n', ' ');
        } finally {
            TempFiles.deleteTree(directory);
        }
    }
}

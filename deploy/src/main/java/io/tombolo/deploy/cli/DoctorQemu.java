package io.tombolo.deploy.cli;

import static io.tombolo.deploy.cli.DoctorLine.ok;
import static io.tombolo.deploy.cli.DoctorLine.warn;

import io.tombolo.agent.qemu.Accelerator;
import io.tombolo.agent.qemu.AcceleratorProbe;
import io.tombolo.agent.qemu.GuestImage;
import io.tombolo.agent.qemu.QemuBinary;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The part of `doctor` that looks at QEMU, KVM and the Linux guest. Without them simulated guests work, so nothing
/// here says FAIL.
final class DoctorQemu {
    private static final Path KVM = Path.of("/dev/kvm");

    private DoctorQemu() {
    }

    /// @param buildImage whether to build the guest image, if it is not cached, in order to try KVM
    static List<DoctorLine> look(boolean buildImage) {
        Map<String, String> environment = System.getenv();
        List<DoctorLine> lines = new ArrayList<>();
        QemuBinary binary;
        try {
            binary = QemuBinary.find(Optional.empty(), environment.getOrDefault("PATH", ""));
        } catch (TomboloException e) {
            lines.add(warn("qemu", e.what(), (e.next().isEmpty() ? "" : e.next() + "; ")
                    + "needed for --guest linux only"));
            return lines;
        }
        lines.add(ok("qemu", binary.version() + " at " + binary.path()));
        Path cache = GuestImage.defaultCache(environment);
        boolean cached = GuestImage.isCached(cache, environment);
        if (!cached && !buildImage) {
            lines.add(warn("guest image", "not built yet",
                    "the first drill --guest linux builds it, or doctor --try-kvm does"));
            lines.add(warn("kvm", Files.isWritable(KVM) ? KVM + " is there, not tried" : "no access to " + KVM,
                    Files.isWritable(KVM)
                            ? "doctor --try-kvm boots a guest"
                            : "guests run under TCG, which is slower"));
            return lines;
        }
        try {
            GuestImage image = GuestImage.ensure(cache, environment);
            lines.add(ok("guest image", image.kernel().getParent().toString()));
            lines.add(kvm(binary, image, cache));
        } catch (TomboloException e) {
            lines.add(warn("guest image", e.what(), e.next().isEmpty() ? e.getMessage() : e.next()));
        }
        return lines;
    }

    private static DoctorLine kvm(QemuBinary binary, GuestImage image, Path cache) {
        Path directory;
        try {
            directory = Files.createTempDirectory("tombolo-kvm");
        } catch (IOException e) {
            return warn("kvm", "not tried: " + e.getMessage(), "make the directory for temporary files writable");
        }
        AcceleratorProbe.Result result = AcceleratorProbe.probe(binary, image, cache, directory);
        try {
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return result.accelerator() == Accelerator.KVM
                ? ok("kvm", "a guest booted and makes progress")
                : warn("kvm", result.reason(), "guests run under TCG, which is slower");
    }
}

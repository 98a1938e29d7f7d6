package io.tombolo.agent.qemu;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// What a machine has to run Linux guests with: QEMU, the project's guest image, and an accelerator under which a guest
/// makes progress. The image is built and KVM tried at the first use on a machine, which takes from seconds to minutes.
public record QemuInstallation(QemuBinary binary, GuestImage image, Accelerator accelerator) {
    public QemuInstallation {
        requireNonNull(binary, "binary is null");
        requireNonNull(image, "image is null");
        requireNonNull(accelerator, "accelerator is null");
    }

    /// Looks for all three, and makes what is not there yet.
    ///
    /// @param binaryName a path, or [QemuBinary#NAME] for the one on the PATH
    /// @param acceleratorName `auto`, `kvm` or `tcg`
    /// @param imageCache empty for the user's cache directory
    /// @param runDirectory for the sockets of a trial
    /// @throws io.tombolo.region.TomboloException the errors of [QemuBinary#find] and [GuestImage#ensure]
    public static QemuInstallation find(String binaryName, String acceleratorName, String imageCache,
            Path runDirectory) {
        Map<String, String> environment = System.getenv();
        Optional<Path> configured = binaryName.equals(QemuBinary.NAME)
                ? Optional.empty()
                : Optional.of(Path.of(binaryName));
        QemuBinary binary = QemuBinary.find(configured, environment.getOrDefault("PATH", ""));
        Path cache = imageCache.isEmpty() ? GuestImage.defaultCache(environment) : Path.of(imageCache);
        GuestImage image = GuestImage.ensure(cache, environment);
        Accelerator accelerator = switch (acceleratorName) {
            case "kvm" -> Accelerator.KVM;
            case "tcg" -> Accelerator.TCG;
            default -> AcceleratorProbe.probe(binary, image, cache, runDirectory).accelerator();
        };
        return new QemuInstallation(binary, image, accelerator);
    }
}

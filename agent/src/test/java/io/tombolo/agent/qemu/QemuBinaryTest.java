package io.tombolo.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class QemuBinaryTest {
    @TempDir
    private Path directory;

    private Path fake(String version) throws IOException {
        Path file = directory.resolve(QemuBinary.NAME);
        Files.writeString(file, "#!/bin/sh\necho '" + version + "'\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
        return file;
    }

    @Test
    void findsTheInstalledBinaryAndItsVersion() {
        QemuBinary binary = QemuBinary.find(Optional.empty(), System.getenv("PATH"));
        assertThat(binary.major()).isGreaterThanOrEqualTo(7);
        assertThat(binary.version()).startsWith(binary.major() + "." + binary.minor());
    }

    @Test
    void refusesWhenThereIsNone() {
        assertThatThrownBy(() -> QemuBinary.find(Optional.empty(), directory.toString()))
                .hasMessageStartingWith("QEMU_MISSING").hasMessageContaining("apt-get install");
        assertThatThrownBy(() -> QemuBinary.find(Optional.of(directory.resolve("nothing")), "/usr/bin"))
                .hasMessageStartingWith("QEMU_MISSING").hasMessageContaining("nothing");
        assertThatThrownBy(() -> QemuBinary.find(Optional.of(directory), "")).hasMessageStartingWith("QEMU_MISSING");
    }

    @Test
    void refusesAnOlderOne() throws IOException {
        fake("QEMU emulator version 7.1.0 (Debian 1:7.1+dfsg-2)");
        assertThatThrownBy(() -> QemuBinary.find(Optional.empty(), directory.toString()))
                .hasMessageStartingWith("QEMU_TOO_OLD").hasMessageContaining("found=7.1.0")
                .hasMessageContaining("minimum=7.2");
        fake("QEMU emulator version 6.9.50");
        assertThatThrownBy(() -> QemuBinary.find(Optional.empty(), directory.toString()))
                .hasMessageStartingWith("QEMU_TOO_OLD");
    }

    @Test
    void refusesWhatIsNotQemu() throws IOException {
        Path file = fake("GNU bash, version 5.2.15");
        assertThatThrownBy(() -> QemuBinary.find(Optional.of(file), "")).hasMessageStartingWith("QEMU_TOO_OLD");
        Files.writeString(file, "#!/nonexistent/interpreter\n");
        assertThatThrownBy(() -> QemuBinary.find(Optional.of(file), "")).hasMessageStartingWith("QEMU_MISSING");
    }

    @Test
    void takesNewerOnes() throws IOException {
        for (String version : new String[]{"7.2.0", "7.10.1", "8.0.0-rc1", "10.0.2 (Debian 1:10.0.2+ds-2)"}) {
            Path file = fake("QEMU emulator version " + version);
            assertThat(QemuBinary.find(Optional.of(file), "").version()).isEqualTo(version);
        }
    }
}

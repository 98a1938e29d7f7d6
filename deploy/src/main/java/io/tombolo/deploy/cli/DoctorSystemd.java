package io.tombolo.deploy.cli;

import static io.tombolo.deploy.cli.DoctorLine.ok;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// The part of `doctor` that looks at systemd. Not needed for drills, whose supervisor is Tombolo's own.
final class DoctorSystemd {
    private DoctorSystemd() {
    }

    /// @param unit a unit file to check; null for none
    static List<DoctorLine> look(Path unit) {
        boolean running = Files.isDirectory(Path.of("/run/systemd/system"));
        return List
                .of(ok("systemd", running ? "runs this machine" : "does not run this machine; not needed for drills"));
    }
}

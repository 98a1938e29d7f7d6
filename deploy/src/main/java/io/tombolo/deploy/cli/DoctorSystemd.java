package io.tombolo.deploy.cli;

import static io.tombolo.deploy.cli.DoctorLine.fail;
import static io.tombolo.deploy.cli.DoctorLine.ok;

import io.tombolo.deploy.cluster.SystemdUnitCheck;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The part of `doctor` that looks at systemd. Not needed for drills, whose supervisor is Tombolo's own.
final class DoctorSystemd {
    private static final String CHECK = "systemd unit";

    private DoctorSystemd() {
    }

    /// Looks at a unit: a unit file with its drop-ins, or the name of a unit that systemd knows.
    ///
    /// @param unit `""` for none
    static List<DoctorLine> look(String unit) {
        boolean running = Files.isDirectory(Path.of("/run/systemd/system"));
        List<DoctorLine> lines = new ArrayList<>();
        lines.add(ok("systemd", running ? "runs this machine" : "does not run this machine; not needed for drills"));
        if (!unit.isEmpty()) {
            try {
                lines.addAll(check(unit, Files.exists(Path.of(unit)) ? read(Path.of(unit)) : ask(unit)));
            } catch (IOException e) {
                lines.add(fail(CHECK, unit + ": " + e.getMessage(), "give a unit file, or the name of a loaded unit"));
            }
        }
        return lines;
    }

    private static List<DoctorLine> check(String unit, Map<String, String> settings) {
        List<SystemdUnitCheck.Finding> findings = SystemdUnitCheck.checkAgent(settings, Optional.empty());
        if (findings.isEmpty()) {
            return List.of(ok(CHECK, unit + " kills the whole group when the watchdog runs out"));
        }
        return findings.stream().map(f -> fail(CHECK, f.key() + "=" + f.found() + ": " + f.why(),
                "put " + f.next() + " into the unit")).toList();
    }

    /// The file and the drop-ins beside it, in the order in which systemd applies them.
    private static Map<String, String> read(Path file) throws IOException {
        List<String> texts = new ArrayList<>(List.of(Files.readString(file)));
        Path dropIns = file.resolveSibling(file.getFileName() + ".d");
        if (Files.isDirectory(dropIns)) {
            try (Stream<Path> found = Files.list(dropIns)) {
                for (Path dropIn : found.filter(f -> f.toString().endsWith(".conf")).sorted().toList()) {
                    texts.add(Files.readString(dropIn));
                }
            }
        }
        return SystemdUnitCheck.parseUnit(texts);
    }

    private static Map<String, String> ask(String unit) throws IOException {
        Process process = new ProcessBuilder("systemctl", "show", unit).redirectErrorStream(true).start();
        try (var output = process.getInputStream()) {
            String text = new String(output.readAllBytes(), StandardCharsets.UTF_8);
            if (!text.contains("LoadState=loaded")) {
                throw new IOException("systemd has no such unit");
            }
            return SystemdUnitCheck.parseShow(text);
        } finally {
            process.destroyForcibly();
        }
    }
}

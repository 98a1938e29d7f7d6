package io.tombolo.chaos.run;

import io.tombolo.chaos.run.LapsesRenew.Lapse;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What the logs of a run say that is not written down elsewhere.
final class LogLines {
    private static final Pattern LAPSE = Pattern.compile("^(\\S+Z) \\S+ +HostActions .* host (\\S+): right lapsed: ");

    private LogLines() {
    }

    /// When which host said that its right had lapsed.
    ///
    /// @param zero the wall clock's time at which the run began
    static List<Lapse> lapses(List<Path> logs, Instant zero) {
        List<Lapse> all = new ArrayList<>();
        for (Path log : logs) {
            try (BufferedReader lines = new BufferedReader(
                    new InputStreamReader(Files.newInputStream(log), StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    Matcher lapse = LAPSE.matcher(line);
                    if (lapse.find()) {
                        all.add(new Lapse(lapse.group(2),
                                Duration.between(zero, Instant.parse(lapse.group(1))).toNanos()));
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return all;
    }
}

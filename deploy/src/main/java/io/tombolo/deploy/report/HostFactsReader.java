package io.tombolo.deploy.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// Reads what machine this is from /proc and /sys; what cannot be read is `unknown` or 0, never an error.
public final class HostFactsReader {
    private HostFactsReader() {
    }

    /// Reads them.
    ///
    /// @param hosts number of hosts of the cluster
    public static DrillReport.HostFacts read(int hosts) {
        String memory = field(Path.of("/proc/meminfo"), l -> l.startsWith("MemTotal")).replaceAll("[^0-9]", "");
        return new DrillReport.HostFacts(Runtime.getRuntime().availableProcessors(),
                field(Path.of("/proc/cpuinfo"), l -> l.startsWith("model name")),
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                memory.isEmpty() ? 0 : Long.parseLong(memory) * 1024, clockSource(), hosts);
    }

    /// What the kernel tells the time by, for example `tsc`.
    public static String clockSource() {
        return field(Path.of("/sys/devices/system/clocksource/clocksource0/current_clocksource"), _ -> true);
    }

    /// What follows the colon, or the whole line if there is none.
    private static String field(Path file, Predicate<String> wanted) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(wanted).findFirst().map(l -> l.substring(l.indexOf(':') + 1).strip()).orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }
}

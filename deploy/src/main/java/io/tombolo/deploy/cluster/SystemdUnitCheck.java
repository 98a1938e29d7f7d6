package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.right.Timings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Checks whether a systemd service stops an agent the way the bound assumes: SIGKILL to the whole control group, with
/// no grace, when the watchdog runs out. systemd's own defaults do not.
///
/// Reads unit files (with their drop-ins, in the order systemd applies them) and what `systemctl show UNIT` prints.
public final class SystemdUnitCheck {
    /// The longest TimeoutAbortSec that is no grace: the signal is SIGKILL already, this only bounds systemd's wait.
    private static final Duration ABORT_MAX = Duration.ofSeconds(5);
    private static final Duration DEFAULT_STOP = Duration.ofSeconds(90);
    private static final Pattern SPAN = Pattern.compile("([0-9]+(?:\\.[0-9]+)?)\\s*([a-zA-Zµ]*)");

    /// One thing that is wrong.
    ///
    /// @param key the setting
    /// @param found its value; `unset` with systemd's default after it
    /// @param why what would happen
    /// @param next the line to put into the unit or a drop-in
    public record Finding(String key, String found, String why, String next) {
        public Finding {
            requireNonNull(key, "key is null");
            requireNonNull(found, "found is null");
            requireNonNull(why, "why is null");
            requireNonNull(next, "next is null");
        }
    }

    private final Map<String, String> settings;
    private final List<Finding> findings = new ArrayList<>();

    private SystemdUnitCheck(Map<String, String> settings) {
        this.settings = settings;
    }

    /// Checks the settings of an agent's service.
    ///
    /// @param settings the `[Service]` settings by their unit-file names, see [#parseUnit] and [#parseShow]
    /// @param timings the agent's, if its configuration is known: WatchdogSec has to be their W
    /// @return nothing if everything is as it has to be
    public static List<Finding> checkAgent(Map<String, String> settings, Optional<Timings> timings) {
        requireNonNull(timings, "timings is null");
        SystemdUnitCheck check = new SystemdUnitCheck(Map.copyOf(settings));
        check.notification();
        check.watchdog(timings);
        check.killing();
        return List.copyOf(check.findings);
    }

    private void notification() {
        String type = settings.getOrDefault("Type", "simple");
        if (!type.equals("notify") && !type.equals("notify-reload")) {
            wrong("Type", "simple", "systemd would not wait for READY=1 and would not take pets", "Type=notify");
        }
        // Type=notify implies main.
        if (!settings.getOrDefault("NotifyAccess", "main").equals("main")) {
            wrong("NotifyAccess", "main", "another process of the group, such as QEMU, could pet", "NotifyAccess=main");
        }
    }

    private void watchdog(Optional<Timings> timings) {
        Optional<Duration> watchdog = span("WatchdogSec");
        String wanted = "WatchdogSec=" + timings.map(t -> t.watchdogMs() + "ms").orElse("<2 x baseMs>ms");
        if (watchdog.isEmpty() || watchdog.get().isZero()) {
            wrong("WatchdogSec", "0", "nothing kills an agent that hangs; its VMs cannot be taken over", wanted);
        } else if (timings.isPresent() && watchdog.get().toMillis() != timings.get().watchdogMs()) {
            wrong("WatchdogSec", "0", "the agent's other timings are derived from another watchdog time", wanted);
        }
        if (!isSigkill("WatchdogSignal", "SIGABRT")) {
            wrong("WatchdogSignal", "SIGABRT",
                    "a stopped process would be woken by the SIGCONT that follows, and run until its core is dumped",
                    "WatchdogSignal=SIGKILL");
        }
        Duration abort = settings.containsKey("TimeoutAbortSec")
                ? span("TimeoutAbortSec").orElse(Duration.ofDays(10_000))
                : settings.containsKey("TimeoutStopSec")
                        ? span("TimeoutStopSec").orElse(Duration.ofDays(10_000))
                        : DEFAULT_STOP;
        if (abort.compareTo(ABORT_MAX) > 0) {
            wrong("TimeoutAbortSec", "TimeoutStopSec, 90s", "the rest of the group may live on for that long",
                    "TimeoutAbortSec=1s");
        }
    }

    private void killing() {
        if (!settings.getOrDefault("KillMode", "control-group").equals("control-group")) {
            wrong("KillMode", "control-group", "QEMU would live on without its agent and store to the region",
                    "KillMode=control-group");
        }
        if (!List.of("yes", "true", "1", "on").contains(settings.getOrDefault("SendSIGKILL", "yes"))) {
            wrong("SendSIGKILL", "yes", "what does not end by itself would live on", "SendSIGKILL=yes");
        }
        if (!isSigkill("FinalKillSignal", "SIGKILL")) {
            wrong("FinalKillSignal", "SIGKILL", "what does not end by itself would live on",
                    "FinalKillSignal=SIGKILL");
        }
    }

    private boolean isSigkill(String key, String byDefault) {
        return List.of("SIGKILL", "KILL", "9").contains(settings.getOrDefault(key, byDefault));
    }

    private void wrong(String key, String byDefault, String why, String next) {
        String found = settings.containsKey(key) ? settings.get(key) : "unset (" + byDefault + ")";
        findings.add(new Finding(key, found, why, next));
    }

    /// Empty for no such setting and for `infinity`.
    private Optional<Duration> span(String key) {
        return settings.containsKey(key) ? parseSpan(settings.get(key)) : Optional.empty();
    }

    /// A time span as systemd.time(7) writes it; a bare number is seconds. Empty for `infinity` and for what is none.
    static Optional<Duration> parseSpan(String text) {
        Duration sum = Duration.ZERO;
        Matcher parts = SPAN.matcher(text.strip());
        int end = 0;
        while (parts.lookingAt()) {
            Optional<Double> unitMs = unitMs(parts.group(2));
            if (unitMs.isEmpty()) {
                return Optional.empty();
            }
            sum = sum.plusNanos(Math.round(Double.parseDouble(parts.group(1)) * unitMs.get() * 1e6));
            end = parts.end();
            while (end < text.strip().length() && text.strip().charAt(end) == ' ') {
                end++;
            }
            parts.region(end, text.strip().length());
        }
        return end > 0 && end == text.strip().length() ? Optional.of(sum) : Optional.empty();
    }

    private static Optional<Double> unitMs(String unit) {
        return switch (unit) {
            case "us", "usec", "µs" -> Optional.of(0.001);
            case "ms", "msec" -> Optional.of(1.0);
            case "", "s", "sec", "second", "seconds" -> Optional.of(1_000.0);
            case "m", "min", "minute", "minutes" -> Optional.of(60_000.0);
            case "h", "hr", "hour", "hours" -> Optional.of(3_600_000.0);
            default -> Optional.empty();
        };
    }

    /// The `[Service]` settings of a unit file followed by its drop-ins; the last assignment counts, an empty one
    /// unsets.
    public static Map<String, String> parseUnit(List<String> files) {
        Map<String, String> settings = new HashMap<>();
        for (String file : files) {
            String section = "";
            for (String line : file.replaceAll("\\\\\r?\n", " ").lines().map(String::strip).toList()) {
                int equals = line.indexOf('=');
                if (line.startsWith("[") && line.endsWith("]")) {
                    section = line.substring(1, line.length() - 1);
                } else if (section.equals("Service") && equals > 0 && !line.startsWith("#") && !line.startsWith(";")) {
                    assign(settings, line.substring(0, equals).strip(), line.substring(equals + 1).strip());
                }
            }
        }
        return settings;
    }

    /// What `systemctl show UNIT` prints, one `Key=value` per line. Its names of times end in `USec`.
    public static Map<String, String> parseShow(String output) {
        Map<String, String> settings = new HashMap<>();
        output.lines().forEach(line -> {
            int equals = line.indexOf('=');
            if (equals > 0) {
                assign(settings, line.substring(0, equals).replaceFirst("USec$", "Sec"), line.substring(equals + 1));
            }
        });
        return settings;
    }

    private static void assign(Map<String, String> settings, String key, String value) {
        if (value.isEmpty()) {
            settings.remove(key);
        } else {
            boolean word = List.of("Type", "NotifyAccess", "KillMode", "SendSIGKILL").contains(key);
            settings.put(key, word ? value.toLowerCase(Locale.ROOT) : value);
        }
    }
}

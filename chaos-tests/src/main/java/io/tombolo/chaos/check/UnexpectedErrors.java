package io.tombolo.chaos.check;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.history.History;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// No log has a line that looks like an error, except those that are expected of the faults of the run.
///
/// It does not check: errors that were not logged, or in other words; a line cut off by a kill; stack traces below
/// their first line; whether an allowed line came at a time when it was to be expected. It does not look at the
/// history. A log that cannot be read, or no log, is UNKNOWN.
///
/// @param logs    files, read as UTF-8 with damaged bytes replaced
/// @param errors  a line with a match of one of these is an error
/// @param allowed unless it has a match of one of these
public record UnexpectedErrors(List<Path> logs, List<Pattern> errors, List<Pattern> allowed) implements Checker {
    /// Levels ERROR and FATAL, uncaught exceptions, and what a JVM says before it dies.
    public static final List<Pattern> DEFAULT_ERRORS = List.of(Pattern.compile("\\b(ERROR|FATAL|SEVERE)\\b"),
            Pattern.compile("\\bINTERNAL: "), Pattern.compile("Exception in thread "),
            Pattern.compile("\\b(AssertionError|OutOfMemoryError|StackOverflowError|InternalError)\\b"),
            Pattern.compile("A fatal error has been detected by the Java Runtime Environment"));

    private static final int SHOWN_CHARS = 400;

    public UnexpectedErrors {
        logs = List.copyOf(logs);
        errors = List.copyOf(errors);
        allowed = List.copyOf(allowed);
        requireNonNull(logs, "logs is null");
    }

    @Override
    public String name() {
        return "unexpected-errors";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        List<String> problems = new ArrayList<>();
        List<Object> unreadable = new ArrayList<>();
        long[] counts = new long[2];
        for (Path log : logs) {
            try {
                read(log, problems, counts);
            } catch (IOException e) {
                unreadable.add(log + ": " + e);
            }
        }
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("logs", logs.size());
        facts.put("lines", counts[0]);
        facts.put("allowed", counts[1]);
        facts.put("unreadable", unreadable);
        if (problems.isEmpty() && (logs.isEmpty() || !unreadable.isEmpty())) {
            return CheckResult.unknown(name(), logs.isEmpty() ? "there is no log" : "a log cannot be read", facts);
        }
        return CheckResult.ofProblems(name(), problems, facts);
    }

    private void read(Path log, List<String> problems, long[] counts) throws IOException {
        try (BufferedReader reader = new BufferedReader(
                new InputStreamReader(Files.newInputStream(log), StandardCharsets.UTF_8))) {
            long number = 0;
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                number++;
                counts[0]++;
                if (!matches(errors, line)) {
                    continue;
                }
                if (matches(allowed, line)) {
                    counts[1]++;
                } else {
                    problems.add(log.getFileName() + ":" + number + ": "
                            + line.substring(0, Math.min(line.length(), SHOWN_CHARS)));
                }
            }
        }
    }

    private static boolean matches(List<Pattern> patterns, String line) {
        return patterns.stream().anyMatch(pattern -> pattern.matcher(line).find());
    }
}

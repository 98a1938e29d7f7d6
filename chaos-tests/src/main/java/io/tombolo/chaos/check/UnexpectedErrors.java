package io.tombolo.chaos.check;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.history.History;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/// No log has a line that looks like an error, except those that are expected of the faults of the run, in the logs of
/// whom and at the times at which they are.
///
/// A line's time is what it begins with (`2026-11-21T15:18:26.643Z`); one without is of the time of the line before.
///
/// It does not check: errors that were not logged, or in other words; a line cut off by a kill; stack traces below
/// their first line. It does not look at the history. A log that cannot be read, or no log, is UNKNOWN.
///
/// @param logs    files, read as UTF-8 with damaged bytes replaced
/// @param errors  a line with a match of one of these is an error
/// @param allowed unless one of these allows it
/// @param zero    the wall clock's time at which the clock of [Allowed#spans] was 0
public record UnexpectedErrors(List<Path> logs, List<Pattern> errors, List<Allowed> allowed,
        Instant zero) implements Checker {
    /// Levels ERROR and FATAL, uncaught exceptions, and what a JVM says before it dies.
    public static final List<Pattern> DEFAULT_ERRORS = List.of(Pattern.compile("\\b(ERROR|FATAL|SEVERE)\\b"),
            Pattern.compile("\\bINTERNAL: "), Pattern.compile("Exception in thread "),
            Pattern.compile("\\b(AssertionError|OutOfMemoryError|StackOverflowError|InternalError)\\b"),
            Pattern.compile("A fatal error has been detected by the Java Runtime Environment"));

    private static final int SHOWN_CHARS = 400;
    private static final int TIME_CHARS = "2026-11-21T15:18:26.643Z".length();

    /// A part of a run, both ends included. Nanoseconds since the run began.
    public record Span(long fromNs, long untilNs) {
        /// Any time, also one that nobody knows.
        public static final Span ALWAYS = new Span(Long.MIN_VALUE, Long.MAX_VALUE);

        boolean holds(long ns) {
            return fromNs <= ns && ns <= untilNs;
        }
    }

    /// Errors that are no surprise.
    ///
    /// @param why   said in the result
    /// @param log   name of the log, all of it
    /// @param line  found in the line
    /// @param spans when
    public record Allowed(String why, Pattern log, Pattern line, List<Span> spans) {
        public Allowed {
            requireNonNull(why, "why is null");
            requireNonNull(log, "log is null");
            requireNonNull(line, "line is null");
            spans = List.copyOf(spans);
        }

        boolean allows(String name, String text, long ns) {
            return spans.stream().anyMatch(span -> span.holds(ns)) && line.matcher(text).find()
                    && log.matcher(name).matches();
        }
    }

    public UnexpectedErrors {
        logs = List.copyOf(logs);
        errors = List.copyOf(errors);
        allowed = List.copyOf(allowed);
        requireNonNull(zero, "zero is null");
    }

    @Override
    public String name() {
        return "unexpected-errors";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        List<String> problems = new ArrayList<>();
        List<Object> unreadable = new ArrayList<>();
        Map<String, Object> explained = new TreeMap<>();
        long lines = 0;
        for (Path log : logs) {
            try {
                lines += read(log, problems, explained);
            } catch (IOException e) {
                unreadable.add(log + ": " + e);
            }
        }
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("logs", logs.size());
        facts.put("lines", lines);
        facts.put("allowed", explained);
        facts.put("unreadable", unreadable);
        if (problems.isEmpty() && (logs.isEmpty() || !unreadable.isEmpty())) {
            return CheckResult.unknown(name(), logs.isEmpty() ? "there is no log" : "a log cannot be read", facts);
        }
        return CheckResult.ofProblems(name(), problems, facts);
    }

    private long read(Path log, List<String> problems, Map<String, Object> explained) throws IOException {
        String file = log.getFileName().toString();
        try (BufferedReader reader = new BufferedReader(
                new InputStreamReader(Files.newInputStream(log), StandardCharsets.UTF_8))) {
            long number = 0;
            long ns = Long.MIN_VALUE;
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                number++;
                ns = time(line, ns);
                String text = line;
                long at = ns;
                if (errors.stream().noneMatch(error -> error.matcher(text).find())) {
                    continue;
                }
                Optional<Allowed> known = allowed.stream().filter(one -> one.allows(file, text, at)).findFirst();
                if (known.isPresent()) {
                    explained.merge(known.get().why(), 1L, (before, one) -> (Long) before + (Long) one);
                } else {
                    problems.add(file + ":" + number + (ns == Long.MIN_VALUE ? "" : " at " + ns / 1_000_000 + " ms")
                            + ": " + line.substring(0, Math.min(line.length(), SHOWN_CHARS)));
                }
            }
            return number;
        }
    }

    private long time(String line, long before) {
        if (line.length() < TIME_CHARS || !Character.isDigit(line.charAt(0)) || line.charAt(TIME_CHARS - 1) != 'Z') {
            return before;
        }
        try {
            return Duration.between(zero, Instant.parse(line.substring(0, TIME_CHARS))).toNanos();
        } catch (DateTimeParseException _) {
            return before;
        }
    }
}

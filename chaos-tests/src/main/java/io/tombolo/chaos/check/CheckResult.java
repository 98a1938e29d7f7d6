package io.tombolo.chaos.check;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.history.HistoryValues;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What one checker found. Immutable.
///
/// @param checker its name
/// @param verdict what it says
/// @param details facts for people and reports, in order; values as in [HistoryValues], so they go into JSON as they
///                are
public record CheckResult(String checker, Verdict verdict, Map<String, Object> details) {
    /// Key of what is wrong, a list of sentences, the first of them first.
    public static final String PROBLEMS = "problems";
    /// Key of why nothing was decided.
    public static final String REASON = "reason";
    /// Problems named in a result; more are only counted, under `problemCount`.
    public static final int MAX_PROBLEMS = 20;

    @SuppressWarnings("unchecked")
    public CheckResult {
        requireNonNull(checker, "checker is null");
        requireNonNull(verdict, "verdict is null");
        // A map stays a map with keys that are strings.
        details = (Map<String, Object>) HistoryValues.immutable(requireNonNull(details, "details is null"));
    }

    /// VALID if there are no problems, otherwise INVALID with them.
    public static CheckResult ofProblems(String checker, List<String> problems, Map<String, Object> facts) {
        Map<String, Object> details = new LinkedHashMap<>(facts);
        if (!problems.isEmpty()) {
            details.put("problemCount", problems.size());
            details.put(PROBLEMS, problems.subList(0, Math.min(problems.size(), MAX_PROBLEMS)));
        }
        return new CheckResult(checker, problems.isEmpty() ? Verdict.VALID : Verdict.INVALID, details);
    }

    /// UNKNOWN, with the reason.
    public static CheckResult unknown(String checker, String reason, Map<String, Object> facts) {
        Map<String, Object> details = new LinkedHashMap<>(facts);
        details.put(REASON, reason);
        return new CheckResult(checker, Verdict.UNKNOWN, details);
    }
}

package io.tombolo.chaos.check;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.OpType;
import io.tombolo.chaos.history.Operation;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// What several checkers said of one run. Immutable.
///
/// @param results in the order of the checkers
public record Verdicts(List<CheckResult> results) {
    public Verdicts {
        results = List.copyOf(results);
    }

    /// Asks one checker after the other. One that fails says UNKNOWN, never VALID, and does not keep the others from
    /// being asked.
    public static Verdicts of(List<Checker> checkers, History history, CheckContext context) {
        requireNonNull(history, "history is null");
        List<CheckResult> results = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Checker checker : checkers) {
            if (!names.add(checker.name())) {
                throw new IllegalArgumentException("two checkers of one name: " + checker.name());
            }
            try {
                results.add(checker.check(history, context));
            } catch (TomboloException e) {
                results.add(CheckResult.unknown(checker.name(), e.getMessage(), Map.of()));
            } catch (RuntimeException e) {
                results.add(CheckResult.unknown(checker.name(), "the checker failed: " + e, Map.of()));
            }
        }
        return new Verdicts(results);
    }

    /// The worst of all; UNKNOWN if nobody was asked.
    public Verdict verdict() {
        return results.isEmpty()
                ? Verdict.UNKNOWN
                : Verdict.worst(results.stream().map(CheckResult::verdict).toList());
    }

    /// The form of `results.json`: `verdict`, `checkers` (name to verdict), `details` (name to facts). Verdicts are in
    /// lower case.
    public Map<String, Object> json() {
        Map<String, Object> checkers = new LinkedHashMap<>();
        Map<String, Object> details = new LinkedHashMap<>();
        for (CheckResult result : results) {
            checkers.put(result.checker(), word(result.verdict()));
            details.put(result.checker(), result.details());
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("verdict", word(verdict()));
        json.put("checkers", checkers);
        json.put("details", details);
        return json;
    }

    /// How many operations of a history ended how: `ok`, `fail`, `info`.
    public static Map<String, Object> operationCounts(History history) {
        Map<String, Object> counts = new LinkedHashMap<>();
        for (OpType type : List.of(OpType.OK, OpType.FAIL, OpType.INFO)) {
            counts.put(type.word(), history.operations().stream().map(Operation::outcome).filter(type::equals).count());
        }
        return counts;
    }

    private static String word(Verdict verdict) {
        return verdict.name().toLowerCase(Locale.ROOT);
    }
}

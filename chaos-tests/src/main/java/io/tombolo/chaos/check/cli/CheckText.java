package io.tombolo.chaos.check.cli;

import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.Verdict;
import io.tombolo.chaos.check.Verdicts;
import io.tombolo.chaos.history.Histories;
import io.tombolo.chaos.history.History;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Verdicts for a person who reads a terminal.
public final class CheckText {
    private static final int SHOWN_LINEARISATIONS = 3;
    private static final int SHOWN_VIOLATIONS = 3;

    private CheckText() {
    }

    /// Several lines, the verdict first, each with its end.
    public static String of(Verdicts verdicts, History history) {
        StringBuilder text = new StringBuilder();
        Map<String, Object> counts = Verdicts.operationCounts(history);
        line(text,
                verdicts.verdict() + ": " + history.operations().size() + " operations (" + counts.get("ok") + " ok, "
                        + counts.get("fail") + " fail, " + counts.get("info") + " info)");
        verdicts.results().forEach(result -> append(text, result));
        return text.toString();
    }

    private static void append(StringBuilder text, CheckResult result) {
        Map<String, Object> details = result.details();
        StringBuilder facts = new StringBuilder();
        details.forEach((key, value) -> {
            if (value instanceof Long elapsedNs && key.equals("elapsedNs")) {
                facts.append(String.format(Locale.ROOT, ", took %.1f ms", elapsedNs / 1e6));
            } else if (value instanceof Long) {
                facts.append(facts.isEmpty() ? ": " : ", ").append(words(key)).append(' ').append(value);
            }
        });
        line(text, "  " + result.checker() + ": " + result.verdict() + facts);
        if (result.verdict() == Verdict.UNKNOWN) {
            line(text, "    " + details.get(CheckResult.REASON)
                    + (details.containsKey("undecidedKeys") ? ", keys " + details.get("undecidedKeys") : ""));
        }
        list(details.get(CheckResult.PROBLEMS)).forEach(problem -> line(text, "    " + problem));
        List<?> violations = list(details.get("violations"));
        violations.stream().limit(SHOWN_VIOLATIONS).forEach(violation -> violation(text, (Map<?, ?>) violation));
        if (violations.size() > SHOWN_VIOLATIONS) {
            line(text, "    more keys are invalid: " + details.get("invalidKeys"));
        }
    }

    private static void violation(StringBuilder text, Map<?, ?> violation) {
        String key = violation.get("key") == null ? "" : "key " + Histories.text(violation.get("key")) + ": ";
        String what = Boolean.TRUE.equals(violation.get("proven"))
                ? "this operation cannot be placed: "
                : "there is no order, and the longest that was found ends before: ";
        line(text, "    " + key + what + ((Map<?, ?>) violation.get("operation")).get("text"));
        List<?> longest = list(violation.get("longestLinearisations"));
        for (int i = 0; i < Math.min(SHOWN_LINEARISATIONS, longest.size()); i++) {
            Map<?, ?> partial = (Map<?, ?>) longest.get(i);
            line(text, "    longest partial linearisation " + (i + 1) + " of " + longest.size() + ", its last steps:");
            for (Object step : list(partial.get("steps"))) {
                line(text, "      " + ((Map<?, ?>) step).get("text") + "  => " + ((Map<?, ?>) step).get("state"));
            }
            line(text, "      state now: " + partial.get("state") + "; pending:");
            for (Object pending : list(partial.get("pending"))) {
                line(text, "        " + ((Map<?, ?>) pending).get("text"));
            }
        }
    }

    private static List<?> list(Object value) {
        return value instanceof List<?> list ? list : List.of();
    }

    /// `droppedUnknownOperations`: dropped unknown operations.
    private static String words(String key) {
        return key.replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT);
    }

    private static void line(StringBuilder text, String line) {
        text.append(line).append(System.lineSeparator());
    }
}

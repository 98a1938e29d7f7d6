package io.tombolo.chaos.explore;

import static java.util.Objects.requireNonNull;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What was explored, and what came of it.
///
/// @param protocol its name
/// @param bounds within which the result holds, one per line
public record Exploration(String protocol, List<String> bounds, Explorer.Result result) {
    public Exploration {
        requireNonNull(protocol, "protocol is null");
        requireNonNull(result, "result is null");
        bounds = List.copyOf(bounds);
    }

    /// For people: one line, the bounds, and the trace to what is wrong.
    public String text() {
        StringBuilder text = new StringBuilder();
        text.append(
                String.format(Locale.ROOT, "%s: %s: %,d worlds, %,d steps between them, depth %d, %.1f s%n", protocol,
                        result.violation().isPresent() ? "VIOLATION" : result.complete() ? "complete" : "GIVEN UP",
                        result.states(), result.transitions(), result.depth(), result.millis() / 1000.0));
        bounds.forEach(bound -> text.append("  within: ").append(bound).append(System.lineSeparator()));
        result.violation().ifPresent(what -> {
            text.append("  after ").append(result.steps()).append(" steps: ").append(what)
                    .append(System.lineSeparator());
            for (int i = 0; i < result.trace().size(); i++) {
                text.append(String.format(Locale.ROOT, "  %3d %s%n", i, result.trace().get(i)));
            }
        });
        return text.toString();
    }

    /// For programs: `protocol`, `states`, `transitions`, `depth`, `millis`, `complete`, `bounds`, `violation` (null if
    /// there is none), `trace`.
    public Map<String, Object> json() {
        Map<String, Object> value = new LinkedHashMap<>();
        value.put("protocol", protocol);
        value.put("states", result.states());
        value.put("transitions", result.transitions());
        value.put("depth", result.depth());
        value.put("millis", result.millis());
        value.put("complete", result.complete());
        value.put("bounds", bounds);
        value.put("violation", result.violation().orElse(null));
        value.put("trace", result.trace());
        return value;
    }
}

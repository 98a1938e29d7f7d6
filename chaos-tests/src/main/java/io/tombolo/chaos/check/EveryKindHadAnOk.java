package io.tombolo.chaos.check;

import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.Operation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Every kind of operation was OK at least once, so that the other checkers had something to look at.
///
/// It does not check: how often, when (a cluster that answered one operation and then none passes), or with what
/// answer.
///
/// @param expected kinds that must be there even if the history has none of them
public record EveryKindHadAnOk(Set<String> expected) implements Checker {
    public EveryKindHadAnOk {
        expected = Set.copyOf(expected);
    }

    @Override
    public String name() {
        return "every-kind-had-an-ok";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        Map<String, Map<String, Object>> counts = new TreeMap<>();
        for (Operation operation : history.operations()) {
            counts.computeIfAbsent(operation.f(), _ -> new LinkedHashMap<>()).merge(operation.outcome().word(), 1L,
                    (a, b) -> (Long) a + (Long) b);
        }
        Set<String> kinds = new TreeSet<>(expected);
        kinds.addAll(counts.keySet());
        List<String> problems = new ArrayList<>();
        for (String kind : kinds) {
            Map<String, Object> outcomes = counts.getOrDefault(kind, Map.of());
            if (!outcomes.containsKey("ok")) {
                problems.add("no " + kind + " is ok: " + outcomes);
            }
        }
        return kinds.isEmpty()
                ? CheckResult.unknown(name(), "there is no operation", Map.of())
                : CheckResult.ofProblems(name(), problems, new LinkedHashMap<>(counts));
    }
}

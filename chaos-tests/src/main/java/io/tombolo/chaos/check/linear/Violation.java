package io.tombolo.chaos.check.linear;

import io.tombolo.chaos.history.Histories;
import io.tombolo.chaos.history.HistoryValues;
import io.tombolo.chaos.history.Operation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A violation for people and reports: the operation that cannot be placed, and the longest partial linearisations,
/// each with its last steps, its state and what was pending.
final class Violation {
    /// Steps shown of each partial linearisation; all of them are named by their indices.
    private static final int LAST_STEPS = 12;
    private static final int MAX_INDICES = 2_000;

    private Violation() {
    }

    /// @param proven whether no order whatever gets past the operation
    static Map<String, Object> of(Part part, int stuck, List<int[]> paths, boolean proven) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("key", part.key);
        map.put("operation", describe(part.ok.get(stuck)));
        map.put("proven", proven);
        map.put("completedBefore", stuck);
        List<Object> longest = new ArrayList<>();
        paths.forEach(path -> longest.add(partial(part, stuck, new Linearisation(part, path))));
        map.put("longestLinearisations", longest);
        return map;
    }

    private static Map<String, Object> partial(Part part, int stuck, Linearisation linearisation) {
        List<Linearisation.Step> steps = linearisation.steps();
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("state", text(linearisation.state()));
        map.put("steps", steps.subList(Math.max(0, steps.size() - LAST_STEPS), steps.size()).stream().map(step -> {
            Map<String, Object> shown = describe(step.operation());
            shown.put("state", text(step.state()));
            return shown;
        }).toList());
        List<Object> pending = new ArrayList<>();
        for (int op = stuck; op < part.size(); op++) {
            if (part.okFrom[op] <= stuck && !linearisation.isPlaced(op)) {
                pending.add(describe(part.ok.get(op)));
            }
        }
        map.put("pending", pending);
        map.put("invocations", steps.subList(Math.max(0, steps.size() - MAX_INDICES), steps.size()).stream()
                .map(step -> step.operation().invocation().index()).toList());
        return map;
    }

    private static Map<String, Object> describe(Operation operation) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("text", operation.toString());
        map.put("process", operation.process());
        map.put("f", operation.f());
        map.put("input", operation.input());
        map.put("output", operation.output());
        map.put("outcome", operation.outcome().word());
        map.put("invokeIndex", operation.invocation().index());
        map.put("completeIndex", operation.completion() == null ? null : operation.completion().index());
        return map;
    }

    /// A state as EDN if a history could hold it, otherwise as it prints.
    private static String text(Object state) {
        try {
            return Histories.text(HistoryValues.immutable(state));
        } catch (IllegalArgumentException _) {
            return String.valueOf(state);
        }
    }
}

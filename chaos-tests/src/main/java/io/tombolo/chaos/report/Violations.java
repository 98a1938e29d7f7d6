package io.tombolo.chaos.report;

import com.fasterxml.jackson.databind.JsonNode;
import io.tombolo.chaos.history.Histories;
import io.tombolo.chaos.history.OpType;
import io.tombolo.chaos.history.Operation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/// Violations of linearizability for the page: what the checker says of each, with the operations that it names by the
/// index of their invocation found in the history, and those that were concurrent with the one that cannot be placed.
final class Violations {
    private static final int SHOWN_CHARS = 120;
    private static final int MAX_CONCURRENT = 60;

    private final Clients clients;
    private final long endNs;
    private final Map<Long, Operation> byInvocation = new HashMap<>();
    private final List<Operation> operations;
    /// All that is shown, of all violations.
    private final Set<Long> named = new HashSet<>();

    Violations(List<Operation> operations, Clients clients, long endNs) {
        this.operations = operations;
        this.clients = clients;
        this.endNs = endNs;
        operations.forEach(operation -> byInvocation.put(operation.invocation().index(), operation));
    }

    /// Invocations of the operations that are shown.
    Set<Long> named() {
        return Set.copyOf(named);
    }

    /// @param details of all checkers, from `run.json`
    List<Map<String, Object>> of(JsonNode details) {
        List<Map<String, Object>> all = new ArrayList<>();
        details.properties().forEach(checker -> checker.getValue().path("violations").forEach(violation -> {
            Operation stuck = byInvocation.get(violation.path("operation").path("invokeIndex").asLong(-1));
            if (stuck != null) {
                all.add(one(checker.getKey(), violation, stuck));
            }
        }));
        return all;
    }

    private Map<String, Object> one(String checker, JsonNode violation, Operation stuck) {
        boolean keyed = !violation.path("key").isNull() && !violation.path("key").isMissingNode();
        Object key = keyed && stuck.input() instanceof List<?> pair && pair.size() == 2 ? pair.getFirst() : null;
        TreeMap<Long, Operation> shown = new TreeMap<>();
        shown.put(stuck.invocation().index(), stuck);
        List<Long> concurrent = concurrent(stuck, keyed, key);
        concurrent.forEach(index -> shown.put(index, byInvocation.get(index)));
        List<Object> longest = new ArrayList<>();
        violation.path("longestLinearisations").forEach(partial -> longest.add(linearisation(partial, shown)));
        named.addAll(shown.keySet());
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("checker", checker);
        map.put("key", keyed ? Words.text(violation.path("key")) : "");
        map.put("proven", violation.path("proven").asBoolean());
        map.put("completedBefore", violation.path("completedBefore").asLong());
        map.put("stuck", stuck.invocation().index());
        map.put("concurrent", concurrent);
        map.put("linearisations", longest);
        map.put("operations", shown.values().stream().map(operation -> operation(operation, key)).toList());
        return map;
    }

    private Map<String, Object> linearisation(JsonNode partial, Map<Long, Operation> shown) {
        List<Object> steps = new ArrayList<>();
        partial.path("steps").forEach(step -> {
            long index = index(step, shown);
            if (index >= 0) {
                steps.add(Map.of("id", index, "state", Words.cut(step.path("state").asText(), SHOWN_CHARS)));
            }
        });
        List<Long> pending = new ArrayList<>();
        partial.path("pending").forEach(operation -> pending.add(index(operation, shown)));
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("state", Words.cut(partial.path("state").asText(), SHOWN_CHARS));
        map.put("placed", partial.path("invocations").size());
        map.put("steps", steps);
        map.put("pending", pending.stream().filter(index -> index >= 0).toList());
        Set<Long> placed = new HashSet<>();
        partial.path("invocations").forEach(index -> placed.add(index.asLong()));
        map.put("placedHere", shown.keySet().stream().filter(placed::contains).toList());
        return map;
    }

    private long index(JsonNode described, Map<Long, Operation> shown) {
        long index = described.path("invokeIndex").asLong(-1);
        Operation operation = byInvocation.get(index);
        if (operation == null) {
            return -1;
        }
        shown.put(index, operation);
        return index;
    }

    /// Those of the same key that may have happened while it was open, the latest if there are too many.
    private List<Long> concurrent(Operation stuck, boolean keyed, Object key) {
        List<Long> found = new ArrayList<>();
        long stuckIndex = stuck.invocation().index();
        for (Operation operation : operations) {
            long index = operation.invocation().index();
            if (index != stuckIndex && index < completed(stuck) && completed(operation) > stuckIndex
                    && operation.outcome() != OpType.FAIL && (!keyed || isOf(operation, key))) {
                found.add(index);
            }
        }
        return List.copyOf(found.subList(Math.max(0, found.size() - MAX_CONCURRENT), found.size()));
    }

    private static boolean isOf(Operation operation, Object key) {
        return operation.input() instanceof List<?> pair && !pair.isEmpty() && Objects.equals(pair.getFirst(), key);
    }

    private static long completed(Operation operation) {
        return operation.outcome() == OpType.INFO ? Long.MAX_VALUE : operation.completion().index();
    }

    private Map<String, Object> operation(Operation operation, Object key) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("id", operation.invocation().index());
        map.put("client", clients.name(operation.process()));
        map.put("process", operation.process());
        map.put("startNs", operation.invocation().timeNs());
        map.put("endNs", operation.completion() == null ? endNs : operation.completion().timeNs());
        map.put("end", operation.outcome() == OpType.INFO ? -1 : operation.completion().index());
        map.put("outcome", operation.outcome().word());
        map.put("error", operation.completion() == null || operation.completion().error() == null
                ? ""
                : Words.cut(operation.completion().error(), SHOWN_CHARS));
        map.put("text", Words.cut(said(operation, key), SHOWN_CHARS));
        return map;
    }

    /// `write 3`, `read → 3`; without the key.
    private static String said(Operation operation, Object key) {
        Object asked = own(operation.input(), key);
        Object answered = own(operation.output(), key);
        String text = operation.f() + (asked == null ? "" : " " + Histories.text(asked));
        return operation.isOk() && !Objects.equals(asked, answered) ? text + " → " + Histories.text(answered) : text;
    }

    private static Object own(Object value, Object key) {
        return key != null && value instanceof List<?> pair && pair.size() == 2 ? pair.getLast() : value;
    }
}

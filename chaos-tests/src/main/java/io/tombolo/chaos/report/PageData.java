package io.tombolo.chaos.report;

import com.fasterxml.jackson.databind.JsonNode;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.history.Operation;
import io.tombolo.chaos.nemesis.NemesisKind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Everything that the page shows, from what is in the result folder. Times are nanoseconds since the run began, those
/// of operations microseconds.
final class PageData {
    /// Bands, bars and rows of one kind; a run of hours has more than a page can hold.
    private static final int MOST = 5_000;

    private PageData() {
    }

    /// @param run   what is in `run.json`
    /// @param limit about how many operations are on the page
    static Map<String, Object> of(JsonNode run, History history, int limit) {
        List<Operation> operations = history.operations();
        long endNs = endNs(run, history);
        Clients clients = Clients.of(operations);
        Violations violations = new Violations(operations, clients, endNs);
        JsonNode results = run.path("results");
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("verdict", results.path("verdict").asText("unknown"));
        // Not a number: a script's have 53 bits.
        all.put("seed", run.path("seed").asText());
        for (String key : List.of("command", "workload", "nemeses", "timeMs", "hosts", "network", "versions",
                "healedNs",
                "recoveredNs", "vms")) {
            all.put(key, run.path(key));
        }
        all.put("ops", results.path("ops"));
        all.put("faultCounts", results.path("faults"));
        all.put("endNs", endNs);
        all.put("takeoverBoundNs", run.path("takeoverBoundNs").asLong());
        all.put("checkers", checkers(results));
        all.put("violations", violations.of(results.path("details")));
        all.put("kinds", NemesisKind.texts());
        all.put("faults", most(run.path("faults")).stream().map(PageData::fault).toList());
        for (String key : List.of("ownership", "migrations", "stops", "takeovers")) {
            all.put(key, most(run.path(key)));
            all.put(key + "Count", run.path(key).size());
        }
        all.put("clients", clients.names());
        all.put("operations", OperationColumns.of(operations, clients, endNs, limit, violations.named()));
        all.put("rate", Rates.of(operations, endNs));
        return all;
    }

    private static long endNs(JsonNode run, History history) {
        long end = Math.max(1, run.path("recoveredNs").asLong());
        for (HistoryEvent event : history.events()) {
            end = Math.max(end, event.timeNs());
        }
        for (String key : List.of("ownership", "migrations", "faults")) {
            for (JsonNode band : run.path(key)) {
                end = Math.max(end, band.path("endNs").asLong());
            }
        }
        return end;
    }

    /// The first ones.
    private static List<JsonNode> most(JsonNode list) {
        List<JsonNode> all = new ArrayList<>();
        for (int i = 0; i < Math.min(MOST, list.size()); i++) {
            all.add(list.get(i));
        }
        return all;
    }

    private static List<Object> checkers(JsonNode results) {
        List<Object> all = new ArrayList<>();
        results.path("checkers").properties().forEach(checker -> {
            JsonNode details = results.path("details").path(checker.getKey());
            List<String> facts = new ArrayList<>();
            details.properties().forEach(entry -> {
                if (!List.of(CheckResult.PROBLEMS, CheckResult.REASON, "problemCount", "violations")
                        .contains(entry.getKey())) {
                    facts.add(Words.fact(entry.getKey(), entry.getValue()));
                }
            });
            List<String> problems = new ArrayList<>();
            details.path(CheckResult.PROBLEMS).forEach(problem -> problems.add(problem.asText()));
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("name", checker.getKey());
            map.put("verdict", checker.getValue().asText());
            map.put("reason", details.path(CheckResult.REASON).asText(""));
            map.put("problems", problems);
            map.put("problemCount", details.path("problemCount").asLong(problems.size()));
            map.put("facts", facts);
            all.add(map);
        });
        return all;
    }

    private static Map<String, Object> fault(JsonNode fault) {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("name", fault.path("name").asText());
        map.put("startNs", fault.path("startNs").asLong());
        map.put("endNs", fault.path("endNs").asLong(-1));
        for (String key : List.of("chosen", "done", "healed")) {
            map.put(key, Words.text(fault.path(key)));
        }
        return map;
    }
}

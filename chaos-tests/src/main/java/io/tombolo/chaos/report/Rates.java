package io.tombolo.chaos.report;

import io.tombolo.chaos.history.Operation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// How many operations ended per stretch of time, by what they were and how they ended; of all operations, however many
/// are drawn.
final class Rates {
    private static final long LEAST_NS = 100_000_000;
    private static final int MOST_STRETCHES = 300;

    private Rates() {
    }

    static Map<String, Object> of(List<Operation> operations, long endNs) {
        long stretchNs = LEAST_NS;
        for (int i = 0; endNs / stretchNs >= MOST_STRETCHES; i++) {
            stretchNs *= i % 3 == 1 ? 5 : 2;
            if (i % 3 == 1) {
                stretchNs /= 2;
            }
        }
        int stretches = (int) (endNs / stretchNs) + 1;
        Map<String, int[]> counts = new TreeMap<>();
        for (Operation operation : operations) {
            if (operation.completion() != null) {
                int[] counted = counts.computeIfAbsent(operation.f() + " " + operation.outcome().word(),
                        _ -> new int[stretches]);
                counted[(int) (operation.completion().timeNs() / stretchNs)]++;
            }
        }
        List<Object> series = new ArrayList<>();
        counts.forEach((name, counted) -> {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("f", name.substring(0, name.lastIndexOf(' ')));
            one.put("type", name.substring(name.lastIndexOf(' ') + 1));
            one.put("counts", counted);
            series.add(one);
        });
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("stretchNs", stretchNs);
        all.put("series", series);
        return all;
    }
}

package io.tombolo.chaos.report;

import io.tombolo.chaos.history.OpType;
import io.tombolo.chaos.history.Operation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/// The operations of a history for the page: one array per property, texts by number, times in microseconds, so that
/// ten thousands of them are a few megabytes. If there are more than a page can show, only every n-th is taken, with a
/// number for those that are ok and one for the others, which are fewer and of more interest.
final class OperationColumns {
    /// Operations on a page.
    static final int LIMIT = 50_000;
    private static final int SHOWN_CHARS = 80;

    private final Clients clients;
    private final long endNs;
    private final Map<String, Integer> texts = new LinkedHashMap<>();
    private final List<Operation> taken = new ArrayList<>();

    private OperationColumns(Clients clients, long endNs) {
        this.clients = clients;
        this.endNs = endNs;
    }

    /// @param limit about how many are taken
    /// @param always invocations of operations that are taken in any case
    static Map<String, Object> of(List<Operation> operations, Clients clients, long endNs, int limit,
            Set<Long> always) {
        long ok = operations.stream().filter(Operation::isOk).count();
        long others = operations.size() - ok;
        long everyOther = every(others, limit / 2);
        long everyOk = every(ok, limit - others / everyOther);
        OperationColumns columns = new OperationColumns(clients, endNs);
        long[] seen = new long[2];
        for (Operation operation : operations) {
            long n = seen[operation.isOk() ? 1 : 0]++;
            if (n % (operation.isOk() ? everyOk : everyOther) == 0
                    || always.contains(operation.invocation().index())) {
                columns.taken.add(operation);
            }
        }
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("total", operations.size());
        all.put("everyOk", everyOk);
        all.put("everyOther", everyOther);
        columns.fill(all);
        return all;
    }

    private static long every(long count, long limit) {
        return Math.max(1, (count + limit - 1) / Math.max(1, limit));
    }

    private void fill(Map<String, Object> all) {
        all.put("start", taken.stream().mapToLong(o -> o.invocation().timeNs() / 1_000).toArray());
        all.put("length", taken.stream().mapToLong(o -> (completedNs(o) - o.invocation().timeNs()) / 1_000).toArray());
        all.put("row", taken.stream().mapToInt(o -> clients.row(o.process())).toArray());
        all.put("process", taken.stream().mapToLong(Operation::process).toArray());
        all.put("type", taken.stream().mapToInt(OperationColumns::type).toArray());
        all.put("f", taken.stream().mapToInt(o -> text(o.f())).toArray());
        all.put("asked", taken.stream().mapToInt(o -> text(asked(o))).toArray());
        all.put("answered", taken.stream().mapToInt(o -> text(answered(o))).toArray());
        all.put("texts", List.copyOf(texts.keySet()));
    }

    private long completedNs(Operation operation) {
        return operation.completion() == null ? endNs : operation.completion().timeNs();
    }

    private static int type(Operation operation) {
        return operation.outcome() == OpType.OK ? 0 : operation.outcome() == OpType.FAIL ? 1 : 2;
    }

    private static String asked(Operation operation) {
        return operation.input() == null ? "" : Words.shortened(operation.input(), SHOWN_CHARS);
    }

    private static String answered(Operation operation) {
        if (operation.isOk()) {
            return Objects.equals(operation.input(), operation.output())
                    ? ""
                    : Words.shortened(operation.output(), SHOWN_CHARS);
        }
        return operation.completion() == null || operation.completion().error() == null
                ? ""
                : Words.cut(operation.completion().error(), SHOWN_CHARS);
    }

    private int text(String text) {
        Integer number = texts.putIfAbsent(text, texts.size());
        return number == null ? texts.size() - 1 : number;
    }
}

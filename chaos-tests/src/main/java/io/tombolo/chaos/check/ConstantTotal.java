package io.tombolo.chaos.check;

import io.tombolo.chaos.history.History;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Every read of a bank sees all accounts, the same total, and, unless allowed, no negative balance.
///
/// It does not check: the order of anything; that transfers happened, or happened once (a transfer that was lost or
/// done twice keeps the total); operations other than OK reads; that different keys have the same total. No OK read is
/// UNKNOWN.
///
/// @param total       what the balances of one key add up to; null: what its first read says
/// @param mayBeNegative whether a balance below zero is right
/// @param independent whether values are pairs of key and value
public record ConstantTotal(Long total, boolean mayBeNegative, boolean independent) implements Checker {
    @Override
    public String name() {
        return "constant-total";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        List<String> problems = new ArrayList<>();
        Map<Object, Long> totals = new LinkedHashMap<>();
        Map<Object, Set<?>> accounts = new LinkedHashMap<>();
        long reads = 0;
        for (List<Keyed> operations : Keyed.byKey(history, independent).values()) {
            for (Keyed read : operations) {
                if (!read.isOk() || !read.f().equals("read")) {
                    continue;
                }
                Map<?, ?> balances = balances(read);
                reads++;
                long sum = balances.values().stream().mapToLong(b -> (Long) b).reduce(0, Math::addExact);
                long expected = totals.computeIfAbsent(read.key(), _ -> total == null ? sum : total);
                Set<?> known = accounts.computeIfAbsent(read.key(), _ -> balances.keySet());
                if (sum != expected) {
                    problems.add("the total is " + sum + " and not " + expected + ": " + read.operation());
                }
                if (!known.equals(balances.keySet())) {
                    problems.add("other accounts than " + known + ": " + read.operation());
                }
                if (!mayBeNegative && balances.values().stream().anyMatch(b -> (Long) b < 0)) {
                    problems.add("a negative balance: " + read.operation());
                }
            }
        }
        Map<String, Object> facts = Map.of("reads", reads);
        return reads == 0
                ? CheckResult.unknown(name(), "no read is ok", facts)
                : CheckResult.ofProblems(name(), problems, facts);
    }

    private static Map<?, ?> balances(Keyed read) {
        if (read.output() instanceof Map<?, ?> map && map.values().stream().allMatch(Long.class::isInstance)) {
            return map;
        }
        throw Keyed.notOfModel(read.operation(), "a read of a bank answers a map from account to balance").build();
    }
}

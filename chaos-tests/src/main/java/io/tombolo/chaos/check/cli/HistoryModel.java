package io.tombolo.chaos.check.cli;

import io.tombolo.chaos.ChaosError;
import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.check.ConstantTotal;
import io.tombolo.chaos.check.LostOrDuplicate;
import io.tombolo.chaos.check.linear.LinearizabilityChecker;
import io.tombolo.chaos.check.model.AppendModel;
import io.tombolo.chaos.check.model.BankModel;
import io.tombolo.chaos.check.model.RegisterModel;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.Operation;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What `--model` may say, and the checkers that this means.
public enum HistoryModel {
    /// read, write and cas of one value.
    CAS_REGISTER("cas-register"),
    /// read and write of one value.
    REGISTER("register"),
    /// transfers between accounts and reads of all of them.
    BANK("bank"),
    /// appends to a list and reads of all of it.
    APPEND("append");

    private final String word;

    HistoryModel(String word) {
        this.word = word;
    }

    /// As on the command line.
    @Override
    public String toString() {
        return word;
    }

    /// The checkers of the model that can read the history, linearizability last, since it takes longest.
    ///
    /// @param initial     the state at the beginning; null for nil, or for what the first read of a bank says
    /// @param mayBeNegative whether a bank's balances may be below zero
    /// @param independent whether values are pairs of key and value
    public List<Checker> checkers(History history, Object initial, boolean mayBeNegative, boolean independent) {
        List<Checker> checkers = new ArrayList<>();
        switch (this) {
            case CAS_REGISTER, REGISTER -> checkers.add(new LinearizabilityChecker(
                    () -> new RegisterModel(initial, this == CAS_REGISTER), independent));
            case BANK -> {
                Map<String, Long> balances = balances(initial);
                Long total = balances == null
                        ? null
                        : (Long) balances.values().stream().mapToLong(Long::longValue).sum();
                checkers.add(new ConstantTotal(total, mayBeNegative, independent));
                checkers.add(new LinearizabilityChecker(() -> new BankModel(balances, mayBeNegative), independent));
            }
            case APPEND -> {
                if (initial != null) {
                    throw invalid(initial, "nothing: a list begins empty");
                }
                if (history.operations().stream().noneMatch(operation -> operation.f().equals("write"))) {
                    checkers.add(new LostOrDuplicate(independent));
                }
                checkers.add(new LinearizabilityChecker(AppendModel::new, independent));
            }
        }
        return checkers;
    }

    private static Map<String, Long> balances(Object initial) {
        if (initial == null) {
            return null;
        }
        Map<String, Long> balances = new LinkedHashMap<>();
        if (!(initial instanceof Map<?, ?> map)) {
            throw invalid(initial, "a map from account to balance");
        }
        map.forEach((account, balance) -> {
            if (!(balance instanceof Long amount)) {
                throw invalid(initial, "balances that are whole numbers");
            }
            balances.put(account.toString(), amount);
        });
        return balances;
    }

    private static TomboloException invalid(Object found, String expected) {
        return TomboloException.error(ChaosError.INITIAL_STATE_INVALID, "no initial state of that model")
                .fact("found", found).fact("expected", expected).next("correct --initial, or leave it out").build();
    }

    /// Whether the first operations look as if every value were a pair of key and value; only ever a hint.
    static boolean looksIndependent(List<Operation> operations) {
        return !operations.isEmpty() && operations.stream().filter(o -> o.f().equals("read") && o.isOk()).limit(100)
                .allMatch(o -> o.output() instanceof List<?> pair && pair.size() == 2);
    }
}

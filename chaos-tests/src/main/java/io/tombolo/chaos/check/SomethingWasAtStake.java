package io.tombolo.chaos.check;

import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.Operation;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A failure can only lose what there is: how many of the failures hit a guest that had just acknowledged something,
/// and that had something in hand which it had not acknowledged.
///
/// It does not check that what was in hand had been executed: only the guest knows that. Many failures, and none of
/// them with anything at stake, are UNKNOWN.
///
/// @param ranNs when the guest executed last before each failure, since the run began
public record SomethingWasAtStake(List<Long> ranNs) implements Checker {
    /// An operation that was acknowledged so long before a failure was in one of the last intervals.
    private static final long BEFORE_NS = 100_000_000;
    /// So many failures are enough to expect it of one.
    private static final int MANY = 8;

    public SomethingWasAtStake {
        ranNs = List.copyOf(ranNs);
    }

    @Override
    public String name() {
        return "something-was-at-stake";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        List<Operation> operations = history.operations();
        long atStake = ranNs.stream().filter(at -> operations.stream().anyMatch(op -> isAcknowledged(op, at))
                && operations.stream().anyMatch(op -> isInHand(op, at))).count();
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("failures", ranNs.size());
        facts.put("atStake", atStake);
        return ranNs.size() >= MANY && atStake == 0
                ? CheckResult.unknown(name(), "no failure hit a guest that clients were using", facts)
                : CheckResult.ofProblems(name(), List.of(), facts);
    }

    private static boolean isAcknowledged(Operation operation, long at) {
        return operation.isOk() && operation.completion().timeNs() <= at
                && operation.completion().timeNs() > at - BEFORE_NS;
    }

    private static boolean isInHand(Operation operation, long at) {
        return operation.invocation().timeNs() <= at
                && (operation.completion() == null || operation.completion().timeNs() > at);
    }
}

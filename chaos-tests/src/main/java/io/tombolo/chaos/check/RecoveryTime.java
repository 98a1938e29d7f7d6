package io.tombolo.chaos.check;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.history.History;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Every recovery ended within its bound, counted from the failure or, if later, from when its conditions held for good
/// (ZooKeeper has a quorum, a coordinator leads).
///
/// It does not check: that the bound is the right one (the ratio of the slowest to its bound is reported, since a bound
/// ten times too long holds trivially); failures that nobody recorded; what the clients saw meanwhile; clocks of
/// different machines. It does not look at the history. No recovery is UNKNOWN.
///
/// @param recoveries in any order
public record RecoveryTime(List<Recovery> recoveries) implements Checker {
    /// One failure and its end. Times are nanoseconds of one monotonic clock.
    ///
    /// @param what        for people
    /// @param failedNs    when the failure began
    /// @param possibleNs  since when the conditions of the bound held without a break
    /// @param recoveredNs when service was back; null if it never was
    /// @param bound       the printed formula's value
    public record Recovery(String what, long failedNs, long possibleNs, Long recoveredNs, Duration bound) {
        public Recovery {
            requireNonNull(what, "what is null");
            requireNonNull(bound, "bound is null");
        }

        private long elapsedNs() {
            return recoveredNs - Math.max(failedNs, possibleNs);
        }
    }

    public RecoveryTime {
        recoveries = List.copyOf(recoveries);
    }

    @Override
    public String name() {
        return "recovery-time";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        List<String> problems = new ArrayList<>();
        double worst = 0;
        for (Recovery recovery : recoveries) {
            if (recovery.recoveredNs() == null) {
                problems.add("never recovered: " + recovery.what());
                continue;
            }
            worst = Math.max(worst, (double) recovery.elapsedNs() / recovery.bound().toNanos());
            if (recovery.elapsedNs() > recovery.bound().toNanos()) {
                problems.add("took " + recovery.elapsedNs() + " ns and not at most " + recovery.bound().toNanos()
                        + " ns: " + recovery.what());
            }
        }
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("recoveries", recoveries.size());
        facts.put("slowestToBound", worst);
        return recoveries.isEmpty()
                ? CheckResult.unknown(name(), "no recovery was recorded", facts)
                : CheckResult.ofProblems(name(), problems, facts);
    }
}

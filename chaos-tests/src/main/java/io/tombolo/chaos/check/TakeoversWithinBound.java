package io.tombolo.chaos.check;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.history.History;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Every takeover of a protected VM ended within the printed formula, counted from the failure or, if later, from when
/// a coordinator led for good; and none ended with the VM lost.
///
/// It does not check: the time of takeovers while more than one fault was at work, which the formula does not promise
/// (counted as `moreFaults`), or none, when the machine itself stood still (`noFault`); VMs that nobody took over
/// (`recovery-time` wants a guest at the end, and [ProtectedVmsKept] every one); what the clients saw meanwhile. It
/// does not look at the history. No takeover is VALID: not every run has one.
///
/// @param takeovers in any order
/// @param bound     the formula's value
public record TakeoversWithinBound(List<Takeover> takeovers, Duration bound) implements Checker {
    /// How a takeover ended that has not.
    public static final String OPEN = "";

    /// One VM taken over once. Times are nanoseconds since the run began.
    ///
    /// @param from       host that had it
    /// @param to         host that has it
    /// @param ranNs      when it executed last on the host that had it
    /// @param failedNs   when the failure began
    /// @param possibleNs since when a coordinator led without a break
    /// @param begunNs    when the owner word first named another host
    /// @param endedNs    when the owner word said how it ended
    /// @param end        owner state at the end; [#OPEN]
    /// @param faults     that were at work, by name
    public record Takeover(String vm, String from, String to, long ranNs, long failedNs, long possibleNs, long begunNs,
            long endedNs, String end, List<String> faults) {
        public Takeover {
            requireNonNull(vm, "vm is null");
            requireNonNull(end, "end is null");
            faults = List.copyOf(faults);
        }

        public boolean isAlone() {
            return faults.size() == 1;
        }

        public long elapsedNs() {
            return endedNs - Math.max(failedNs, possibleNs);
        }
    }

    public TakeoversWithinBound {
        takeovers = List.copyOf(takeovers);
        requireNonNull(bound, "bound is null");
    }

    @Override
    public String name() {
        return "takeovers-within-bound";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        List<String> problems = new ArrayList<>();
        double worst = 0;
        int counted = 0;
        int open = 0;
        for (Takeover takeover : takeovers) {
            if (takeover.end().equals("LOST")) {
                problems.add("taken over and lost: " + takeover);
            } else if (takeover.end().equals(OPEN)) {
                open++;
            } else if (takeover.isAlone()) {
                counted++;
                worst = Math.max(worst, (double) takeover.elapsedNs() / bound.toNanos());
                if (takeover.elapsedNs() > bound.toNanos()) {
                    problems.add("took " + takeover.elapsedNs() / 1_000_000 + " ms, bound " + bound.toMillis() + " ms: "
                            + takeover);
                }
            }
        }
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("takeovers", takeovers.size());
        facts.put("counted", counted);
        facts.put("moreFaults", takeovers.stream().filter(takeover -> takeover.faults().size() > 1).count());
        facts.put("noFault", takeovers.stream().filter(takeover -> takeover.faults().isEmpty()).count());
        facts.put("open", open);
        facts.put("boundNs", bound.toNanos());
        facts.put("slowestToBound", worst);
        return CheckResult.ofProblems(name(), problems, facts);
    }
}

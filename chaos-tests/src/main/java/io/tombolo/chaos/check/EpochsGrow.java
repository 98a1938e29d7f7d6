package io.tombolo.chaos.check;

import io.tombolo.chaos.history.History;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The epoch of a VM slot never goes back, and names one holder.
///
/// It does not check: that an epoch grew where it had to (two holders at one epoch is what that would look like, if
/// both were seen); epochs that nobody saw; that the looks really came in the order in which they are given (one
/// observer per VM slot makes sure). It does not look at the history. Nothing seen is UNKNOWN.
///
/// @param seen in the order of the looks
public record EpochsGrow(List<EpochSeen> seen) implements Checker {
    public EpochsGrow {
        seen = List.copyOf(seen);
    }

    @Override
    public String name() {
        return "epochs-grow";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        List<String> problems = new ArrayList<>();
        Map<String, EpochSeen> last = new HashMap<>();
        for (EpochSeen look : seen) {
            EpochSeen before = last.put(look.vm(), look);
            if (before != null && look.epoch() < before.epoch()) {
                problems.add("the epoch went back: " + before + ", then " + look);
            } else if (before != null && look.epoch() == before.epoch() && !look.holder().equals(before.holder())) {
                problems.add("two holders at one epoch: " + before + ", then " + look);
            }
        }
        Map<String, Object> facts = Map.of("looks", seen.size(), "vms", last.size());
        return seen.isEmpty()
                ? CheckResult.unknown(name(), "no epoch was seen", facts)
                : CheckResult.ofProblems(name(), problems, facts);
    }
}

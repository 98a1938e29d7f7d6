package io.tombolo.chaos.check;

import io.tombolo.chaos.history.History;
import java.util.List;
import java.util.Map;

/// No protected VM was lost: each was taken over in the end.
///
/// It does not check: how long that took ([TakeoversWithinBound]); what it went on with (the workload's checkers). It
/// does not look at the history.
///
/// @param vms  how many there were
/// @param lost which were lost, and why
public record ProtectedVmsKept(int vms, List<String> lost) implements Checker {
    public ProtectedVmsKept {
        lost = List.copyOf(lost);
    }

    @Override
    public String name() {
        return "protected-vms-kept";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        return CheckResult.ofProblems(name(), lost, Map.of("vms", vms));
    }
}

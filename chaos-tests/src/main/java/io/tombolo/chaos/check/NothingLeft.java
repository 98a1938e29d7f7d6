package io.tombolo.chaos.check;

import io.tombolo.chaos.history.History;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// After the run no process, namespace, cgroup, mount or file of it is there.
///
/// It does not check: anything itself (it takes what was looked at and found); kinds of things that nobody looked at,
/// except that those in [#KINDS] must have been. It does not look at the history. A kind that was not looked at is
/// UNKNOWN.
///
/// @param lookedAt kinds of things that were looked for
/// @param found    what was there, one sentence each
public record NothingLeft(Set<String> lookedAt, List<String> found) implements Checker {
    /// Kinds of things that a run may leave.
    public static final Set<String> KINDS = Set.of("processes", "namespaces", "cgroups", "mounts", "files");

    public NothingLeft {
        lookedAt = Set.copyOf(lookedAt);
        found = List.copyOf(found);
    }

    @Override
    public String name() {
        return "nothing-left";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        Set<String> missing = new TreeSet<>(KINDS);
        missing.removeAll(lookedAt);
        Map<String, Object> facts = Map.of("lookedAt", List.copyOf(new TreeSet<>(lookedAt)));
        return found.isEmpty() && !missing.isEmpty()
                ? CheckResult.unknown(name(), "nobody looked for " + String.join(", ", missing), facts)
                : CheckResult.ofProblems(name(), found, facts);
    }
}

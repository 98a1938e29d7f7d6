package io.tombolo.chaos.run;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.nemesis.Nemeses.Tally;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// No kind of fault misses every time: one that was begun [#MANY] times and never hit what it was to hit makes the run
/// UNKNOWN, because nobody knows what it would have found. One that was begun less often and missed is only reported:
/// whether there is a hand-off to be hit just then is chance.
///
/// It does not check: how hard a fault hit; kinds that were never begun, which the number of faults shows.
record FaultsTookEffect(Map<String, Tally> tallies) implements Checker {
    private static final int MANY = 4;

    FaultsTookEffect {
        requireNonNull(tallies, "tallies is null");
    }

    @Override
    public String name() {
        return "every-fault-took-effect";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        Map<String, Object> facts = new LinkedHashMap<>();
        tallies.forEach((name, tally) -> facts.put(name, tally.tookEffect() + " of " + tally.begun()));
        List<String> never = tallies.entrySet().stream()
                .filter(e -> e.getValue().begun() >= MANY && e.getValue().tookEffect() == 0).map(Map.Entry::getKey)
                .toList();
        return never.isEmpty()
                ? CheckResult.ofProblems(name(), List.of(), facts)
                : CheckResult.unknown(name(), "these missed every time: " + String.join(", ", never), facts);
    }
}

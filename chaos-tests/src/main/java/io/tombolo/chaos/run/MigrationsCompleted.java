package io.tombolo.chaos.run;

import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.history.History;
import java.util.List;
import java.util.Map;

/// Some migration got through: a run in which [#MANY] were asked for and none did is UNKNOWN, because nothing of it has
/// tried a hand-off.
///
/// It does not check: how many, in which modes, or how long they took.
///
/// @param asked     migrations that were asked for
/// @param completed of those
record MigrationsCompleted(long asked, long completed) implements Checker {
    private static final long MANY = 4;

    @Override
    public String name() {
        return "migrations-completed";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        Map<String, Object> facts = Map.of("asked", asked, "completed", completed);
        return asked < MANY || completed > 0
                ? CheckResult.ofProblems(name(), List.of(), facts)
                : CheckResult.unknown(name(), "none of " + asked + " migrations was completed", facts);
    }
}

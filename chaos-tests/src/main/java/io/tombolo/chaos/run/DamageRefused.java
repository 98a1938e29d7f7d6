package io.tombolo.chaos.run;

import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.nemesis.DamageNemesis;
import java.util.List;
import java.util.Map;

/// All damage to the region was refused by whoever read it (I6).
///
/// It does not check: damage that nobody read, because something else happened first; that the message is a good one.
/// It looks only at what the nemesis `damage` says.
final class DamageRefused implements Checker {
    @Override
    public String name() {
        return "damage-refused";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        List<String> outcomes = history.events().stream()
                .filter(e -> e.isNemesis() && e.f().equals("start-damage") && e.value() instanceof String)
                .map(e -> (String) e.value()).toList();
        return CheckResult.ofProblems(name(), outcomes.stream().filter(DamageNemesis::undetected).toList(),
                Map.of("outcomes", outcomes));
    }
}

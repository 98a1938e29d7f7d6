package io.tombolo.chaos.run;

import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.nemesis.HaltNemesis;
import java.util.List;
import java.util.Map;

/// An agent one of whose storing threads stood still for longer than its watchdog allows was killed (I2).
///
/// It does not check: threads that nobody held; how long the kill took. It looks only at what the nemesis `halt` says.
final class WatchdogKills implements Checker {
    @Override
    public String name() {
        return "watchdog-kills";
    }

    @Override
    public CheckResult check(History history, CheckContext context) {
        List<String> said = history.events().stream().filter(e -> e.isNemesis() && e.f().equals("stop-halt"))
                .filter(e -> e.value() instanceof List).flatMap(e -> ((List<?>) e.value()).stream())
                .map(String::valueOf).toList();
        return CheckResult.ofProblems(name(), said.stream().filter(s -> s.startsWith(HaltNemesis.NOT_KILLED)).toList(),
                Map.of("said", said));
    }
}

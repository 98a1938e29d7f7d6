package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// `pause`: SIGSTOP to all of a process, SIGCONT at the end, by which time its session has ended. An agent's watchdog
/// kills it before, as it should; such an agent is started again.
public final class PauseNemesis implements Nemesis {
    private final Targets targets;
    private final Healing healing;
    private final List<String> paused = new ArrayList<>();
    private boolean effect;

    public PauseNemesis(Targets targets) {
        this.targets = requireNonNull(targets, "targets is null");
        this.healing = targets.healing();
    }

    @Override
    public String name() {
        return "pause";
    }

    @Override
    public double lasting() {
        // At least 2.2 s: a session is 2 s.
        return 3;
    }

    @Override
    public Map<String, Object> choose(SplittableRandom random) {
        return Targets.choose(random, List.of(Targets.AGENT, Targets.COORDINATOR, Targets.ZOOKEEPER));
    }

    @Override
    public Object begin(Map<String, Object> chosen) {
        List<String> hit = targets.resolve(chosen).stream().filter(targets.cluster()::pause).toList();
        paused.addAll(hit);
        effect = !hit.isEmpty();
        return hit;
    }

    @Override
    public Object end() {
        List<String> woken = new ArrayList<>(paused.stream().filter(targets.cluster()::wake).toList());
        woken.addAll(healing.letUp(paused));
        paused.clear();
        return woken;
    }

    @Override
    public boolean tookEffect() {
        return effect;
    }
}

package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// `kill`: SIGKILL to agents, coordinators or ZooKeeper servers, all that belongs to them; they are started again at
/// the end. Never the supervisor, which is the trusted base.
public final class KillNemesis implements Nemesis {
    private final Targets targets;
    private final Healing healing;
    private final List<String> hit = new ArrayList<>();
    private boolean effect;

    public KillNemesis(Targets targets) {
        this.targets = requireNonNull(targets, "targets is null");
        this.healing = targets.healing();
    }

    @Override
    public String name() {
        return "kill";
    }

    @Override
    public Map<String, Object> choose(SplittableRandom random) {
        return Targets.choose(random,
                List.of(Targets.AGENT, Targets.AGENT, Targets.COORDINATOR, Targets.ZOOKEEPER));
    }

    @Override
    public Object begin(Map<String, Object> chosen) {
        List<String> killed = new ArrayList<>();
        effect = false;
        List<String> victims = targets.resolve(chosen);
        healing.keepDown(victims);
        hit.addAll(victims);
        for (String victim : victims) {
            try {
                var _ = targets.cluster().kill(victim);
                killed.add(victim);
                effect = true;
            } catch (TomboloException e) {
                killed.add(victim + " " + e.code().name());
            }
        }
        return killed;
    }

    @Override
    public Object end() {
        List<String> revived = healing.letUp(hit);
        hit.clear();
        return revived;
    }

    @Override
    public boolean tookEffect() {
        return effect;
    }
}

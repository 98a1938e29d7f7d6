package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.cluster.FaultNetwork;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// `connection`: connections of some processes are reset, or left half open: one side has gone, and the other does not
/// hear of it.
public final class ConnectionNemesis implements Nemesis {
    private final Targets targets;
    private final FaultNetwork network;
    private boolean effect;

    public ConnectionNemesis(Targets targets) {
        this.targets = requireNonNull(targets, "targets is null");
        this.network = targets.cluster().network();
    }

    @Override
    public String name() {
        return "connection";
    }

    @Override
    public Map<String, Object> choose(SplittableRandom random) {
        Map<String, Object> chosen = new LinkedHashMap<>();
        chosen.put("kind", random.nextBoolean() ? "half-open" : "reset");
        chosen.putAll(Targets.choose(random, List.of(Targets.AGENT, Targets.COORDINATOR, Targets.ZOOKEEPER)));
        return chosen;
    }

    @Override
    public Object begin(Map<String, Object> chosen) {
        List<String> hit = targets.resolve(chosen);
        List<String> all = new ArrayList<>(targets.cluster().members());
        all.add(FaultNetwork.CLIENT);
        int ended = 0;
        for (String one : hit) {
            for (String other : all) {
                if (other.equals(one)) {
                    continue;
                }
                ended += chosen.get("kind").equals("reset") ? network.reset(one, other) : network.halfOpen(other, one);
            }
        }
        effect = ended > 0;
        return List.of(chosen.get("kind"), hit, ended + " connections");
    }

    @Override
    public Object end() {
        network.endHalfOpen();
        return "half-open connections ended";
    }

    @Override
    public boolean tookEffect() {
        return effect;
    }
}

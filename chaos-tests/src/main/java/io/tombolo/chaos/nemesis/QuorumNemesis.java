package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// `quorum`: ZooKeeper loses its quorum, by SIGSTOP or SIGKILL to two servers or all three, for longer than a session:
/// planned moves stop, hosts lose their right and stop their guests, and nothing is killed because of it.
public final class QuorumNemesis implements Nemesis {
    private final Targets targets;
    private final Healing healing;
    private final List<String> hit = new ArrayList<>();
    private boolean effect;

    public QuorumNemesis(Targets targets) {
        this.targets = requireNonNull(targets, "targets is null");
        this.healing = targets.healing();
    }

    @Override
    public String name() {
        return "quorum";
    }

    @Override
    public double lasting() {
        return 3;
    }

    @Override
    public Map<String, Object> choose(SplittableRandom random) {
        Map<String, Object> chosen = new LinkedHashMap<>();
        chosen.put("kind", random.nextBoolean() ? "stop" : "kill");
        chosen.put("role", Targets.ZOOKEEPER);
        chosen.put("target", random.nextInt(3) > 0 ? "majority" : "all");
        chosen.put("pick", (long) random.nextInt(1000));
        return chosen;
    }

    @Override
    public Object begin(Map<String, Object> chosen) {
        List<String> servers = targets.resolve(chosen);
        healing.keepDown(servers);
        int gone = 0;
        for (String server : servers) {
            if (chosen.get("kind").equals("kill")) {
                var _ = targets.cluster().kill(server);
                gone++;
            } else if (targets.cluster().pause(server)) {
                gone++;
            }
        }
        effect = 2 * gone > targets.cluster().zooKeepers().size();
        hit.addAll(servers);
        return servers;
    }

    @Override
    public Object end() {
        hit.forEach(targets.cluster()::wake);
        List<String> revived = healing.letUp(hit);
        hit.clear();
        return revived;
    }

    @Override
    public boolean tookEffect() {
        return effect;
    }
}

package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.cluster.FaultNetwork;
import io.tombolo.chaos.proxy.LinkPolicy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// `slow`: links of some processes, or all, are far away, lossy or narrow, those of the guests' clients too. What is
/// cut stays cut.
public final class SlowNemesis implements Nemesis {
    private static final long NS_PER_MS = 1_000_000;

    private record Way(String from, String to) {
    }

    private final Targets targets;
    private final FaultNetwork network;
    private final Map<Way, LinkPolicy> set = new LinkedHashMap<>();
    private boolean effect;

    public SlowNemesis(Targets targets) {
        this.targets = requireNonNull(targets, "targets is null");
        this.network = targets.cluster().network();
    }

    @Override
    public String name() {
        return "slow";
    }

    @Override
    public Map<String, Object> choose(SplittableRandom random) {
        Map<String, Object> chosen = new LinkedHashMap<>();
        chosen.put("kind", List.of("delay", "jitter", "lossy", "narrow").get(random.nextInt(4)));
        chosen.put("amount", (long) random.nextInt(100));
        chosen.putAll(Targets.choose(random, List.of(Targets.AGENT, Targets.COORDINATOR, Targets.ZOOKEEPER)));
        chosen.put("everywhere", random.nextInt(4) == 0);
        return chosen;
    }

    private static LinkPolicy policy(String kind, long amount) {
        return switch (kind) {
            case "delay" -> LinkPolicy.slow((10 + 2 * amount) * NS_PER_MS, 0);
            case "jitter" -> LinkPolicy.slow(5 * NS_PER_MS, (20 + 4 * amount) * NS_PER_MS);
            case "lossy" -> LinkPolicy.lossy((int) (50 + 3 * amount));
            default -> LinkPolicy.narrow(4_000 + 500 * amount);
        };
    }

    @Override
    public Object begin(Map<String, Object> chosen) {
        LinkPolicy policy = policy((String) chosen.get("kind"), (Long) chosen.get("amount"));
        List<String> all = new ArrayList<>(targets.cluster().members());
        all.add(FaultNetwork.CLIENT);
        List<String> hit = Boolean.TRUE.equals(chosen.get("everywhere")) ? all : targets.resolve(chosen);
        for (String one : hit) {
            for (String other : all) {
                set(one, other, policy);
                set(other, one, policy);
            }
        }
        effect = !set.isEmpty();
        return List.of(chosen.get("kind"), hit.size() == all.size() ? "everywhere" : hit);
    }

    private void set(String from, String to, LinkPolicy policy) {
        if (!from.equals(to) && network.policy(from, to).equals(LinkPolicy.OPEN)) {
            network.set(from, to, policy);
            set.put(new Way(from, to), policy);
        }
    }

    @Override
    public Object end() {
        set.forEach((way, policy) -> {
            if (network.policy(way.from, way.to).equals(policy)) {
                network.set(way.from, way.to, LinkPolicy.OPEN);
            }
        });
        String healed = set.size() + " directions";
        set.clear();
        return healed;
    }

    @Override
    public boolean tookEffect() {
        return effect;
    }
}

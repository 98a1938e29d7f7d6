package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.cluster.FaultNetwork;
import io.tombolo.chaos.proxy.LinkPolicy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// `partition`: links between processes are cut, in both directions or in one. Clients of guests are not cut off.
///
/// | kind | who does not reach whom |
/// |---|---|
/// | `halves` | all processes in two halves |
/// | `isolated` | one agent, coordinator or ZooKeeper server from everybody |
/// | `ring` | everybody reaches only the two next to it, of its own kind and of ZooKeeper |
/// | `bridge` | two halves that have one process in common |
/// | `one-way` | what one process sends reaches nobody |
/// | `deaf` | nothing reaches one process |
/// | `from-zookeeper` | an agent or a coordinator and ZooKeeper, nobody else |
/// | `from-coordinators` | an agent and the coordinators, nobody else |
/// | `between-agents` | all agents among themselves |
public final class PartitionNemesis implements Nemesis {
    private static final List<String> KINDS = List.of("halves", "isolated", "ring", "bridge", "one-way", "deaf",
            "from-zookeeper", "from-coordinators", "between-agents");

    private final Targets targets;
    private final FaultNetwork network;
    private final List<List<String>> held = new ArrayList<>();
    private boolean effect;

    public PartitionNemesis(Targets targets) {
        this.targets = requireNonNull(targets, "targets is null");
        this.network = targets.cluster().network();
    }

    @Override
    public String name() {
        return "partition";
    }

    @Override
    public double lasting() {
        return 2;
    }

    @Override
    public Map<String, Object> choose(SplittableRandom random) {
        Map<String, Object> chosen = new LinkedHashMap<>();
        chosen.put("kind", KINDS.get(random.nextInt(KINDS.size())));
        chosen.putAll(Targets.choose(random, List.of(Targets.AGENT, Targets.COORDINATOR, Targets.ZOOKEEPER)));
        return chosen;
    }

    @Override
    public Object begin(Map<String, Object> chosen) {
        String kind = (String) chosen.get("kind");
        List<String> all = Targets.shuffled(targets.cluster().members(), (Long) chosen.get("pick"));
        List<String> hit = targets.resolve(chosen);
        String one = hit.getFirst();
        int half = all.size() / 2;
        List<String> cut = new ArrayList<>();
        switch (kind) {
            case "halves" -> both(all.subList(0, half), all.subList(half, all.size()), cut);
            case "bridge" -> both(all.subList(0, half), all.subList(half + 1, all.size()), cut);
            case "isolated" -> both(List.of(one), all, cut);
            case "ring" -> ring(all, cut);
            case "one-way" -> oneWay(List.of(one), all, cut);
            case "deaf" -> oneWay(all, List.of(one), cut);
            case "from-zookeeper" -> both(hit, targets.ofRole(Targets.ZOOKEEPER), cut);
            case "from-coordinators" -> both(List.of(targets.owner().orElse(targets.cluster().hosts().getFirst())),
                    targets.cluster().coordinators(), cut);
            default -> both(targets.cluster().hosts(), targets.cluster().hosts(), cut);
        }
        effect = !cut.isEmpty();
        return List.of(kind, cut.size() <= 12 ? cut : cut.size() + " directions");
    }

    private void ring(List<String> all, List<String> cut) {
        for (int i = 0; i < all.size(); i++) {
            for (int j = 0; j < all.size(); j++) {
                int distance = Math.floorMod(i - j, all.size());
                if (distance > 1 && distance < all.size() - 1) {
                    oneWay(List.of(all.get(i)), List.of(all.get(j)), cut);
                }
            }
        }
    }

    private void both(List<String> left, List<String> right, List<String> cut) {
        oneWay(left, right, cut);
        oneWay(right, left, cut);
    }

    private void oneWay(List<String> from, List<String> to, List<String> cut) {
        for (String sender : from) {
            for (String receiver : to) {
                String name = sender + ">" + receiver;
                if (!sender.equals(receiver) && !cut.contains(name)) {
                    network.set(sender, receiver, LinkPolicy.HELD);
                    held.add(List.of(sender, receiver));
                    cut.add(name);
                }
            }
        }
    }

    @Override
    public Object end() {
        held.forEach(way -> network.set(way.getFirst(), way.getLast(), LinkPolicy.OPEN));
        String healed = held.size() + " directions";
        held.clear();
        return healed;
    }

    @Override
    public boolean tookEffect() {
        return effect;
    }
}

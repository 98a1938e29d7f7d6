package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.chaos.workload.GuestVms;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/// Whom a fault hits. What is chosen, by a seed, is a role, a rule and a number; who that is comes out when the fault
/// happens.
public final class Targets {
    /// Kinds of processes.
    public static final String AGENT = "agent";
    public static final String COORDINATOR = "coordinator";
    public static final String ZOOKEEPER = "zookeeper";

    private final ClusterUnderTest cluster;
    private final GuestVms vms;
    private final Healing healing;
    /// The migration that is under way, as source and target.
    private final Supplier<List<String>> moving;

    /// @param moving hosts of the migration that is under way; empty if none is
    /// @param healing starts again what has stopped
    public Targets(ClusterUnderTest cluster, GuestVms vms, Healing healing, Supplier<List<String>> moving) {
        this.cluster = requireNonNull(cluster, "cluster is null");
        this.vms = requireNonNull(vms, "vms is null");
        this.healing = requireNonNull(healing, "healing is null");
        this.moving = requireNonNull(moving, "moving is null");
    }

    ClusterUnderTest cluster() {
        return cluster;
    }

    Healing healing() {
        return healing;
    }

    GuestVms vms() {
        return vms;
    }

    /// A role, a rule for it and a number.
    static Map<String, Object> choose(SplittableRandom random, List<String> roles) {
        String role = roles.get(random.nextInt(roles.size()));
        List<String> rules = switch (role) {
            case AGENT -> List.of("one", "one", "owner", "owner", "hand-off", "minority", "majority");
            case COORDINATOR -> List.of("one", "leader", "leader", "all");
            default -> List.of("one", "leader", "leader", "minority", "majority");
        };
        Map<String, Object> chosen = new LinkedHashMap<>();
        chosen.put("role", role);
        chosen.put("target", rules.get(random.nextInt(rules.size())));
        chosen.put("pick", (long) random.nextInt(1000));
        return chosen;
    }

    /// Who that is now.
    List<String> resolve(Map<String, Object> chosen) {
        List<String> all = ofRole((String) chosen.get("role"));
        List<String> shuffled = shuffled(all, (Long) chosen.get("pick"));
        int majority = all.size() / 2 + 1;
        return switch ((String) chosen.get("target")) {
            case "minority" -> shuffled.subList(0, Math.max(1, all.size() - majority));
            case "majority" -> shuffled.subList(0, Math.min(majority, all.size()));
            case "all" -> all;
            case "leader" -> List.of(leader((String) chosen.get("role")).orElse(shuffled.getFirst()));
            case "owner" -> List.of(owner().orElse(shuffled.getFirst()));
            case "hand-off" -> {
                Set<String> both = new LinkedHashSet<>(moving.get());
                yield both.isEmpty() ? shuffled.subList(0, Math.min(2, all.size())) : List.copyOf(both);
            }
            default -> shuffled.subList(0, 1);
        };
    }

    static List<String> shuffled(List<String> all, long pick) {
        List<String> copy = new ArrayList<>(all);
        java.util.Collections.shuffle(copy, new Random(pick));
        return copy;
    }

    List<String> ofRole(String role) {
        return switch (role) {
            case AGENT -> cluster.hosts();
            case COORDINATOR -> cluster.coordinators();
            case ZOOKEEPER -> cluster.zooKeepers();
            default -> throw new IllegalArgumentException("no role: " + role);
        };
    }

    private Optional<String> leader(String role) {
        return role.equals(ZOOKEEPER) ? cluster.zooKeeperLeader() : cluster.leader();
    }

    Optional<String> owner() {
        return vms.current().map(guest -> cluster.owner(guest.slot()).host()).filter(host -> !host.isEmpty());
    }
}

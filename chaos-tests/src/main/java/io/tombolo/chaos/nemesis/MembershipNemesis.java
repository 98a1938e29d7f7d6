package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.CoordinatorRequest.VmMigrate;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/// `membership`: a host leaves as an operator would have it leave, its guest moved away and then SIGTERM, and comes
/// back later as a new incarnation in a new slot; or a host joins that has never been a member, and stays. A guest that
/// cannot be moved away in time stays where it is, and is lost with its host.
public final class MembershipNemesis implements Nemesis {
    private static final int MIGRATE_TRIES = 2;
    private static final long MIGRATE_MS = 2_500;
    private static final long GRACE_MS = 3_000;

    private final Targets targets;
    private final Healing healing;
    private final List<String> away = new ArrayList<>();
    private boolean effect;

    public MembershipNemesis(Targets targets) {
        this.targets = requireNonNull(targets, "targets is null");
        this.healing = targets.healing();
    }

    @Override
    public String name() {
        return "membership";
    }

    @Override
    public Map<String, Object> choose(SplittableRandom random) {
        Map<String, Object> chosen = new LinkedHashMap<>();
        chosen.put("kind", random.nextInt(4) > 0 ? "leave" : "join");
        chosen.put("role", Targets.AGENT);
        chosen.put("target", random.nextInt(3) > 0 ? "one" : "owner");
        chosen.put("pick", (long) random.nextInt(1000));
        return chosen;
    }

    @Override
    public Object begin(Map<String, Object> chosen) {
        effect = false;
        if (chosen.get("kind").equals("join")) {
            Optional<String> joined = join();
            if (joined.isPresent()) {
                return joined.get();
            }
        }
        String host = targets.resolve(chosen).getFirst();
        if (!targets.cluster().alive(host)) {
            return host + " is not there";
        }
        for (int i = 0; i < MIGRATE_TRIES && targets.owner().equals(Optional.of(host)); i++) {
            evacuate(host);
        }
        healing.keepDown(List.of(host));
        away.add(host);
        var _ = targets.cluster().processes().process(host).stop(GRACE_MS);
        effect = true;
        return host + " left";
    }

    /// Empty when there is nobody left to join; then a host leaves.
    private Optional<String> join() {
        try {
            Optional<String> joined = targets.cluster().join();
            effect = joined.isPresent();
            return joined.map(host -> host + " joined");
        } catch (TomboloException e) {
            // ZooKeeper may be away just now; it is started again like any process that has stopped.
            return Optional.of("a host could not join: " + e.code().name());
        }
    }

    private void evacuate(String host) {
        Optional<String> to = targets.cluster().hosts().stream()
                .filter(h -> !h.equals(host) && targets.cluster().alive(h)).findFirst();
        if (to.isEmpty()) {
            return;
        }
        targets.vms().current().ifPresent(guest -> {
            try {
                var _ = targets.cluster().migrate(new VmMigrate(guest.name(), to.get()), MIGRATE_MS);
            } catch (TomboloException _) {
                // Tried again, or given up.
            }
        });
    }

    @Override
    public Object end() {
        List<String> back = healing.letUp(away);
        away.clear();
        return back;
    }

    @Override
    public boolean tookEffect() {
        return effect;
    }
}

package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.chaos.HaltAction;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// `halt`: the next agent that reaches a named moment of a hand-off kills itself, or stands still until its watchdog
/// kills it. Whether one gets there depends on the hand-offs that are made meanwhile.
public final class HaltNemesis implements Nemesis {
    private final Targets targets;
    private final Healing healing;

    public HaltNemesis(Targets targets) {
        this.targets = requireNonNull(targets, "targets is null");
        this.healing = targets.healing();
    }

    @Override
    public String name() {
        return "halt";
    }

    @Override
    public double lasting() {
        return 1.5;
    }

    @Override
    public Map<String, Object> choose(SplittableRandom random) {
        HandoffPoint[] points = HandoffPoint.values();
        Map<String, Object> chosen = new LinkedHashMap<>();
        chosen.put("point", points[random.nextInt(points.length)].name());
        chosen.put("action", (random.nextInt(3) > 0 ? HaltAction.KILL : HaltAction.STOP).name());
        return chosen;
    }

    @Override
    public Object begin(Map<String, Object> chosen) {
        HandoffPoint point = HandoffPoint.valueOf((String) chosen.get("point"));
        HaltAction action = HaltAction.valueOf((String) chosen.get("action"));
        targets.cluster().hosts().forEach(host -> targets.cluster().haltAt(host, point, action));
        return point + " " + action;
    }

    @Override
    public Object end() {
        List<String> done = new ArrayList<>();
        for (String host : targets.cluster().hosts()) {
            if (targets.cluster().halted(host)) {
                done.add(host + " was halted");
            }
            targets.cluster().forgetHalt(host);
        }
        done.addAll(healing.letUp(targets.cluster().hosts()));
        return done;
    }
}

package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.agent.right.Timings;
import io.tombolo.chaos.HaltAction;
import io.tombolo.chaos.HandoffHalt;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.SplittableRandom;

/// `halt`: the next agent that reaches a named moment of a hand-off kills itself, or stands still, all of it or only
/// the thread that got there: for less than a watchdog's time, so that it goes on late, or for longer, and then its
/// watchdog has to kill it if it is a thread that stores to the region and did not check. Whether one gets there
/// depends on the hand-offs that are made meanwhile.
public final class HaltNemesis implements Nemesis {
    /// How the outcome begins of a storing thread that stood still longer than its watchdog allows.
    public static final String NOT_KILLED = "NOT KILLED: ";

    /// The longest for which a thread is held that shall go on late.
    public static final int SHORT_HOLD_MS = 900;

    private static final int LONG_HOLD_MS = 4_000;
    /// Where the thread that got there is one that the board of checks knows to run.
    private static final Set<HandoffPoint> STORING = EnumSet.of(HandoffPoint.SOURCE_SAVED,
            HandoffPoint.SOURCE_OFFERED);
    /// What a busy machine may add to the watchdog's bound.
    private static final long SLACK_MS = 700;

    private final Targets targets;
    private final Healing healing;
    private final long killedWithinMs;
    private boolean effect;

    /// @param timings of the cluster
    public HaltNemesis(Targets targets, Timings timings) {
        this.targets = requireNonNull(targets, "targets is null");
        this.healing = targets.healing();
        this.killedWithinMs = TimeUnit.NANOSECONDS.toMillis(timings.watchdogNs()) + timings.scanMs()
                + timings.killToReapedMs() + SLACK_MS;
    }

    @Override
    public String name() {
        return "halt";
    }

    @Override
    public double lasting() {
        return 2;
    }

    @Override
    public Map<String, Object> choose(SplittableRandom random) {
        return chosen(random);
    }

    /// What that random sequence chooses.
    public static Map<String, Object> chosen(SplittableRandom random) {
        HandoffPoint[] points = HandoffPoint.values();
        Map<String, Object> chosen = new LinkedHashMap<>();
        chosen.put("point", points[random.nextInt(points.length)].name());
        HaltAction action = switch (random.nextInt(6)) {
            case 0, 1 -> HaltAction.KILL;
            case 2 -> HaltAction.STOP;
            default -> HaltAction.HOLD;
        };
        chosen.put("action", action.name());
        chosen.put("holdMs", (long) (random.nextInt(3) > 0 ? 1 + random.nextInt(SHORT_HOLD_MS) : LONG_HOLD_MS));
        return chosen;
    }

    @Override
    public Object begin(Map<String, Object> chosen) {
        effect = false;
        HandoffPoint point = HandoffPoint.valueOf((String) chosen.get("point"));
        HaltAction action = HaltAction.valueOf((String) chosen.get("action"));
        long holdMs = (Long) chosen.get("holdMs");
        targets.cluster().hosts().forEach(host -> targets.cluster().haltAt(host, point, action, holdMs));
        return point + " " + action + (action == HaltAction.HOLD ? " " + holdMs + " ms" : "");
    }

    @Override
    public Object end() {
        List<String> done = new ArrayList<>();
        for (String host : targets.cluster().hosts()) {
            targets.cluster().haltedAt(host).ifPresent(halted -> {
                effect = true;
                done.add(host + " was halted at " + halted.point());
                awaitWatchdog(halted);
                notKilled(host, halted).ifPresent(done::add);
            });
            targets.cluster().forgetHalt(host);
        }
        done.addAll(healing.letUp(targets.cluster().hosts()));
        return done;
    }

    private static boolean isLongHoldOfAStorer(HandoffHalt.Halted halted) {
        return halted.action() == HaltAction.HOLD && STORING.contains(halted.point())
                && halted.holdMs() > SHORT_HOLD_MS;
    }

    /// Lets nobody go on whose watchdog has not had its time.
    private void awaitWatchdog(HandoffHalt.Halted halted) {
        long untilNs = halted.sinceNs() + TimeUnit.MILLISECONDS.toNanos(killedWithinMs + 1);
        while (isLongHoldOfAStorer(halted) && System.nanoTime() - untilNs < 0) {
            LockSupport.parkNanos(this, untilNs - System.nanoTime());
        }
    }

    private Optional<String> notKilled(String host, HandoffHalt.Halted halted) {
        long heldMs = Math.min(halted.holdMs(), TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - halted.sinceNs()));
        boolean had = isLongHoldOfAStorer(halted) && heldMs > killedWithinMs;
        boolean lives = targets.cluster().alive(host)
                && targets.cluster().processes().process(host).pid() == halted.pid();
        return had && lives
                ? Optional.of(NOT_KILLED + host + " pid " + halted.pid() + ", whose thread stood still at "
                        + halted.point() + " for " + heldMs + " ms, and not at most " + killedWithinMs + " ms")
                : Optional.empty();
    }

    @Override
    public boolean tookEffect() {
        return effect;
    }
}

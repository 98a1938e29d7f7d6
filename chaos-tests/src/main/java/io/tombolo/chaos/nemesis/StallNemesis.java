package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/// `stall`: agents stand still again and again for a part of a second, as in a long garbage collection: longer than a
/// slice, a heartbeat or a spin window, shorter than the watchdog. All threads stand still at once, which is what a
/// JVM's own pauses do; here the kernel does it, so that they come at any instruction.
public final class StallNemesis implements Nemesis {
    private static final int MAX_STALL_MS = 600;
    private static final int MAX_RUN_MS = 700;
    private static final long NS_PER_MS = 1_000_000;

    private final Targets targets;
    private final Healing healing;
    private volatile boolean ending;
    private Thread strobe;
    private List<String> hit = List.of();
    private volatile boolean effect;

    public StallNemesis(Targets targets) {
        this.targets = requireNonNull(targets, "targets is null");
        this.healing = targets.healing();
    }

    @Override
    public String name() {
        return "stall";
    }

    @Override
    public double lasting() {
        return 2;
    }

    @Override
    public Map<String, Object> choose(SplittableRandom random) {
        Map<String, Object> chosen = new LinkedHashMap<>(Targets.choose(random, List.of(Targets.AGENT)));
        chosen.put("seed", random.nextLong(1L << 32));
        return chosen;
    }

    @Override
    public Object begin(Map<String, Object> chosen) {
        end();
        hit = targets.resolve(chosen);
        ending = false;
        effect = false;
        SplittableRandom random = new SplittableRandom((Long) chosen.get("seed"));
        List<String> victims = hit;
        strobe = Thread.ofPlatform().daemon().name("chaos-stalls").start(() -> strobe(victims, random));
        return hit;
    }

    private void strobe(List<String> victims, SplittableRandom random) {
        while (!ending) {
            for (String victim : victims) {
                effect |= targets.cluster().pause(victim);
            }
            LockSupport.parkNanos(random.nextInt(1, MAX_STALL_MS) * NS_PER_MS);
            victims.forEach(targets.cluster()::wake);
            LockSupport.parkNanos(random.nextInt(1, MAX_RUN_MS) * NS_PER_MS);
        }
    }

    @Override
    public Object end() {
        ending = true;
        boolean interrupted = false;
        while (strobe != null && strobe.isAlive()) {
            try {
                strobe.join();
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        strobe = null;
        // A busy machine may have made a stall longer than the watchdog allows.
        List<String> revived = healing.letUp(hit);
        hit = List.of();
        return revived;
    }

    @Override
    public boolean tookEffect() {
        return effect;
    }
}

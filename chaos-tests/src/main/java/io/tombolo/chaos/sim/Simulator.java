package io.tombolo.chaos.sim;

import io.tombolo.region.PageSize;
import io.tombolo.region.Region;
import io.tombolo.region.Superblock;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/// Runs schedules. One object per thread; what a seed does depends on nothing but the seed.
final class Simulator {
    /// One schedule.
    ///
    /// @param violation what is wrong; null if nothing is
    record Outcome(long seed, long steps, long checks, int handoffs, long pagesMoved, String violation, Throwable cause,
            List<String> trace) {
        boolean failed() {
            return violation != null;
        }
    }

    private static final long[] BASE;
    static final Superblock LAYOUT;

    static {
        BASE = new long[(int) (Region.bytesNeeded(World.FORMAT) / 8)];
        LAYOUT = Region.formatOver(new ArrayMemory(MemorySegment.ofArray(BASE)), World.FORMAT, new UUID(9, 9), 0);
    }

    private final Wiring wiring;
    private final SimMemory memory = new SimMemory(BASE);

    private final MemorySegment[] locals = new MemorySegment[Plan.MAX_HOSTS];

    Simulator(Wiring wiring) {
        this.wiring = wiring;
        for (int i = 0; i < locals.length; i++) {
            locals[i] = MemorySegment.ofArray(new long[PageSize.LARGE.bytes() / 8]);
        }
    }

    Outcome run(long seed, boolean traced) {
        return run(seed, Plan.of(new Rng(seed)), traced);
    }

    Outcome run(long seed, Plan plan, boolean traced) {
        List<String> trace = traced ? new ArrayList<>() : null;
        World world = new World(seed, plan, wiring, memory, locals, LAYOUT, trace);
        if (traced) {
            trace.add(world.toString());
        }
        world.run();
        return new Outcome(seed, world.scheduler().steps(), world.oracle().checks(), world.troubles().handoffs(),
                world.pagesMoved(),
                world.violation(), world.cause(), traced ? trace : List.of());
    }
}

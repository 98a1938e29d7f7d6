package io.tombolo.chaos.sim;

import io.tombolo.region.Memory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A memory port with one mistake: a call that is not made, or made wrongly, wherever the product makes it from one
/// place.
final class PlantedMemory extends HostMemory {
    /// What is done wrongly.
    enum Mistake {
        /// A store is left out.
        NO_STORE,
        /// A load may give what this process found there the last time.
        STALE_LOAD,
        /// What was stored is not made durable.
        NO_PERSIST,
        /// A compare-and-set stores without comparing.
        NO_COMPARE,
        /// A compare-and-set stores nothing, and says that it has.
        NO_SWAP
    }

    private static final StackWalker WALKER = StackWalker.getInstance();
    private static final Set<String> PORTS = Set.of(PlantedMemory.class.getName(), HostMemory.class.getName(),
            Memory.class.getName());

    private final Mistake mistake;
    private final String site;
    private final Set<String> seen;
    private final Map<Long, Long> last = new HashMap<>();
    private boolean stale;

    /// @param site where the mistake is; null: nowhere
    /// @param seen the places met, of calls of that kind
    PlantedMemory(World world, SimProcess process, Mistake mistake, String site, Set<String> seen) {
        super(world, process);
        this.mistake = mistake;
        this.site = site;
        this.seen = seen;
    }

    private boolean here(Mistake kind) {
        if (kind != mistake) {
            return false;
        }
        String place = WALKER.walk(frames -> {
            List<StackWalker.StackFrame> callers = frames
                    .filter(frame -> !PORTS.contains(frame.getClassName()) && !frame.getMethodName()
                            .equals("makeDurable"))
                    .limit(2).toList();
            StackWalker.StackFrame caller = callers.getFirst();
            String name = caller.getClassName();
            String at = name.substring(name.lastIndexOf('.') + 1) + "." + caller.getMethodName() + ":"
                    + caller.getLineNumber();
            // What all changes of a word share is as many places as it has callers.
            return caller.getMethodName().startsWith("compareAndSet") || caller.getMethodName().endsWith("Release")
                    || caller.getMethodName().endsWith("Acquire") || caller.getMethodName().equals("change")
                            ? at + " for " + callers.get(1).getMethodName() + ":" + callers.get(1).getLineNumber()
                            : at;
        });
        if (seen != null) {
            seen.add(place);
        }
        return place.equals(site);
    }

    @Override
    public void store(long offset, long value) {
        if (!here(Mistake.NO_STORE)) {
            super.store(offset, value);
        }
    }

    @Override
    public long loadAcquire(long offset) {
        long value = super.loadAcquire(offset);
        if (here(Mistake.STALE_LOAD)) {
            stale = !stale;
            Long before = last.put(offset, value);
            return stale && before != null ? before : value;
        }
        return value;
    }

    @Override
    public boolean compareAndSet(long offset, long expect, long next) {
        if (here(Mistake.NO_COMPARE)) {
            return super.compareAndSet(offset, rawLoad(offset), next);
        }
        if (here(Mistake.NO_SWAP)) {
            return loadAcquire(offset) == expect;
        }
        return super.compareAndSet(offset, expect, next);
    }

    @Override
    public void persist(long offset, long count) {
        if (!here(Mistake.NO_PERSIST)) {
            super.writeBack(offset, count);
            super.fence();
        }
    }

    @Override
    public void writeBack(long offset, long count) {
        if (here(Mistake.NO_PERSIST)) {
            world().oracle().beforeWriteBack(process(), offset, count);
        } else {
            super.writeBack(offset, count);
        }
    }

    @Override
    public void fence() {
        if (!here(Mistake.NO_PERSIST)) {
            super.fence();
        }
    }
}

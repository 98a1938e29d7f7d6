package io.tombolo.chaos.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.check.EpochSeen;
import io.tombolo.coordinator.Threads;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/// One observer of all owner words: a thread that reads them every few milliseconds through this process's own
/// mapping and notes every change.
public final class EpochWatch implements AutoCloseable {
    private static final long LOOK_NS = 3_000_000;
    /// Slots are taken from the lowest; one look goes this far beyond the highest that was ever in use.
    private static final int BEYOND = 4;

    private final Region region;
    private final LongSupplier nowNs;
    private final List<EpochSeen> seen = new ArrayList<>();
    private final List<OwnerChange> changes = new ArrayList<>();
    private final Map<Integer, Long> words = new HashMap<>();
    private final Thread thread;
    private volatile boolean closed;

    /// @param nowNs nanoseconds since the run began
    public EpochWatch(Region region, LongSupplier nowNs) {
        this.region = requireNonNull(region, "region is null");
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
        this.thread = Thread.ofPlatform().daemon().name("chaos-epochs").start(this::watch);
    }

    private void watch() {
        int highest = 0;
        while (!closed) {
            for (int slot = 0; slot < Math.min(region.vmSlots(), highest + BEYOND); slot++) {
                long word = region.vm(slot).ownerAcquire();
                Long before = words.put(slot, word);
                if ((before != null && before == word) || OwnerWord.state(word) == OwnerState.FREE) {
                    continue;
                }
                highest = Math.max(highest, slot);
                OwnerChange change = new OwnerChange(slot, OwnerWord.state(word), host(word), OwnerWord.epoch(word),
                        nowNs.getAsLong());
                EpochSeen look = new EpochSeen("slot " + slot, "host slot " + OwnerWord.slot(word),
                        OwnerWord.epoch(word), nowNs.getAsLong());
                synchronized (seen) {
                    seen.add(look);
                    changes.add(change);
                }
            }
            LockSupport.parkNanos(this, LOOK_NS);
        }
    }

    private String host(long word) {
        try {
            return region.host(OwnerWord.slot(word)).readIdentity().name();
        } catch (TomboloException _) {
            // The slot is being given to somebody else, or was damaged on purpose.
            return "";
        }
    }

    /// The same as what they said.
    public List<OwnerChange> changes() {
        synchronized (seen) {
            return List.copyOf(changes);
        }
    }

    /// Every change that was seen, in order.
    public List<EpochSeen> seen() {
        synchronized (seen) {
            return List.copyOf(seen);
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        Threads.awaitEnd(thread);
    }
}

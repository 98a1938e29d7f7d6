package io.tombolo.chaos.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.Threads;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/// Looks all the time whether ZooKeeper answers and names a coordinator that runs. Thread safe.
public final class LeaderWatch implements AutoCloseable {
    private static final long LOOK_NS = 50_000_000;

    private final ClusterUnderTest cluster;
    private final LongSupplier nowNs;
    private final List<Change> changes = new ArrayList<>();
    private final Thread thread;
    private volatile boolean closed;

    /// Who leads, from a time on.
    ///
    /// @param leader "" for nobody
    /// @param timeNs nanoseconds since the run began
    public record Change(String leader, long timeNs) {
    }

    /// @param nowNs nanoseconds since the run began
    public LeaderWatch(ClusterUnderTest cluster, LongSupplier nowNs) {
        this.cluster = requireNonNull(cluster, "cluster is null");
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
        this.thread = Thread.ofPlatform().daemon().name("chaos-leader").start(this::watch);
    }

    private void watch() {
        String before = null;
        while (!closed) {
            String leader = cluster.leader().filter(this::runs).orElse("");
            long now = nowNs.getAsLong();
            if (!leader.equals(before)) {
                before = leader;
                synchronized (changes) {
                    changes.add(new Change(leader, now));
                }
            }
            LockSupport.parkNanos(this, LOOK_NS);
        }
    }

    private boolean runs(String leader) {
        return cluster.coordinators().contains(leader) && cluster.alive(leader);
    }

    /// All changes, in order.
    public List<Change> changes() {
        synchronized (changes) {
            return List.copyOf(changes);
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        Threads.awaitEnd(thread);
    }
}

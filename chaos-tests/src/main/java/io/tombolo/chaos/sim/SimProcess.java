package io.tombolo.chaos.sim;

import static java.util.Objects.requireNonNull;

/// A process of the simulated world: something that can die, and stand still for any time. One thread has the baton, so
/// nothing here is locked.
class SimProcess {
    private final String name;
    private boolean alive = true;
    private long pausedUntilNs;
    private long cutUntilNs;
    private Object monitor;
    private Scheduler.Actor holder;

    SimProcess(String name) {
        this.name = requireNonNull(name, "name is null");
    }

    final String name() {
        return name;
    }

    final boolean alive() {
        return alive;
    }

    final boolean paused(long nowNs) {
        return pausedUntilNs > nowNs;
    }

    void kill() {
        alive = false;
    }

    final void pauseUntil(long ns) {
        pausedUntilNs = ns;
    }

    /// Nothing gets to the coordination service or from there until then.
    final void cutFromCoordination(long untilNs) {
        cutUntilNs = untilNs;
    }

    final boolean isCutFromCoordination(long nowNs) {
        return cutUntilNs > nowNs;
    }

    /// A lock of the product that its threads may hold while they make steps: who does not hold it waits for it, and
    /// must not get the baton.
    final void monitor(Object lock) {
        monitor = lock;
    }

    final void noteMonitor(Scheduler.Actor me) {
        if (holder == null && monitor != null && Thread.holdsLock(monitor)) {
            holder = me;
        }
    }

    final boolean holds(Scheduler.Actor actor) {
        return holder == actor;
    }

    final void dropMonitor(Scheduler.Actor me) {
        if (holder == me) {
            holder = null;
        }
    }

    /// When an actor of this process that wakes at `wakeNs` can really run.
    final long readyNs(Scheduler.Actor actor, long wakeNs) {
        if (holder != null && holder != actor) {
            return Long.MAX_VALUE;
        }
        return Math.max(wakeNs, pausedUntilNs);
    }

    @Override
    public String toString() {
        return name;
    }
}

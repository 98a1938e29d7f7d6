package io.tombolo.agent.sim;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/// The barrier between the vCPU threads of one VM and whoever wants them to stop. One word, the order, is all a
/// running thread looks at.
///
/// Protocol. The order goes from RUN to something else by compare-and-set, so exactly one request wins. Every thread
/// that sees it arrives: it counts itself out of `active`, and the one that makes it 0 settles the matter while all
/// others are parked or on their way to park. Opening again counts all threads in, then stores RUN, then raises the
/// generation; a parked thread leaves only when the generation is not the one it arrived with, so an order that
/// follows at once is met by threads that have left, and none is lost.
///
/// Opening is legal only after settling; [VcpuRunner] sees to that.
final class VcpuGate {
    static final int RUN = 0;
    static final int STOP = 1;
    static final int SWITCH = 2;
    /// A stop from inside: a vCPU that lost its right or failed.
    static final int HALT = 3;
    /// Final: the threads end.
    static final int KILL = 4;

    private final Thread[] threads;
    private final AtomicInteger order = new AtomicInteger(STOP);
    private final AtomicInteger active = new AtomicInteger();
    private volatile long generation;
    private volatile boolean settled = true;

    /// @param threads filled by the caller before the first thread starts
    VcpuGate(Thread[] threads) {
        this.threads = threads;
    }

    /// The fast path: one volatile load.
    boolean isOpen() {
        return order.get() == RUN;
    }

    int order() {
        return order.get();
    }

    long generation() {
        return generation;
    }

    boolean settled() {
        return settled;
    }

    /// Asks the running threads for STOP, SWITCH or HALT; false if they are not running or something else was asked
    /// before.
    boolean request(int what) {
        return order.compareAndSet(RUN, what);
    }

    void kill() {
        order.set(KILL);
        wake(-1);
    }

    /// Counts this thread out; true for the last one, which has to settle.
    boolean arrive() {
        return active.decrementAndGet() == 0;
    }

    /// The last thread has done its duty and the VM stays stopped.
    void settle() {
        settled = true;
    }

    /// Lets the threads go; false if they were killed meanwhile. Wakes nobody.
    boolean open() {
        int before = order.get();
        active.set(threads.length);
        settled = false;
        if (before == KILL || !order.compareAndSet(before, RUN)) {
            return false;
        }
        // Only ever written here, by the one who may open.
        @SuppressWarnings("NonAtomicOperationOnVolatileField")
        long next = generation + 1;
        generation = next;
        return true;
    }

    /// Wakes every thread but one.
    void wake(int except) {
        for (int i = 0; i < threads.length; i++) {
            if (i != except) {
                LockSupport.unpark(threads[i]);
            }
        }
    }

    /// Whether a thread that arrived in this generation may leave.
    boolean hasOpenedSince(long arrivedIn) {
        return generation != arrivedIn;
    }

    void park() {
        LockSupport.park(this);
        // An interrupt would make every later park return at once.
        Thread.interrupted();
    }
}

package io.tombolo.agent.right;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.TomboloException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/// Where every thread that can store to the region shows when it last looked at its right, and the gate that stops
/// them.
///
/// A cell per thread holds CLOCK_BOOTTIME of its last check, or STOPPED. Only the thread itself writes its cell (and
/// the thread that drives a QEMU process writes on behalf of that process: QEMU cannot check, but dies with its kill
/// group); cells are 128 bytes apart, so that no check slows another thread's. The clock is read *before* the slot
/// word, so a recorded time is never later than the look it stands for.
///
/// The gate is a time: open until `openUntilNs`, closed at Long.MIN_VALUE. Only the right keeper's thread moves it. A
/// thread that wants to run first writes its cell and then looks at the gate, and the keeper first closes the gate and
/// then looks at the cells, each with full fences between; so once [#allStopped] was true with the gate closed, no
/// thread stores until the gate opens again.
public final class CheckBoard {
    /// In a cell: the thread stores nothing to the region. Also the cell of nobody.
    public static final long STOPPED = Long.MAX_VALUE;

    private static final long CLOSED = Long.MIN_VALUE;
    private static final int STRIDE_LONGS = 16;
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle GATE;

    static {
        try {
            GATE = MethodHandles.lookup().findVarHandle(CheckBoard.class, "openUntilNs", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final LongSupplier boottimeNs;
    private final LongSupplier slotWord;
    private final long liveWord;
    private final long[] cells;
    private final Checker[] checkers;
    private final AtomicInteger closings = new AtomicInteger();
    // Read and written through GATE only.
    @SuppressWarnings("UnusedVariable")
    private long openUntilNs = CLOSED;

    /// @param boottimeNs CLOCK_BOOTTIME in ns, callable from any thread
    /// @param slotWord acquire load of the host's slot word, callable from any thread
    /// @param liveWord the word that gives the right: LIVE with the own incarnation
    /// @param maxThreads how many threads may be registered at a time
    public CheckBoard(LongSupplier boottimeNs, LongSupplier slotWord, long liveWord, int maxThreads) {
        this.boottimeNs = requireNonNull(boottimeNs, "boottimeNs is null");
        this.slotWord = requireNonNull(slotWord, "slotWord is null");
        this.liveWord = liveWord;
        this.cells = new long[(maxThreads + 1) * STRIDE_LONGS];
        this.checkers = new Checker[maxThreads];
    }

    /// Takes a cell for a thread that will store to the region; it begins as stopped.
    ///
    /// @param name for messages: `vcpu web/0`, `mover`
    /// @param ownerHolds what else must hold, such as an unchanged owner word; asked at each check, from that thread
    /// @throws TomboloException CHECK_BOARD_FULL
    public Checker register(String name, BooleanSupplier ownerHolds) {
        requireNonNull(name, "name is null");
        requireNonNull(ownerHolds, "ownerHolds is null");
        synchronized (checkers) {
            for (int i = 0; i < checkers.length; i++) {
                if (checkers[i] == null) {
                    CELL.setVolatile(cells, (i + 1) * STRIDE_LONGS, STOPPED);
                    checkers[i] = new Checker(i, name, ownerHolds);
                    return checkers[i];
                }
            }
        }
        throw TomboloException.error(RightError.CHECK_BOARD_FULL, "no cell is left on the board of checks")
                .fact("thread", name).fact("cells", checkers.length)
                .next("raise the agent's limit of storing threads, or run fewer vCPUs on this host").build();
    }

    /// Opens the gate until `untilNs`, or moves the end of an open gate. Keeper thread only.
    void openGate(long untilNs) {
        GATE.setVolatile(this, untilNs);
    }

    /// Closes the gate: every check fails from now on. Keeper thread only.
    void closeGate() {
        closings.incrementAndGet();
        GATE.setVolatile(this, CLOSED);
    }

    /// How often the gate was closed. What was taken under a right is good for as long as this has not changed since
    /// before the right was looked at; a gate that is open again says nothing of that.
    public int closings() {
        return closings.get();
    }

    /// The gate is open, as far as this thread can see; not a check.
    public boolean gateOpen() {
        return (long) GATE.getVolatile(this) != CLOSED;
    }

    /// No registered thread stores to the region. Lasting only while the gate is closed.
    public boolean allStopped() {
        return oldestCheckNs() == STOPPED;
    }

    /// Time of the oldest check of all running threads; Long.MAX_VALUE if none runs.
    public long oldestCheckNs() {
        VarHandle.fullFence();
        long oldest = STOPPED;
        for (int cell = STRIDE_LONGS; cell < cells.length; cell += STRIDE_LONGS) {
            long at = (long) CELL.getVolatile(cells, cell);
            // A cell that was never taken holds 0.
            if (at != 0 && at < oldest) {
                oldest = at;
            }
        }
        return oldest;
    }

    /// Names and ages of the running threads, for `status` and for the last words before a kill.
    public List<String> running() {
        long now = boottimeNs.getAsLong();
        List<String> all = new ArrayList<>();
        synchronized (checkers) {
            for (Checker checker : checkers) {
                if (checker != null) {
                    long at = (long) CELL.getVolatile(cells, checker.cell);
                    if (at != STOPPED) {
                        all.add(checker.name + " checked " + (now - at) / 1000 + " us ago");
                    }
                }
            }
        }
        return all;
    }

    /// One thread's place on the board. All methods are for that thread.
    public final class Checker implements AutoCloseable {
        private final int index;
        private final int cell;
        private final String name;
        private final BooleanSupplier ownerHolds;

        private Checker(int index, String name, BooleanSupplier ownerHolds) {
            this.index = index;
            this.cell = (index + 1) * STRIDE_LONGS;
            this.name = name;
            this.ownerHolds = ownerHolds;
        }

        /// Asks to run. On true the thread may store until its next check is due, one check period later. On false it
        /// is marked stopped and must store nothing.
        public boolean start() {
            long now = boottimeNs.getAsLong();
            CELL.setVolatile(cells, cell, now);
            VarHandle.fullFence();
            if (holds(now)) {
                return true;
            }
            stopped();
            return false;
        }

        /// The check that every storing thread makes at least once per check period. On false the thread stores nothing
        /// more, settles, and calls [#stopped]; until then its cell ages and the watchdog comes nearer.
        public boolean check() {
            long now = boottimeNs.getAsLong();
            if (!holds(now)) {
                return false;
            }
            CELL.setRelease(cells, cell, now);
            return true;
        }

        private boolean holds(long now) {
            return now < (long) GATE.getVolatile(CheckBoard.this) && slotWord.getAsLong() == liveWord
                    && ownerHolds.getAsBoolean();
        }

        /// The thread's last store to the region has been made; it stores nothing before [#start] gives true.
        public void stopped() {
            CELL.setVolatile(cells, cell, STOPPED);
        }

        public String name() {
            return name;
        }

        /// Gives the cell back; the thread has made its last store.
        @Override
        public void close() {
            stopped();
            synchronized (checkers) {
                checkers[index] = null;
            }
        }
    }
}

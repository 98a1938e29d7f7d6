package io.tombolo.agent.sim;

import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/// Where the vCPUs of a VM come together at the ends of instructions without being stopped: one raises it, all that
/// execute arrive, the last to arrive does what it was raised for while the others wait, and all go on. Nobody parks.
///
/// One word: a number that grows with every round, how many vCPUs are in, how many have arrived, and whether the round
/// is raised, or being carried out. A vCPU that stops leaves, so whoever waits waits only for threads that execute; one
/// that comes while a round is carried out waits for its end. The word's compare-and-sets order what the vCPUs did
/// before a round before what is done in it, and that before what they do afterwards.
///
/// Thread safe. Whoever calls `enter` is in until `leave`.
final class VcpuBarrier {
    private static final int IDLE = 0;
    private static final int RAISED = 1;
    private static final int CARRIED_OUT = 2;
    private static final int FIELD_BITS = 12;
    private static final long FIELD = (1 << FIELD_BITS) - 1;
    private static final int IN_SHIFT = 2;
    private static final int ARRIVED_SHIFT = IN_SHIFT + FIELD_BITS;
    private static final int ROUND_SHIFT = ARRIVED_SHIFT + FIELD_BITS;

    private final AtomicLong word = new AtomicLong();

    private static long pack(long round, long arrived, long in, int phase) {
        return round << ROUND_SHIFT | arrived << ARRIVED_SHIFT | in << IN_SHIFT | phase;
    }

    private static int phase(long word) {
        return (int) word & 3;
    }

    private static long in(long word) {
        return word >>> IN_SHIFT & FIELD;
    }

    private static long arrived(long word) {
        return word >>> ARRIVED_SHIFT & FIELD;
    }

    private static long round(long word) {
        return word >>> ROUND_SHIFT;
    }

    /// Before the first instruction of a stretch.
    void enter() {
        while (true) {
            long now = word.get();
            if (phase(now) == CARRIED_OUT) {
                Thread.onSpinWait();
            } else if (word.compareAndSet(now, pack(round(now), arrived(now), in(now) + 1, phase(now)))) {
                return;
            }
        }
    }

    /// After the last instruction of a stretch. Those that wait do not wait for this vCPU any more.
    void leave() {
        while (true) {
            long now = word.get();
            int phase = in(now) == 1 ? IDLE : phase(now);
            if (word.compareAndSet(now, pack(round(now), arrived(now), in(now) - 1, phase))) {
                return;
            }
        }
    }

    boolean isRaised() {
        return phase(word.get()) != IDLE;
    }

    /// Asks all to come; to be followed by [#meet], as when [#isRaised].
    void raise() {
        long now = word.get();
        if (phase(now) == IDLE) {
            // If it fails another vCPU has raised it, or came or left; then the next look at the clock raises it.
            word.compareAndSet(now, pack(round(now), 0, in(now), RAISED));
        }
    }

    /// Arrives in a raised round and returns when it is over; false if `goesOn` said no while it waited, and this vCPU
    /// is out, as after [#leave].
    ///
    /// @param task   done by one of them, when all are here
    /// @param goesOn called again and again while it waits
    boolean meet(Runnable task, BooleanSupplier goesOn) {
        long round;
        while (true) {
            long now = word.get();
            if (phase(now) != RAISED) {
                return true;
            }
            if (word.compareAndSet(now, pack(round(now), arrived(now) + 1, in(now), RAISED))) {
                round = round(now);
                break;
            }
        }
        while (true) {
            long now = word.get();
            if (round(now) != round) {
                return true;
            }
            if (phase(now) == RAISED && arrived(now) == in(now)) {
                if (word.compareAndSet(now, pack(round, arrived(now), in(now), CARRIED_OUT))) {
                    carryOut(task);
                    return true;
                }
            } else if (!goesOn.getAsBoolean()) {
                now = word.get();
                int phase = in(now) == 1 ? IDLE : RAISED;
                if (round(now) == round && phase(now) == RAISED
                        && word.compareAndSet(now, pack(round, arrived(now) - 1, in(now) - 1, phase))) {
                    return false;
                }
            }
        }
    }

    private void carryOut(Runnable task) {
        try {
            task.run();
        } finally {
            // Nobody comes or leaves meanwhile.
            long now = word.get();
            word.set(pack(round(now) + 1, 0, in(now), IDLE));
        }
    }
}

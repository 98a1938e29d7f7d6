package io.tombolo.agent.right;

import static java.util.Objects.requireNonNull;

import java.util.function.LongSupplier;

/// Sees that the machine was suspended: CLOCK_BOOTTIME counts that time and CLOCK_MONOTONIC does not. One thread.
///
/// The two clocks cannot be read at one instant, so each reading of BOOTTIME is taken between two of MONOTONIC and
/// gives a lower and an upper bound of their distance. A jump is reported only if the lower bound now is above the
/// least upper bound so far, so that losing the processor between the readings is never mistaken for a suspend.
public final class ClockWatch {
    private final LongSupplier boottimeNs;
    private final LongSupplier monotonicNs;
    private final long thresholdNs;
    private long leastUpperNs;

    /// @param thresholdNs jumps up to this are taken for slewing of the clocks
    public ClockWatch(LongSupplier boottimeNs, LongSupplier monotonicNs, long thresholdNs) {
        this.boottimeNs = requireNonNull(boottimeNs, "boottimeNs is null");
        this.monotonicNs = requireNonNull(monotonicNs, "monotonicNs is null");
        this.thresholdNs = thresholdNs;
        long before = monotonicNs.getAsLong();
        this.leastUpperNs = boottimeNs.getAsLong() - before;
    }

    /// How far BOOTTIME has run ahead since the last call, 0 if it has not.
    public long jumpNs() {
        long before = monotonicNs.getAsLong();
        long boot = boottimeNs.getAsLong();
        long after = monotonicNs.getAsLong();
        long lower = boot - after;
        long upper = boot - before;
        long jump = lower - leastUpperNs;
        if (jump > thresholdNs) {
            leastUpperNs = upper;
            return jump;
        }
        leastUpperNs = Math.min(leastUpperNs, upper);
        return 0;
    }
}

package io.tombolo.region;

/// The bound after which a host's watchdog has certainly stopped it, as the host declares it when it joins: a time W,
/// the age C of the oldest check, supervisor scan S, kill-to-reaped time Kr, clock drift, and the factor a (1 for pets
/// that carry the time of the check, 2 for plain pets). Nanoseconds and parts per million.
public record WatchdogBound(int petFactor, long watchdogNs, long checkNs, long scanNs, long killNs, int driftPpm,
        boolean outsideStallDomain) {
    /// No watchdog, or nothing known of it: elapsed time then never counts as evidence.
    public static final WatchdogBound UNKNOWN = new WatchdogBound(0, 0, 0, 0, 0, 0, false);

    public WatchdogBound {
        if (petFactor < 0 || petFactor > 2 || watchdogNs < 0 || checkNs < 0 || scanNs < 0 || killNs < 0
                || driftPpm < 0) {
            throw new IllegalArgumentException("watchdog bound out of range: factor " + petFactor);
        }
    }

    public boolean isKnown() {
        return petFactor > 0;
    }

    /// `(a*W + C + S + Kr) * (1 + rho)`, to be added to the time at which the slot word left LIVE. Meaningless if not
    /// known.
    public long boundNs() {
        long sum = petFactor * watchdogNs + checkNs + scanNs + killNs;
        return sum + Math.ceilDiv(sum, 1_000_000L) * driftPpm;
    }
}

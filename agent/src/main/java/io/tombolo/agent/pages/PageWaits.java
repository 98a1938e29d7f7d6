package io.tombolo.agent.pages;

import org.HdrHistogram.AtomicHistogram;

/// How long the vCPUs of a VM waited for pages that were being moved, since the VM came to this host. Thread safe;
/// recording allocates nothing.
public final class PageWaits {
    private static final long LONGEST_NS = 60_000_000_000L;

    private final AtomicHistogram histogram = new AtomicHistogram(LONGEST_NS, 2);

    /// One wait, at its end.
    public void add(long ns) {
        histogram.recordValue(Math.clamp(ns, 0, LONGEST_NS));
    }

    /// Waits so far.
    public long count() {
        return histogram.getTotalCount();
    }

    /// The wait that this part of all waits did not exceed, in ns, to two digits; 0 if there was none.
    public long quantileNs(double quantile) {
        return histogram.getTotalCount() == 0 ? 0 : histogram.getValueAtPercentile(quantile * 100);
    }

    /// The longest wait, in ns, to two digits; 0 if there was none.
    public long maxNs() {
        return histogram.getMaxValue();
    }

    /// Forgets all waits.
    void reset() {
        histogram.reset();
    }
}

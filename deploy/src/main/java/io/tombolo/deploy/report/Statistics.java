package io.tombolo.deploy.report;

import org.HdrHistogram.Histogram;

/// Median, 99th percentile and maximum of a set of durations in nanoseconds; all 0 when the set is empty. Values keep
/// three decimal digits, as HdrHistogram stores them.
public record Statistics(long p50, long p99, long max) {
    private static final int DIGITS = 3;

    /// Statistics of the durations, in any order.
    ///
    /// @throws IllegalArgumentException on a negative duration: a clock was read in the wrong order
    public static Statistics of(long[] durationsNs) {
        Histogram histogram = new Histogram(DIGITS);
        long max = 0;
        for (long ns : durationsNs) {
            if (ns < 0) {
                throw new IllegalArgumentException("negative duration: " + ns);
            }
            histogram.recordValue(ns);
            max = Math.max(max, ns);
        }
        // The histogram answers with the upper end of a bucket, which may lie above the largest value there is.
        return durationsNs.length == 0
                ? new Statistics(0, 0, 0)
                : new Statistics(Math.min(max, histogram.getValueAtPercentile(50)),
                        Math.min(max, histogram.getValueAtPercentile(99)), max);
    }
}

package io.tombolo.chaos.check;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.function.LongSupplier;

/// The bounds within which a checker works. Immutable.
///
/// @param timeLimit   after that a checker gives up with UNKNOWN
/// @param memoryBytes what a search may keep at a time; past that it gives up with UNKNOWN
/// @param threads     how many parts of a history may be checked at once
/// @param nowNs       a monotonic clock in nanoseconds
public record CheckContext(Duration timeLimit, long memoryBytes, int threads, LongSupplier nowNs) {
    /// Of Jepsen's order of magnitude, and short enough for a person who waits.
    public static final Duration DEFAULT_TIME_LIMIT = Duration.ofSeconds(60);

    public CheckContext {
        requireNonNull(timeLimit, "timeLimit is null");
        requireNonNull(nowNs, "nowNs is null");
        if (timeLimit.isNegative() || timeLimit.isZero() || memoryBytes <= 0 || threads <= 0) {
            throw new IllegalArgumentException("bounds must be positive: timeLimit=" + timeLimit + " memoryBytes="
                    + memoryBytes + " threads=" + threads);
        }
    }

    /// One minute, half of the heap, all processors.
    public static CheckContext defaults() {
        return new CheckContext(DEFAULT_TIME_LIMIT, Runtime.getRuntime().maxMemory() / 2,
                Runtime.getRuntime().availableProcessors(), System::nanoTime);
    }

    public CheckContext withTimeLimit(Duration limit) {
        return new CheckContext(limit, memoryBytes, threads, nowNs);
    }

    public CheckContext withMemoryBytes(long bytes) {
        return new CheckContext(timeLimit, bytes, threads, nowNs);
    }

    public CheckContext withThreads(int count) {
        return new CheckContext(timeLimit, memoryBytes, count, nowNs);
    }
}

package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.TimeUnit;

/// What one transit is to do, and its limits.
///
/// @param vm         name of the VM
/// @param from       host that owns it
/// @param to         host that shall own it
/// @param pageBytes  bytes of a page
/// @param chunkPages pages of one call to an agent
/// @param budgetMs   after this long an agent begins no further batch of a call; so long a cancel waits at most
/// @param retryNs    between two attempts at what was refused for the moment
/// @param stuckNs    longest time without one page moved, or one call answered
/// @param moveNs     longest time for the pages, in each direction
public record TransitPlan(String vm, String from, String to, int pageBytes, int chunkPages, int budgetMs, long retryNs,
        long stuckNs, long moveNs) {
    /// Long enough that a cancel is not costly, short enough that it is not noticed.
    static final int BUDGET_MS = 200;
    /// Without a limit given: at the slowest rate ever measured this moves more than any host has.
    static final long DEFAULT_MOVE_NS = TimeUnit.MINUTES.toNanos(30);

    public TransitPlan {
        requireNonNull(vm, "vm is null");
        requireNonNull(from, "from is null");
        requireNonNull(to, "to is null");
    }
}

package io.tombolo.coordinator.wire;

/// How long vCPUs waited for pages that were being moved, since the VM came to its host.
///
/// @param count waits
/// @param p99Ns the wait that 99 of 100 did not exceed, to two digits
/// @param maxNs the longest, to two digits
public record PageWaits(long count, long p99Ns, long maxNs) {
    /// No page has been waited for, or the answering process does not run the VM.
    public static final PageWaits NONE = new PageWaits(0, 0, 0);
}

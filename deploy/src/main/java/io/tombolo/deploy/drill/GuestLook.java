package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import java.util.Optional;

/// What the host of a running guest says of it at one moment.
///
/// @param instructions executed by all vCPUs since the guest was created, wherever it ran
/// @param waits        how long vCPUs waited for pages that were being moved; empty when the host does not tell
public record GuestLook(long instructions, Optional<Waits> waits) {
    public GuestLook {
        requireNonNull(waits, "waits is null");
    }

    /// Waits of vCPUs for moving pages since the VM came to the host.
    ///
    /// @param count how many
    /// @param p99Ns what 99 of 100 did not exceed
    /// @param maxNs the longest
    public record Waits(long count, long p99Ns, long maxNs) {
    }
}

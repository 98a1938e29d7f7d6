package io.tombolo.chaos.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.OwnerState;

/// An owner word had become another one.
///
/// @param slot   VM slot
/// @param host   name of the host that it names; "" if nobody knows
/// @param timeNs when that was seen, since the run began
public record OwnerChange(int slot, OwnerState state, String host, long epoch, long timeNs) {
    public OwnerChange {
        requireNonNull(state, "state is null");
        requireNonNull(host, "host is null");
    }
}

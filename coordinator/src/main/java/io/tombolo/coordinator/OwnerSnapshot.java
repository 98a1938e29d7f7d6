package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.OwnerState;

/// One reading of a VM slot's owner word; its three parts belong together.
///
/// @param state state
/// @param slot  host slot; meaningless when FREE
/// @param epoch epoch
public record OwnerSnapshot(OwnerState state, int slot, long epoch) {
    public OwnerSnapshot {
        requireNonNull(state, "state is null");
    }

    /// Whether the word names the host in `hostSlot`.
    public boolean names(int hostSlot) {
        return state != OwnerState.FREE && slot == hostSlot;
    }

    /// For people: `RUNNING host 3 epoch 17`.
    public String describe() {
        return state + " host " + slot + " epoch " + epoch;
    }
}

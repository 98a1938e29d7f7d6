package io.tombolo.chaos.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.OwnerState;

/// What an owner word says, read once, and whether the process that it names is there.
///
/// @param host   name of the host; "" if the word names none
/// @param living whether the process of that incarnation still runs, stopped ones included
public record Owner(OwnerState state, long epoch, String host, boolean living) {
    public Owner {
        requireNonNull(state, "state is null");
        requireNonNull(host, "host is null");
    }
}

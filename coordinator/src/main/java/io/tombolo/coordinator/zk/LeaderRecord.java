package io.tombolo.coordinator.zk;

import static java.util.Objects.requireNonNull;

/// Who claimed the current term, and where it serves.
///
/// @param id      coordinator id
/// @param address where it listens
/// @param port    where it listens
public record LeaderRecord(String id, String address, int port) {
    public LeaderRecord {
        requireNonNull(id, "id is null");
        requireNonNull(address, "address is null");
    }
}

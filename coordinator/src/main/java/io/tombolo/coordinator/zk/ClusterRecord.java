package io.tombolo.coordinator.zk;

import static java.util.Objects.requireNonNull;

import java.util.UUID;

/// What belongs to the cluster for ever.
///
/// @param uuid       cluster UUID
/// @param name       cluster name
/// @param regionUuid UUID of its region
public record ClusterRecord(UUID uuid, String name, UUID regionUuid) {
    public ClusterRecord {
        requireNonNull(uuid, "uuid is null");
        requireNonNull(name, "name is null");
        requireNonNull(regionUuid, "regionUuid is null");
    }
}

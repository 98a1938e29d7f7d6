package io.tombolo.coordinator.zk;

import static java.util.Objects.requireNonNull;

/// A host on which no VM is to be placed, until somebody says otherwise.
///
/// @param host its name
public record DrainedRecord(String host) {
    public DrainedRecord {
        requireNonNull(host, "host is null");
    }
}

package io.tombolo.coordinator.zk;

import static java.util.Objects.requireNonNull;

import org.apache.zookeeper.data.Stat;

/// A payload with the znode metadata it was read with.
public record Versioned<T>(T value, Stat stat) {
    public Versioned {
        requireNonNull(value, "value is null");
        requireNonNull(stat, "stat is null");
    }

    /// Version to expect in a conditional write.
    public int version() {
        return stat.getVersion();
    }
}

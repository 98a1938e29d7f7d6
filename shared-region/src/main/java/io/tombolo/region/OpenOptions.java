package io.tombolo.region;

import java.util.UUID;

/// How to open a region. `expectedCluster` is null if any cluster will do (inspection).
public record OpenOptions(boolean readOnly, UUID expectedCluster) {
    /// For agents: read and write, only if the region belongs to the cluster.
    public static OpenOptions ofCluster(UUID cluster) {
        return new OpenOptions(false, cluster);
    }

    /// For inspection: stores through the region throw.
    public static OpenOptions inspect() {
        return new OpenOptions(true, null);
    }

    /// Read and write, whatever the cluster.
    public static OpenOptions readWrite() {
        return new OpenOptions(false, null);
    }
}

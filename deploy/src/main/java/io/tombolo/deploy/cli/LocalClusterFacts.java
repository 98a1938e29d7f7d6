package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import java.util.List;

/// A local cluster that runs.
///
/// @param cluster   its name
/// @param zookeeper connection string of its ensemble
/// @param root      root path in ZooKeeper
/// @param region    path of the region file
/// @param directory where its configuration and logs are
/// @param processes what was started
public record LocalClusterFacts(String cluster, String zookeeper, String root, String region, String directory,
        List<ProcessFacts> processes) {
    public LocalClusterFacts {
        requireNonNull(cluster, "cluster is null");
        requireNonNull(zookeeper, "zookeeper is null");
        requireNonNull(root, "root is null");
        requireNonNull(region, "region is null");
        requireNonNull(directory, "directory is null");
        processes = List.copyOf(processes);
    }

    /// One process.
    public record ProcessFacts(String name, String role, long pid, String state) {
    }
}

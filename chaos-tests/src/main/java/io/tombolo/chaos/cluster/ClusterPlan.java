package io.tombolo.chaos.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.deploy.cluster.ClusterPrograms;
import java.nio.file.Path;

/// A cluster to be attacked.
///
/// @param name        unique on this machine while it runs
/// @param hosts       agents
/// @param coordinators of which one leads
/// @param baseMs      base of all timings: sessions are four times as long, watchdogs twice
/// @param regionBytes room for guests; those whose owner was killed keep theirs until the end
/// @param directory   for configurations and logs
/// @param seed        of delays and losses in the network
/// @param network     what is between the processes
/// @param programs    what the processes execute
public record ClusterPlan(String name, int hosts, int coordinators, int baseMs, long regionBytes, Path directory,
        long seed, NetworkKind network, ClusterPrograms programs) {
    /// What is between the processes.
    public enum NetworkKind {
        /// Loopback, with a proxy on every link. Needs no rights.
        PROXY,
        /// Every process in a network namespace of its own. Needs root.
        NAMESPACES
    }

    public ClusterPlan {
        requireNonNull(name, "name is null");
        requireNonNull(directory, "directory is null");
        requireNonNull(network, "network is null");
        requireNonNull(programs, "programs is null");
    }
}

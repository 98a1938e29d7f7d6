package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

/// A local cluster to be started.
///
/// @param cluster          its name
/// @param zookeeper        an ensemble that is already there; `""` for one of its own
/// @param root             root path in ZooKeeper
/// @param zookeeperServers servers of its own ensemble
/// @param coordinators     coordinators, of which one leads
/// @param hosts            agents
/// @param regionBytes      room for guest memory and page tables
/// @param baseMs           the base figure of all timings; 0 for the default
public record UpPlan(String cluster, String zookeeper, String root, int zookeeperServers, int coordinators, int hosts,
        long regionBytes, int baseMs) {
    public UpPlan {
        requireNonNull(cluster, "cluster is null");
        requireNonNull(zookeeper, "zookeeper is null");
        requireNonNull(root, "root is null");
        Options.check(zookeeperServers >= 1 && zookeeperServers <= 7 && zookeeperServers % 2 == 1,
                "--zookeeper-servers", zookeeperServers, "1, 3, 5 or 7");
        Options.check(coordinators >= 1 && coordinators <= 9, "--coordinators", coordinators, "1 to 9");
        Options.check(hosts >= 1 && hosts <= 64, "--hosts", hosts, "1 to 64");
    }
}

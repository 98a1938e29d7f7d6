package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.VmSpec;
import java.util.regex.Pattern;

/// A cluster as the command line names it.
///
/// @param cluster   name of the cluster
/// @param zookeeper connection string of an ensemble; `""` for the one of the local cluster of that name
/// @param root      root path in ZooKeeper
public record ClusterTarget(String cluster, String zookeeper, String root) {
    private static final Pattern SERVERS = Pattern.compile("[^,:/ ]+:[0-9]{1,5}(,[^,:/ ]+:[0-9]{1,5})*");

    public ClusterTarget {
        requireNonNull(cluster, "cluster is null");
        requireNonNull(zookeeper, "zookeeper is null");
        requireNonNull(root, "root is null");
        Options.check(VmSpec.isName(cluster), "--cluster", cluster, "1 to 63 of a-z 0-9 -, first a letter or digit");
        Options.check(zookeeper.isEmpty() || SERVERS.matcher(zookeeper).matches(), "--zookeeper", zookeeper,
                "host:port, more of them after commas");
        Options.check(root.startsWith("/") && !root.endsWith("/") && !root.contains("//"), "--root", root,
                "an absolute path without / at the end");
    }

    public boolean isLocal() {
        return zookeeper.isEmpty();
    }
}

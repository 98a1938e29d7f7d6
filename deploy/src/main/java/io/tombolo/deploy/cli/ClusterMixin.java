package io.tombolo.deploy.cli;

import picocli.CommandLine.Option;

/// Which cluster a command is about: a local one by its name, or any one by its ZooKeeper ensemble and root.
public final class ClusterMixin {
    @Option(names = "--cluster", paramLabel = "NAME", defaultValue = "default", description = "Name of the cluster (${DEFAULT-VALUE}).")
    private String cluster;

    @Option(names = "--zookeeper", paramLabel = "HOST:PORT[,...]", description = "An ensemble that is already there, instead of that of the local cluster.")
    private String zookeeper;

    @Option(names = "--root", paramLabel = "PATH", description = "Root of the cluster in that ensemble (/tombolo/<cluster name>).")
    private String root;

    ClusterTarget target() {
        return new ClusterTarget(cluster, zookeeper == null ? "" : zookeeper,
                root == null ? "/tombolo/" + cluster : root);
    }
}

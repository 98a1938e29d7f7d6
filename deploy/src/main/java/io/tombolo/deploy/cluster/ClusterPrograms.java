package io.tombolo.deploy.cluster;

import java.nio.file.Path;
import java.util.List;

/// The command lines of a cluster's processes.
public interface ClusterPrograms {
    /// A ZooKeeper server with this configuration file.
    List<String> zooKeeper(Path config);

    List<String> coordinator(Path config);

    /// An agent with this configuration file.
    ///
    /// @param drivers hypervisor drivers that the configuration names
    List<String> agent(Path config, int heapMb, List<String> drivers);

    /// The supervisor of a cluster in a process of its own, given the cluster's directory.
    List<String> supervisor(Path directory);
}

package io.tombolo.chaos.cluster;

import io.tombolo.chaos.ChaosAgent;
import io.tombolo.deploy.cluster.ClusterPrograms;
import io.tombolo.deploy.cluster.JavaPrograms;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The project's own programs, but for agents, which are [ChaosAgent]s.
public final class ChaosPrograms implements ClusterPrograms {
    private final ClusterPrograms own = JavaPrograms.standard();
    private final ClusterPrograms chaos = new JavaPrograms(ChaosAgent.class.getName(), Optional.empty());

    @Override
    public List<String> zooKeeper(Path config) {
        return own.zooKeeper(config);
    }

    @Override
    public List<String> coordinator(Path config) {
        return own.coordinator(config);
    }

    @Override
    public List<String> agent(Path config, int heapMb, List<String> drivers) {
        return chaos.agent(config, heapMb, drivers);
    }

    @Override
    public List<String> supervisor(Path directory) {
        return own.supervisor(directory);
    }
}

package io.tombolo.chaos.cluster;

import io.tombolo.chaos.ChaosAgent;
import io.tombolo.deploy.cluster.ClusterPrograms;
import io.tombolo.deploy.cluster.JavaPrograms;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The project's own programs, but for agents, which are [ChaosAgent]s. Agents and coordinators log every step of a
/// hand-off: why one did not come about has to be in the logs of the run in which it happened.
public final class ChaosPrograms implements ClusterPrograms {
    private static final String LOG_LEVEL = "-Dtombolo.log.level=DEBUG";

    private final ClusterPrograms own = JavaPrograms.standard();
    private final ClusterPrograms chaos;
    private final List<String> flags;

    public ChaosPrograms() {
        this(ChaosAgent.class.getName(), List.of());
    }

    /// The same with other agents.
    ///
    /// @param agentMain main class of agents; takes the arguments of a [ChaosAgent]
    /// @param flags     more arguments of their JVMs
    public ChaosPrograms(String agentMain, List<String> flags) {
        this.flags = List.copyOf(flags);
        this.chaos = new JavaPrograms(agentMain, Optional.empty());
    }

    private static List<String> logging(List<String> command) {
        List<String> all = new ArrayList<>(command);
        all.add(1, LOG_LEVEL);
        return all;
    }

    @Override
    public List<String> zooKeeper(Path config) {
        return own.zooKeeper(config);
    }

    @Override
    public List<String> coordinator(Path config) {
        return logging(own.coordinator(config));
    }

    @Override
    public List<String> agent(Path config, int heapMb, List<String> drivers) {
        List<String> command = logging(chaos.agent(config, heapMb, drivers));
        command.addAll(1, flags);
        return command;
    }

    @Override
    public List<String> supervisor(Path directory) {
        return own.supervisor(directory);
    }
}

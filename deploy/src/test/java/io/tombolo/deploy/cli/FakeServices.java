package io.tombolo.deploy.cli;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.deploy.cluster.ClusterFacts;
import io.tombolo.deploy.cluster.ClusterSpec;
import io.tombolo.deploy.cluster.ProcessRole;
import io.tombolo.deploy.cluster.ProcessState;
import io.tombolo.deploy.cluster.RunningCluster;
import io.tombolo.deploy.drill.Drill;
import io.tombolo.deploy.drill.DrillPlan;
import io.tombolo.deploy.drill.DrillProgress;
import io.tombolo.deploy.drill.FailoverCluster;
import io.tombolo.deploy.drill.FailoverPlan;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/// Services that remember what they were asked and answer what the test says.
final class FakeServices implements Services {
    final List<Object> asked = new CopyOnWriteArrayList<>();
    BiFunction<String, AgentRequest, Reply> agents = (_, _) -> new Reply.Ack();
    Function<CoordinatorRequest, Reply> coordinator = _ -> new Reply.Ack();
    Function<DrillPlan, Drill.Tools> tools;
    Supplier<FailoverCluster> failoverCluster;
    int openConnections;

    private final Path stateDirectory;

    FakeServices(Path stateDirectory) {
        this.stateDirectory = stateDirectory;
    }

    @Override
    public Path stateDirectory() {
        return stateDirectory;
    }

    @Override
    public ClusterConnection connect(ClusterTarget target) {
        asked.add(target);
        openConnections++;
        return new ClusterConnection() {
            @Override
            public Reply call(CoordinatorRequest request) {
                asked.add(request);
                return coordinator.apply(request);
            }

            @Override
            public Reply call(CoordinatorRequest request, long timeoutMs) {
                return call(request);
            }

            @Override
            public Reply call(String host, AgentRequest request) {
                asked.add(host);
                asked.add(request);
                return agents.apply(host, request);
            }

            @Override
            public void close() {
                openConnections--;
            }
        };
    }

    @Override
    public ClusterFacts up(ClusterSpec spec, Consumer<String> progress) {
        asked.add(spec);
        return local(spec.name());
    }

    @Override
    public ClusterFacts local(String cluster) {
        return new ClusterFacts(cluster, new UUID(0, 7), "run", 1, "", "localhost:2181", "/tombolo/" + cluster,
                "/dev/shm/x/region", "/tmp/x", "/dev/shm/x", 500, true,
                List.of(new ClusterFacts.ProcessFacts("host-1", ProcessRole.AGENT, 4711, ProcessState.READY, 1,
                        List.of(4711L), "/tmp/x/host-1.log", Map.of())));
    }

    @Override
    public RunningCluster running(String nameOrSocket) {
        throw new UnsupportedOperationException(nameOrSocket);
    }

    @Override
    public int down(String cluster) {
        asked.add("down " + cluster);
        return 6;
    }

    @Override
    public Drill.Tools drillTools(DrillPlan plan, DrillProgress progress) {
        asked.add(plan);
        return tools.apply(plan);
    }

    @Override
    public FailoverCluster failoverCluster(FailoverPlan plan, DrillProgress progress) {
        asked.add(plan);
        return failoverCluster.get();
    }

    @Override
    public int runAgent(Path config) {
        asked.add("agent " + config);
        return 71;
    }

    @Override
    public int runCoordinator(Path config) {
        asked.add("coordinator " + config);
        return 0;
    }

    @Override
    public int runSupervisor(List<String> arguments) {
        asked.add("supervisor " + arguments);
        return 0;
    }
}

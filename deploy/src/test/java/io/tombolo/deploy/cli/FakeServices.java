package io.tombolo.deploy.cli;

import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.deploy.drill.Drill;
import io.tombolo.deploy.drill.DrillPlan;
import io.tombolo.deploy.drill.DrillProgress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/// Services that remember what they were asked and answer what the test says.
final class FakeServices implements Services {
    final List<Object> asked = new ArrayList<>();
    Function<CoordinatorRequest, Reply> coordinator = _ -> new Reply.Ack();
    Function<DrillPlan, Drill.Tools> tools;
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
            public void close() {
                openConnections--;
            }
        };
    }

    @Override
    public LocalClusterFacts up(UpPlan plan, Consumer<String> progress) {
        asked.add(plan);
        return new LocalClusterFacts(plan.cluster(), "localhost:2181", plan.root(), "/dev/shm/x/region", "/tmp/x",
                List.of(new LocalClusterFacts.ProcessFacts("h1", "agent", 4711, "ready")));
    }

    @Override
    public int down(String cluster, Consumer<String> progress) {
        asked.add("down " + cluster);
        return 6;
    }

    @Override
    public Drill.Tools drillTools(DrillPlan plan, DrillProgress progress) {
        asked.add(plan);
        return tools.apply(plan);
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

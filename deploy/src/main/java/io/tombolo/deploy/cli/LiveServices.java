package io.tombolo.deploy.cli;

import io.tombolo.deploy.StateDirectory;
import io.tombolo.deploy.drill.Drill;
import io.tombolo.deploy.drill.DrillPlan;
import io.tombolo.deploy.drill.DrillProgress;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/// The services of a real process.
final class LiveServices implements Services {
    @Override
    public Path stateDirectory() {
        return StateDirectory.resolve();
    }

    @Override
    public ClusterConnection connect(ClusterTarget target) {
        throw notYet();
    }

    @Override
    public LocalClusterFacts up(UpPlan plan, Consumer<String> progress) {
        throw notYet();
    }

    @Override
    public int down(String cluster, Consumer<String> progress) {
        throw notYet();
    }

    @Override
    public Drill.Tools drillTools(DrillPlan plan, DrillProgress progress) {
        throw notYet();
    }

    @Override
    public int runAgent(Path config) {
        throw notYet();
    }

    @Override
    public int runCoordinator(Path config) {
        throw notYet();
    }

    @Override
    public int runSupervisor(List<String> arguments) {
        throw notYet();
    }

    private static UnsupportedOperationException notYet() {
        return new UnsupportedOperationException("not connected yet");
    }
}

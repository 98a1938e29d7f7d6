package io.tombolo.deploy.cli;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.AgentMain;
import io.tombolo.coordinator.CoordinatorMain;
import io.tombolo.deploy.cluster.ClusterDaemon;
import io.tombolo.deploy.cluster.ClusterFacts;
import io.tombolo.deploy.cluster.ClusterPlaces;
import io.tombolo.deploy.cluster.ClusterSpec;
import io.tombolo.deploy.cluster.Clusters;
import io.tombolo.deploy.cluster.JavaPrograms;
import io.tombolo.deploy.cluster.RunningCluster;
import io.tombolo.deploy.drill.ContextSwitchBenchmark;
import io.tombolo.deploy.drill.Drill;
import io.tombolo.deploy.drill.DrillPlan;
import io.tombolo.deploy.drill.DrillProgress;
import io.tombolo.deploy.drill.FailoverCluster;
import io.tombolo.deploy.drill.FailoverPlan;
import io.tombolo.deploy.drill.LinuxComparison;
import io.tombolo.deploy.drill.LinuxGuestVerifier;
import io.tombolo.deploy.drill.SimulatedGuestVerifier;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/// The services of a real process.
final class LiveServices implements Services {
    private final ClusterPlaces places;

    LiveServices() {
        this(ClusterPlaces.standard());
    }

    LiveServices(ClusterPlaces places) {
        this.places = requireNonNull(places, "places is null");
    }

    @Override
    public Path stateDirectory() {
        return places.state();
    }

    @Override
    public ClusterConnection connect(ClusterTarget target) {
        if (!target.isLocal()) {
            return ClusterConnection.open(target.cluster(), target.zookeeper(), target.root());
        }
        ClusterFacts facts = local(target.cluster());
        return ClusterConnection.open(facts.name(), facts.zookeeper(), facts.root());
    }

    @Override
    public ClusterFacts up(ClusterSpec spec, Consumer<String> progress) {
        return Clusters.up(spec, places, JavaPrograms.standard(), progress).facts();
    }

    @Override
    public ClusterFacts local(String cluster) {
        return Clusters.find(cluster, places).facts();
    }

    @Override
    public RunningCluster running(String nameOrSocket) {
        return nameOrSocket.startsWith("/")
                ? Clusters.at(Path.of(nameOrSocket))
                : Clusters.find(nameOrSocket, places);
    }

    @Override
    public int down(String cluster) {
        return Clusters.down(cluster, places);
    }

    @Override
    public Drill.Tools drillTools(DrillPlan plan, DrillProgress progress) {
        return new Drill.Tools(() -> LocalDrillCluster.start(plan, places, progress),
                plan.isLinux()
                        ? new LinuxGuestVerifier()
                        : new SimulatedGuestVerifier(places.memory()),
                ContextSwitchBenchmark::run,
                () -> LinuxComparison.run(plan, places.memory(), progress), progress);
    }

    @Override
    public FailoverCluster failoverCluster(FailoverPlan plan, DrillProgress progress) {
        return LocalFailoverCluster.start(plan, places, progress);
    }

    @Override
    public int runAgent(Path config) {
        return AgentMain.run(config);
    }

    @Override
    public int runCoordinator(Path config) {
        return CoordinatorMain.run(config);
    }

    @Override
    public int runSupervisor(List<String> arguments) {
        return ClusterDaemon.run(Path.of(arguments.getFirst()), JavaPrograms.standard());
    }
}

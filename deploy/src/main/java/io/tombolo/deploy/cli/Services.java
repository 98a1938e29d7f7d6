package io.tombolo.deploy.cli;

import io.tombolo.deploy.cluster.ClusterFacts;
import io.tombolo.deploy.cluster.ClusterSpec;
import io.tombolo.deploy.cluster.RunningCluster;
import io.tombolo.deploy.drill.Drill;
import io.tombolo.deploy.drill.DrillPlan;
import io.tombolo.deploy.drill.DrillProgress;
import io.tombolo.deploy.drill.FailoverCluster;
import io.tombolo.deploy.drill.FailoverPlan;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/// What the commands reach outside their own process with. Tests give their own.
interface Services {
    /// Where this user's files of Tombolo are.
    Path stateDirectory();

    /// Connects to the coordinators of a cluster. Blocks until the ensemble answers or the attempt has failed.
    ClusterConnection connect(ClusterTarget target);

    /// Starts a local cluster and leaves it running.
    ClusterFacts up(ClusterSpec spec, Consumer<String> progress);

    /// What is known of a local cluster that runs.
    ClusterFacts local(String cluster);

    /// A local cluster that runs, for what its supervisor can do.
    ///
    /// @param nameOrSocket its name, or the path of its control socket
    RunningCluster running(String nameOrSocket);

    /// Stops a local cluster and removes its files; the number of processes that were stopped.
    int down(String cluster);

    /// Everything a drill needs; nothing is started yet.
    Drill.Tools drillTools(DrillPlan plan, DrillProgress progress);

    /// Starts the cluster of a failover drill; whoever asked closes it.
    FailoverCluster failoverCluster(FailoverPlan plan, DrillProgress progress);

    /// Runs an agent until it is told to stop; its exit status.
    int runAgent(Path config);

    /// Runs a coordinator until it is told to stop; its exit status.
    int runCoordinator(Path config);

    /// Runs a supervisor until it is told to stop; its exit status.
    int runSupervisor(List<String> arguments);
}

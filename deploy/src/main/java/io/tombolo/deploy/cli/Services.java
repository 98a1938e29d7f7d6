package io.tombolo.deploy.cli;

import java.nio.file.Path;

/// What the commands reach outside their own process with. Tests give their own.
interface Services {
    /// Connects to the coordinators of a cluster. Blocks until the ensemble answers or the attempt has failed.
    ClusterConnection connect(ClusterTarget target);

    /// Runs an agent until it is told to stop; its exit status.
    int runAgent(Path config);

    /// Runs a coordinator until it is told to stop; its exit status.
    int runCoordinator(Path config);
}

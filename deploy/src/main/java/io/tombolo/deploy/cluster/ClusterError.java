package io.tombolo.deploy.cluster;

import io.tombolo.region.ErrorCode;

/// Errors of the local cluster and of its supervisor.
public enum ClusterError implements ErrorCode {
    /// A cluster of that name is running.
    CLUSTER_ALREADY_UP(3),
    /// No cluster of that name is running.
    CLUSTER_NOT_FOUND(3),
    /// The definition of a cluster has a value that it cannot have.
    CLUSTER_SPEC_INVALID(2),
    /// The memory file system has not enough room for the region.
    CLUSTER_NO_ROOM(4),
    /// The files of a cluster cannot be written or read.
    CLUSTER_FILES(4),
    /// Somebody else listens on a port that the cluster was told to use.
    PORT_TAKEN(4),
    /// A process could not be started at all.
    PROCESS_START_FAILED(4),
    /// A process ended before it was ready.
    PROCESS_ENDED_EARLY(4),
    /// A process was not ready in time.
    PROCESS_NOT_READY(4),
    /// The cluster has no process of that name, or it does not run.
    PROCESS_UNKNOWN(2),
    /// Neither a cgroup nor a session can be made to hold the processes of a host.
    KILL_GROUP_UNAVAILABLE(4),
    /// Processes of a kill group were still there after SIGKILL.
    KILL_GROUP_SURVIVED(1),
    /// The supervisor of a cluster does not answer.
    SUPERVISOR_UNREACHABLE(4),
    /// The supervisor was asked for something that it does not know.
    SUPERVISOR_REQUEST_INVALID(2);

    private final int exitStatus;

    ClusterError(int exitStatus) {
        this.exitStatus = exitStatus;
    }

    @Override
    public int exitStatus() {
        return exitStatus;
    }
}

package io.tombolo.deploy.cluster;

import io.tombolo.region.TomboloException;

/// A local cluster that runs, in this process ([LocalCluster]) or under a supervisor of its own ([RemoteCluster]).
/// Thread safe.
public interface RunningCluster extends AutoCloseable {
    ClusterFacts facts();

    /// Sends a signal to the main process only, as `kill` on a shell does: SIGKILL is a crash, SIGSTOP and SIGCONT a
    /// pause.
    ///
    /// @throws TomboloException PROCESS_UNKNOWN
    void signal(String process, int signal);

    /// Sends a signal to every process of the kill group, guests included.
    void signalGroup(String process, int signal);

    /// SIGKILL to the kill group, and waits for the evidence that nothing of it is left.
    StopRecord kill(String process);

    /// Starts a stopped process again as it was and waits until it is ready.
    void restart(String process);

    /// Waits until a process and its kill group have stopped, for whatever reason.
    StopRecord awaitStopped(String process, long timeoutMs);

    /// Stops everything and removes the run's files. The second call does nothing.
    @Override
    void close();
}

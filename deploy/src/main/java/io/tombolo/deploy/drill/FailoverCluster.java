package io.tombolo.deploy.drill;

import io.tombolo.coordinator.wire.Reply.TakeoverState;
import io.tombolo.coordinator.wire.VmStatus;
import java.nio.file.Path;
import java.util.List;

/// A drill's cluster whose hosts can be made to fail. Calls block until the thing is done and throw
/// [io.tombolo.region.TomboloException] when it cannot be. Used by one thread.
public interface FailoverCluster extends AutoCloseable {
    /// The same cluster as all drills see it.
    DrillCluster drill();

    /// Makes a host fail and returns at once.
    void fail(String host, FailureKind kind);

    /// Starts every other host again whose processes have ended, as a service manager would, and does not wait for it.
    ///
    /// @param failed the one that stays as it is
    /// @return which they were and why they had ended
    List<String> restartOthers(String failed);

    /// Ends the failure: the way to ZooKeeper is open again, and a host whose processes have ended is started again.
    /// Blocks until all hosts are like
    /// before.
    void heal(String host);

    /// What the agent of a host knows of its takeover of a VM.
    TakeoverState takeover(String host, int vmSlot);

    /// What the leading coordinator says of a VM and its latest takeover, for people.
    String explain(String vm);

    /// Copies the logs of all processes to where they stay when the cluster is closed; the directory.
    Path saveLogs();

    List<VmStatus> list();

    /// SIGKILL to all agents and coordinators; ZooKeeper goes on.
    void killAll();

    /// Starts them all again, and returns when they have been started, ready or not.
    void startAll();

    @Override
    void close();
}

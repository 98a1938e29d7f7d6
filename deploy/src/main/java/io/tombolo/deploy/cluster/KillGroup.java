package io.tombolo.deploy.cluster;

import io.tombolo.region.TomboloException;
import io.tombolo.region.os.Linux;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

/// Everything of a host that can store to the region, as one thing that dies together by SIGKILL: the agent and all it
/// has started, QEMU included, running or stopped.
///
/// There are two kinds. [CgroupKillGroup] is exact: the kernel keeps the list. [SessionKillGroup] is for machines on
/// which no cgroup can be made: a session of its own, plus a mark in the environment that a process keeps even if it
/// leaves the session.
///
/// "Confirmed stopped" is what [#kill] and [#empty] give: no process of the group can execute another instruction.
/// Thread safe.
public sealed interface KillGroup extends AutoCloseable permits CgroupKillGroup, SessionKillGroup {
    /// For people and for the clean-up of a dead supervisor: `cgroup /sys/fs/cgroup/…` or `session 1234`.
    String describe();

    /// The command line that enters the group and then becomes `command`, keeping its pid.
    List<String> wrap(List<String> command);

    /// What the environment of the first process has to have.
    Map<String, String> environment();

    /// Tells the group its first process, right after it was started with [#wrap] and [#environment].
    void started(Process leader);

    /// Processes of the group that are not dead.
    List<Long> members();

    /// Sends a signal to every member; for pausing and for orderly ends, never as a proof of anything.
    default void signal(int signal) {
        for (long pid : members()) {
            Linux.kill(pid, signal);
        }
    }

    /// Confirmed stopped: no process of the group can execute another instruction.
    boolean empty();

    /// Sends SIGKILL to what is there now.
    void killOnce();

    /// Kills the group and waits until it is empty. May be called again.
    ///
    /// @return CLOCK_BOOTTIME in ns at which the group was confirmed empty
    /// @throws TomboloException KILL_GROUP_SURVIVED
    default long kill(long timeoutMs) {
        long deadlineNs = System.nanoTime() + timeoutMs * 1_000_000L;
        while (true) {
            killOnce();
            if (empty()) {
                return Linux.clockBoottimeNs();
            }
            if (System.nanoTime() > deadlineNs) {
                throw TomboloException
                        .error(ClusterError.KILL_GROUP_SURVIVED, "processes are still there after SIGKILL")
                        .fact("group", describe()).fact("pids", members()).fact("timeoutMs", timeoutMs)
                        .next("look at them with ps; state D means that the kernel waits for a device").build();
            }
            LockSupport.parkNanos(500_000L);
        }
    }

    /// Removes what the group needed of the system. The group is empty.
    @Override
    void close();
}

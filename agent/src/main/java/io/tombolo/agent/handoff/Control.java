package io.tombolo.agent.handoff;

import java.util.concurrent.Executor;

/// Runs the tasks of one VM one after the other, in the order in which they came. Thread safe.
public interface Control extends Executor {
    /// Runs the task after `delayNs`, unless it was shut down by then.
    void schedule(Runnable task, long delayNs);

    /// Refuses tasks from now on with RejectedExecutionException. Those that were given to [#execute] before are run,
    /// those of [#schedule] are not.
    void shutdown();

    boolean isShutdown();
}

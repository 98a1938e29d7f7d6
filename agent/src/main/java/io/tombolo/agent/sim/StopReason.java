package io.tombolo.agent.sim;

/// Why the vCPUs of a VM are not running.
public enum StopReason {
    /// Somebody asked for it.
    REQUESTED,
    /// The VM left for another host.
    DEPARTED,
    /// A switch-over ended without leaving and without going on.
    SWITCH_ENDED,
    /// The arrival that a thread waited for was called off.
    ARRIVAL_CALLED_OFF,
    /// The right to execute lapsed.
    RIGHT_LAPSED,
    /// A commit of the protected VM failed: it is being taken over, and never goes on here.
    COMMIT_LOST,
    /// The guest faulted; it cannot go on.
    GUEST_FAULT,
    /// Something failed in the agent; the VM cannot go on.
    FAILED,
    /// The runner was killed; its threads are gone.
    KILLED;

    /// Whether the VM may run again on this runner.
    public boolean resumable() {
        return switch (this) {
            case REQUESTED, DEPARTED, SWITCH_ENDED, ARRIVAL_CALLED_OFF, RIGHT_LAPSED -> true;
            case COMMIT_LOST, GUEST_FAULT, FAILED, KILLED -> false;
        };
    }
}

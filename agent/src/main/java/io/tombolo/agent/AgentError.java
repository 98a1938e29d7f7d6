package io.tombolo.agent;

import io.tombolo.region.ErrorCode;

/// What an agent as a whole can refuse.
public enum AgentError implements ErrorCode {
    /// A configuration value is out of range.
    AGENT_CONFIG_INVALID(2),
    /// The request is one for a coordinator.
    NOT_A_COORDINATOR(2),
    /// The order carries a term below the highest seen.
    STALE_TERM(3),
    /// The VM is not on this host.
    VM_NOT_ON_HOST(3),
    /// This host has no driver of that name.
    DRIVER_UNKNOWN(2),
    /// The slot holds another VM on this host.
    VM_SLOT_MISMATCH(3),
    /// The agent could not hand a scratch VM to itself at its start.
    REHEARSAL_FAILED(4),
    /// The run directory cannot be used.
    RUN_DIRECTORY_UNUSABLE(4),
    /// The incarnation that is to be confirmed stopped was not fenced.
    HOST_NOT_FENCED(3),
    /// A host does not fence, confirm or free itself.
    HOST_IS_THIS_ONE(2),
    /// The host has too many calls about pages in hand; this one was not executed.
    PAGES_TOO_MANY_CALLS(3);

    private final int exitStatus;

    AgentError(int exitStatus) {
        this.exitStatus = exitStatus;
    }

    @Override
    public int exitStatus() {
        return exitStatus;
    }
}

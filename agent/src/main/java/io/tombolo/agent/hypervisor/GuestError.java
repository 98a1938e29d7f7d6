package io.tombolo.agent.hypervisor;

import io.tombolo.region.ErrorCode;

/// What a guest, whatever its driver, can answer instead of doing what it was asked.
public enum GuestError implements ErrorCode {
    /// The VM is not, or no longer, on this host; the request was certainly not executed.
    NOT_OWNER(3),
    /// The VM was lost while a request waited for its checkpoint: it may have been executed or not. A client sends it
    /// again under the same number to the VM's next owner.
    GUEST_OUTCOME_UNKNOWN(3),
    /// This driver cannot protect a guest, or restore one from a saved state.
    VM_PROTECT_UNSUPPORTED(2),
    /// The VM has pages of 2 MiB, so it cannot be protected.
    VM_PROTECT_LARGE_PAGES(2),
    /// The VM is being taken over by another host.
    VM_TAKEN_OVER(3),
    /// Too many requests wait, or the log of inputs is full; the request was certainly not executed.
    GUEST_BUSY(3),
    /// The guest failed while it was being stopped.
    GUEST_STOP_FAILED(1),
    /// The agent is going down.
    GUEST_INTERRUPTED(1),
    /// The scratch region of dry runs cannot be made.
    DRY_RUN_FAILED(4),
    /// The driver does not take client requests.
    GUEST_NO_CALLS(2),
    /// The driver does not run that guest program.
    GUEST_PROGRAM_UNKNOWN(2),
    /// The host has no right to run the VM at the moment.
    GUEST_NO_RIGHT(3),
    /// The state in the metadata slot was written by another driver or version.
    GUEST_STATE_SCHEMA(5);

    private final int exitStatus;

    GuestError(int exitStatus) {
        this.exitStatus = exitStatus;
    }

    @Override
    public int exitStatus() {
        return exitStatus;
    }
}

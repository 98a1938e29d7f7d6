package io.tombolo.agent.sim;

import io.tombolo.region.ErrorCode;

/// Errors of the simulated hypervisor. Names never change once released.
public enum SimError implements ErrorCode {
    /// The definition of a VM cannot be run: sizes, counts or names out of bounds.
    GUEST_SPEC_INVALID(2),
    /// A state blob has a length, schema, count or reserved field that this version does not write.
    GUEST_STATE_DAMAGED(5),
    /// A state blob is well formed, but of another VM or of another definition of this VM.
    GUEST_STATE_FOREIGN(3),
    /// The vCPUs are already being stopped or switched, or are not running.
    VCPU_BUSY(3),
    /// The vCPUs must be stopped for this and are not, or did not stop in time.
    VCPU_NOT_STOPPED(3),
    /// The VM stopped because of a failure, so it cannot be resumed or switched.
    VCPU_FAILED(3),
    /// The log of client requests has a hole, or does not reach to the end of the run that is to be replayed.
    INPUT_LOG_INCOMPLETE(5),
    /// The spill file of the input log cannot be written or read.
    INPUT_LOG_SPILL_FAILED(4);

    private final int exitStatus;

    SimError(int exitStatus) {
        this.exitStatus = exitStatus;
    }

    @Override
    public int exitStatus() {
        return exitStatus;
    }
}

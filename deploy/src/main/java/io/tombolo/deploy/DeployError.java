package io.tombolo.deploy;

import io.tombolo.region.ErrorCode;

/// Every way in which the command line and the local cluster refuse. Exit status: 1 internal, 2 bad input, 3 refused
/// because of a state, 4 environment, 5 damage. Names are stable: scripts match on them.
public enum DeployError implements ErrorCode {
    /// The pipe ping-pong that measures a context switch could not be run.
    CONTEXT_SWITCH_FAILED(4),
    /// A size on the command line is not a number with an optional K, M, G or T.
    SIZE_INVALID(2),
    /// A duration on the command line is not a number with ns, us, ms, s, m or h.
    DURATION_INVALID(2),
    /// Options that exclude each other, or a value out of its range.
    OPTION_INVALID(2),
    /// The drill ran and at least one of its checks did not hold.
    DRILL_CHECKS_FAILED(1),
    /// In a failover drill, the VM did not run elsewhere in several times the time that a takeover may take.
    TAKEOVER_NOT_SEEN(1),
    /// The guest of a drill does not make progress.
    GUEST_STANDS_STILL(1),
    /// A client of a drill got no answer from any host in time, or one that sending again does not help against.
    CLIENT_GAVE_UP(1),
    /// The directory for the comparison with QEMU alone could not be made or removed.
    COMPARISON_FAILED(4),
    /// The report could not be written.
    REPORT_NOT_WRITTEN(4),
    /// `region verify` found damage.
    REGION_DAMAGED(5),
    /// `region inspect` was asked for a structure that a region does not have.
    STRUCTURE_UNKNOWN(2),
    /// A range of pages on the command line is not one.
    PAGE_RANGE_INVALID(2),
    /// A range of pages goes beyond the VM's memory.
    PAGE_RANGE_PAST_END(2),
    /// At least one page is not on the tier that it was to move to.
    PAGES_NOT_MOVED(3),
    /// No host owns the VM, so nobody can be asked for its pages.
    VM_WITHOUT_OWNER(3),
    /// At least one VM of a host that was to be drained stayed there.
    HOST_NOT_DRAINED(3),
    /// At least one line of `doctor` says FAIL.
    DOCTOR_FAILED(4);

    private final int exitStatus;

    DeployError(int exitStatus) {
        this.exitStatus = exitStatus;
    }

    @Override
    public int exitStatus() {
        return exitStatus;
    }
}

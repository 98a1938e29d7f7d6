package io.tombolo.agent.right;

import io.tombolo.region.ErrorCode;

/// Errors of the right keeper and of its timings.
public enum RightError implements ErrorCode {
    /// The base figure is outside the range in which the formulas hold.
    TIMING_BASE_INVALID(2),
    /// ZooKeeper granted another session timeout than the base figure asks for, so that no printed bound would hold.
    TIMING_BASE_NOT_GRANTED(3),
    /// More threads want to store to the region than the board has cells for.
    CHECK_BOARD_FULL(1),
    /// NOTIFY_SOCKET, WATCHDOG_USEC or WATCHDOG_PID has a value that the sd_notify protocol does not allow.
    WATCHDOG_ENVIRONMENT_INVALID(4);

    private final int exitStatus;

    RightError(int exitStatus) {
        this.exitStatus = exitStatus;
    }

    @Override
    public int exitStatus() {
        return exitStatus;
    }
}

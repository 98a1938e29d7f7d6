package io.tombolo.coordinator.wire;

/// How one hand-off ended, as its source saw it. The order is part of the wire format.
public enum HandoffOutcome {
    /// The target runs the VM at `epochAfter`.
    COMPLETED,
    /// The source took the VM back from OFFERED because the target did not answer in the window.
    TAKEN_BACK,
    /// The target refused the state and gave the VM back.
    GIVEN_BACK,
    /// The source cleared its ARMED mark before it gave anything away.
    ABORTED,
    /// The source lost the right to run and does not know what became of the VM; the owner word does.
    LOST_RIGHT
}

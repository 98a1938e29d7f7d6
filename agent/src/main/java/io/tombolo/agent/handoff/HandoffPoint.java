package io.tombolo.agent.handoff;

/// Named moments of a hand-off, in order, at which a drill may stop or kill the process that reaches them. In
/// production nothing listens ([HostPorts#at] does nothing).
public enum HandoffPoint {
    /// Target: a guest waits, the nonce has not been answered yet.
    TARGET_PREPARED,
    /// Source: the order has come, the ARMED mark is not yet written.
    SOURCE_ORDERED,
    /// Source: the ARMED mark is written.
    SOURCE_MARKED,
    /// Source of a copy: a round begins, the guest runs.
    SOURCE_COPYING,
    /// Source of a copy: the guest stands still, the last pages are sent next.
    SOURCE_REST,
    /// Target: the first thread spins.
    TARGET_SPINNING,
    /// Source: the right to take back is written, the vCPUs still run.
    SOURCE_STOPPING,
    /// Source: vCPUs stopped, state published, CAS to OFFERED next.
    SOURCE_SAVED,
    /// Source: the CAS to OFFERED has been done.
    SOURCE_OFFERED,
    /// Target: the offer is seen.
    TARGET_SEEN,
    /// Target: the state is copied and checked, the next thing is a CAS.
    TARGET_TAKEN,
    /// Target: CLAIMED, load next (drivers that claim, and copies: their entries come next).
    TARGET_CLAIMED,
    /// Target: the owner word says RUNNING, no instruction has been executed.
    TARGET_OWNS,
    /// Target: the guest runs.
    TARGET_RUNNING,
    /// Source: has seen the target run, its own guest is not yet reaped.
    SOURCE_SEEN_RUNNING,
    /// Source: its guest is reaped, the leader not yet answered.
    SOURCE_REAPED
}

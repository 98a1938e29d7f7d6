package io.tombolo.agent.right;

/// Why a host has no right to run VMs. The first group comes back by RenewAll, the second never.
public enum LapseReason {
    /// Nothing lapsed: the agent has just started and never had the right.
    STARTING(false),
    /// No heartbeat was confirmed in time.
    DEADLINE(false),
    /// The client saw its ZooKeeper session end.
    SESSION_LOST(false),
    /// CLOCK_BOOTTIME ran ahead of CLOCK_MONOTONIC: the machine was suspended.
    SUSPENDED(false),
    /// The supervisor's socket does not answer; final if it stays so for W.
    SUPERVISOR_LOST(false),
    /// The slot word says FENCING.
    FENCED(true),
    /// The slot word says STOPPED.
    SLOT_STOPPED(true),
    /// The slot word names another incarnation, or a state in which this one is held to be dead.
    SLOT_TAKEN(true),
    /// The supervisor was gone for W: no watchdog stands behind this host any more.
    SUPERVISOR_GONE(true),
    /// The right keeper itself failed; what it knows is worth nothing.
    KEEPER_FAILED(true);

    private final boolean terminal;

    LapseReason(boolean terminal) {
        this.terminal = terminal;
    }

    public boolean terminal() {
        return terminal;
    }
}

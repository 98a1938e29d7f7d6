package io.tombolo.agent.right;

/// Where a host stands with its right to run VMs.
///
///     STOPPING -> PAUSED -> RENEWING -> HELD
///        ^          |          |         |
///        +----------+----------+---------+   a lapse
///     any of these -> ENDING -> ENDED        fenced, slot lost, supervisor gone for good
public enum RightPhase {
    /// The right lapsed; some storing thread may still run.
    STOPPING(false),
    /// The right lapsed and every storing thread has stopped; waits for a fresh right. Also the state after start.
    PAUSED(false),
    /// The right is fresh again; the agent renews the owner word of each VM by compare-and-set. Nothing runs.
    RENEWING(false),
    /// The right is held; VMs run.
    HELD(false),
    /// This incarnation never runs a VM again; waits until its threads have stopped and its guests are gone.
    ENDING(true),
    /// The agent has been told to exit.
    ENDED(true);

    private final boolean terminal;

    RightPhase(boolean terminal) {
        this.terminal = terminal;
    }

    /// No way leads from here back to HELD.
    public boolean terminal() {
        return terminal;
    }
}

package io.tombolo.agent.sim;

/// What happens between the last instruction here and the first one elsewhere: encode, publish, compare-and-set the
/// owner word. Runs once, on the vCPU thread that stopped last, when every vCPU of the VM has stopped: the fewer
/// instructions it needs, the shorter the downtime, so it should allocate nothing and call nothing that blocks.
@FunctionalInterface
public interface SwitchAction {
    /// What the gate does next.
    enum Outcome {
        /// The VM has left. The threads stay parked; requests are for the caller to answer.
        DEPARTED,
        /// The VM is still here by right: all vCPUs go on at once, this thread first.
        RESUME,
        /// Still here, but must not run until [VcpuRunner#resume].
        STOP,
        /// Not ours any more: it never runs here again.
        LOST
    }

    /// Hands the VM over.
    ///
    /// @param state registers of all vCPUs, [SimulatedState#stoppedAtNs] set; guest memory is complete
    Outcome switchOver(SimulatedState state);
}

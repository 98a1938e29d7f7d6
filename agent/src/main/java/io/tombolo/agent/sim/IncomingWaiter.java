package io.tombolo.agent.sim;

/// Waits on vCPU 0's own thread for a VM to arrive, so that nothing has to be woken up when it does: spins inside the
/// short window that the source opens just before it stops, parks otherwise.
@FunctionalInterface
public interface IncomingWaiter {
    /// Returns true when the state has been decoded into `into` and the owner word names this host as running: the
    /// thread executes the first instruction at once. False when the arrival was called off; the thread parks again.
    ///
    /// Returns false soon after the thread was interrupted, which is how [VcpuRunner#kill] ends it.
    boolean await(SimulatedState into);
}

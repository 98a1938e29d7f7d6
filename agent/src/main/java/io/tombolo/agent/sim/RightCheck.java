package io.tombolo.agent.sim;

/// The right of this host to execute the VM, asked by every vCPU thread before every slice: a few loads, no lock, no
/// allocation. The implementation also notes the time, because the watchdog is petted with the oldest check of all threads.
@FunctionalInterface
public interface RightCheck {
    /// Always yes: for runs that are nobody's VM.
    RightCheck ALWAYS = _ -> true;

    /// Whether this vCPU may execute one more slice. No stops all vCPUs of the VM with [StopReason#RIGHT_LAPSED]; they run
    /// again only after [VcpuRunner#resume].
    boolean mayRun(int vcpu);

    /// The vCPU's thread has made its last store and stores nothing before the next [#mayRun] that says yes. Called on that
    /// thread, before it counts as stopped.
    default void stopped(int vcpu) {
    }
}

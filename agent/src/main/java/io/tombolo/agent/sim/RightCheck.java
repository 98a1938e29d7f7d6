package io.tombolo.agent.sim;

/// The right of this host to execute the VM, as the vCPU threads ask for it: a few loads each time, no lock, no
/// allocation. Every call is made by the vCPU's own thread. The implementation also notes the time of each check,
/// because the watchdog is petted with the oldest check of all threads that may be storing.
public interface RightCheck {
    /// Always yes: for runs that are nobody's VM.
    RightCheck ALWAYS = new RightCheck() {
        @Override
        public boolean start(int vcpu) {
            return true;
        }

        @Override
        public boolean check(int vcpu) {
            return true;
        }

        @Override
        public void stopped(int vcpu) {
        }
    };

    /// Asks before the first slice after a stop. No stops all vCPUs of the VM with [StopReason#RIGHT_LAPSED].
    boolean start(int vcpu);

    /// Asks before every further slice; no as with [#start].
    boolean check(int vcpu);

    /// This vCPU's thread executes its first instruction after a stop next.
    default void begins(int vcpu) {
    }

    /// This vCPU's thread has executed its last instruction before a stop. It may still carry out a switch-over.
    default void ended(int vcpu) {
    }

    /// This vCPU's thread has made its last store, those of a switch-over included if it carries one out, and makes
    /// none before [#start] has said yes. Called before the VM counts as stopped (with several vCPUs, the threads
    /// that leave a switch-over to another may come a little later), and also when [#start] said no or was not asked.
    void stopped(int vcpu);
}

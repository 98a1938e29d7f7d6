package io.tombolo.agent.sim;

/// What a VM's threads tell the agent. Called on the runner's executor, never on a vCPU thread.
public interface VmListener {
    /// Hears nothing.
    VmListener NONE = new VmListener() {
        @Override
        public void stopped(StopReport report) {
        }

        @Override
        public void selfCheckFailed(int vcpu, SelfCheckFailure failure) {
        }
    };

    /// All vCPUs have stopped and will stay so until somebody acts.
    void stopped(StopReport report);

    /// A vCPU found its memory damaged for the first time on this runner. The VM runs on; its registers count.
    void selfCheckFailed(int vcpu, SelfCheckFailure failure);

    /// The first failed self-check of a vCPU.
    ///
    /// @param check       name of the check, see [SelfCheck#describe]
    /// @param gpa         where
    /// @param instruction at which instruction
    record SelfCheckFailure(String check, long gpa, long instruction) {
    }
}

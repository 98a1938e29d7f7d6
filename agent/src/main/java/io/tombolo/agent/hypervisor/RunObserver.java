package io.tombolo.agent.hypervisor;

import java.util.UUID;

/// Hears, on the vCPU's own thread, of every stretch in which a vCPU executes: for a record that is kept outside the
/// guest, which neither a hand-off nor a roll-back can change. Called where a guest's downtime is measured, so it has
/// to be quick. Nobody listens in production.
public interface RunObserver {
    /// Nobody listens.
    RunObserver NONE = new RunObserver() {
        @Override
        public void begins(UUID vm, int vmSlot, int vcpu, long epoch) {
        }

        @Override
        public void ended(UUID vm, int vmSlot, int vcpu) {
        }
    };

    /// The vCPU has the right and executes its first instruction next.
    ///
    /// @param epoch epoch of the owner word
    void begins(UUID vm, int vmSlot, int vcpu, long epoch);

    /// The vCPU has executed its last instruction; the owner word has not been given on yet.
    void ended(UUID vm, int vmSlot, int vcpu);
}

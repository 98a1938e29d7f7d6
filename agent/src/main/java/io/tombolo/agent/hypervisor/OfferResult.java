package io.tombolo.agent.hypervisor;

/// How an attempt to offer a guest went. Times are System.nanoTime(), CLOCK_MONOTONIC of this machine.
///
/// @param outcome what happened
/// @param reason why it failed, empty otherwise
/// @param lastInstructionNs when the last vCPU executed its last instruction (QEMU: when its STOP event was received)
/// @param savedNs when the state was complete in the payload
/// @param offeredNs when the CAS had returned
/// @param stateBytes length of the state
public record OfferResult(Outcome outcome, String reason, long lastInstructionNs, long savedNs, long offeredNs,
        int stateBytes) {
    /// What happened to the guest.
    public enum Outcome {
        /// The CAS won: the VM is offered.
        OFFERED,
        /// The state was saved and the CAS failed; the guest is stopped.
        CAS_LOST,
        /// The state could not be saved; the guest is stopped and may be run again.
        FAILED_STOPPED,
        /// The state could not be saved; the guest never stopped or runs again by itself.
        FAILED_RUNNING
    }

    /// A failure before any CAS.
    public static OfferResult failed(boolean running, String reason) {
        return new OfferResult(running ? Outcome.FAILED_RUNNING : Outcome.FAILED_STOPPED, reason, 0, 0, 0, 0);
    }
}

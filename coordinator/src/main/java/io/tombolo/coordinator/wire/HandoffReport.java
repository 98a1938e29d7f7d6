package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

/// What one hand-off cost. The source builds it from its own and the target's clock readings (CLOCK_MONOTONIC of the
/// same machine); the coordinator adds `prepareNs` and `commitNs`, which only it sees.
///
/// @param vm                 name of the VM
/// @param fromHost           source
/// @param toHost             target
/// @param intentSeq          the intent this hand-off carried out
/// @param prepareNs          intent written until the source got its order; outside the downtime
/// @param quiesceNs          order to stop the vCPUs until the last one stopped
/// @param publishNs          state written, persisted and published
/// @param switchNs           the source's CAS to OFFERED until the target's CAS to RUNNING
/// @param resumeNs           the target's CAS to RUNNING until its first instruction
/// @param commitNs           source guest killed and reaped, records brought into line; outside the downtime
/// @param lastInstructionNs  CLOCK_MONOTONIC of the last instruction at the source
/// @param firstInstructionNs CLOCK_MONOTONIC of the first instruction at the target; 0 when it never ran there
/// @param downtimeNs         `firstInstructionNs - lastInstructionNs` when completed; for a take-back, until the source
/// ran again
/// @param stateBytes         bytes of the published state
/// @param bytesCopied        bytes of guest memory that anything but a vCPU loaded or stored between PREPARE and COMMIT
/// @param epochBefore        epoch at which the source ran
/// @param epochAfter         epoch after the last change that the source saw
/// @param outcome            how it ended
public record HandoffReport(String vm, String fromHost, String toHost, long intentSeq, long prepareNs, long quiesceNs,
        long publishNs, long switchNs, long resumeNs, long commitNs, long lastInstructionNs, long firstInstructionNs,
        long downtimeNs, long stateBytes, long bytesCopied, long epochBefore, long epochAfter, HandoffOutcome outcome) {
    public HandoffReport {
        requireNonNull(vm, "vm is null");
        requireNonNull(fromHost, "fromHost is null");
        requireNonNull(toHost, "toHost is null");
        requireNonNull(outcome, "outcome is null");
    }

    /// The same report with the two durations that only the coordinator can measure.
    public HandoffReport withCoordinatorPhases(long newPrepareNs, long newCommitNs) {
        return new HandoffReport(vm, fromHost, toHost, intentSeq, newPrepareNs, quiesceNs, publishNs, switchNs,
                resumeNs, newCommitNs, lastInstructionNs, firstInstructionNs, downtimeNs, stateBytes, bytesCopied,
                epochBefore, epochAfter, outcome);
    }
}

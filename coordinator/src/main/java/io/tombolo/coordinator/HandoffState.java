package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.zk.IntentRecord;
import java.util.Optional;

/// Everything that [HandoffOrchestration] remembers of one hand-off. Immutable; times are of the injected clock.
///
/// @param intent         what is to be done
/// @param timings        time limits
/// @param phase          where it is
/// @param startedNs      when this leader began
/// @param phaseSinceNs   when the phase began
/// @param wakeNs         when to send the next [HandoffEvent.Tick]
/// @param ticket         number of the newest reading of the owner word
/// @param disarmed       whether A is known to have no order of this intent any more
/// @param targetReleased whether B was told to forget its preparation
/// @param sourceGone     whether A's record is missing in ZooKeeper
/// @param targetGone     whether B's record is missing in ZooKeeper
/// @param reported       whether the caller has its result
/// @param noted          reason last written to the VM's record; `""` when none
/// @param prepareNs      duration of PREPARING
/// @param finishSinceNs  when the switch was seen; 0 when it was not
/// @param sourceNs       how long the source may take for its pages before it stops the guest; 0 if it has none to send
/// @param cause          why it is not going as planned; empty when it is
/// @param report         what A measured
/// @param owner          the newest reading of the owner word
public record HandoffState(IntentRecord intent, HandoffTimings timings, Phase phase, long startedNs, long phaseSinceNs,
        long wakeNs, long ticket, boolean disarmed, boolean targetReleased, boolean sourceGone, boolean targetGone,
        boolean reported, String noted, long prepareNs, long finishSinceNs, long sourceNs,
        Optional<HandoffResult> cause, Optional<HandoffReport> report, Optional<OwnerSnapshot> owner) {
    public HandoffState {
        requireNonNull(intent, "intent is null");
        requireNonNull(timings, "timings is null");
        requireNonNull(phase, "phase is null");
        requireNonNull(noted, "noted is null");
        requireNonNull(cause, "cause is null");
        requireNonNull(report, "report is null");
        requireNonNull(owner, "owner is null");
    }

    /// Where a hand-off is.
    public enum Phase {
        /// B was asked to prepare; A knows nothing yet.
        PREPARING,
        /// A has its order.
        SWITCHING,
        /// Only the owner word counts now.
        RESOLVING,
        /// B has the VM; A was told to reap its guest.
        FINISHING,
        /// The intent is being closed.
        CLOSING,
        /// Nothing is left to do for this leader.
        DONE
    }
}

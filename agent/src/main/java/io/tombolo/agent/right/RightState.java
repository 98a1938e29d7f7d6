package io.tombolo.agent.right;

import static java.util.Objects.requireNonNull;

/// State of the right keeper. A value; a step gives a new one.
///
/// @param reason why the phase is not HELD; in HELD the reason of the last lapse
/// @param lapsedAtNs heartbeats sent and slot words read before this instant count for nothing
/// @param heartbeatSentNs when the last confirmed heartbeat was sent; Long.MIN_VALUE for never
/// @param slotLiveSeenNs when the slot word was last seen LIVE with the own incarnation; Long.MIN_VALUE for never
/// @param supervisorLostNs since when the supervisor does not answer; meaningless while `supervisor`
/// @param generation number of the last RenewAll
/// @param maySayStopped the slot word is still this incarnation's to change
/// @param endByNs in ENDING: exit at this instant even if threads still run
public record RightState(RightPhase phase, LapseReason reason, boolean warned, long nowNs, long lapsedAtNs,
        long heartbeatSentNs, long deadlineNs, long warnAtNs, long slotLiveSeenNs, boolean supervisor,
        long supervisorLostNs, long generation, boolean maySayStopped, long endByNs) {

    public RightState {
        requireNonNull(phase, "phase is null");
        requireNonNull(reason, "reason is null");
    }

    /// The agent has just claimed its slot; nothing runs, no right yet.
    static RightState starting(long nowNs, boolean supervisor) {
        return new RightState(RightPhase.PAUSED, LapseReason.STARTING, false, nowNs, nowNs, Long.MIN_VALUE,
                Long.MIN_VALUE, Long.MIN_VALUE, Long.MIN_VALUE, supervisor, nowNs, 0, true, Long.MAX_VALUE);
    }

    /// VMs may run.
    public boolean held() {
        return phase == RightPhase.HELD;
    }

    RightState withPhase(RightPhase next) {
        return new RightState(next, reason, warned, nowNs, lapsedAtNs, heartbeatSentNs, deadlineNs, warnAtNs,
                slotLiveSeenNs, supervisor, supervisorLostNs, generation, maySayStopped, endByNs);
    }

    RightState withNow(long now) {
        return new RightState(phase, reason, warned, now, lapsedAtNs, heartbeatSentNs, deadlineNs, warnAtNs,
                slotLiveSeenNs, supervisor, supervisorLostNs, generation, maySayStopped, endByNs);
    }

    RightState withWarned(boolean value) {
        return new RightState(phase, reason, value, nowNs, lapsedAtNs, heartbeatSentNs, deadlineNs, warnAtNs,
                slotLiveSeenNs, supervisor, supervisorLostNs, generation, maySayStopped, endByNs);
    }

    RightState withLapse(LapseReason why) {
        return new RightState(phase, why, warned, nowNs, nowNs, heartbeatSentNs, deadlineNs, warnAtNs, slotLiveSeenNs,
                supervisor, supervisorLostNs, generation, maySayStopped, endByNs);
    }

    RightState withHeartbeat(long sentNs, long deadline, long warnAt) {
        return new RightState(phase, reason, false, nowNs, lapsedAtNs, sentNs, deadline, warnAt, slotLiveSeenNs,
                supervisor, supervisorLostNs, generation, maySayStopped, endByNs);
    }

    RightState withSlotLiveSeen() {
        return new RightState(phase, reason, warned, nowNs, lapsedAtNs, heartbeatSentNs, deadlineNs, warnAtNs, nowNs,
                supervisor, supervisorLostNs, generation, maySayStopped, endByNs);
    }

    RightState withSupervisor(boolean seen) {
        return new RightState(phase, reason, warned, nowNs, lapsedAtNs, heartbeatSentNs, deadlineNs, warnAtNs,
                slotLiveSeenNs, seen, nowNs, generation, maySayStopped, endByNs);
    }

    RightState withGeneration(long next) {
        return new RightState(phase, reason, warned, nowNs, lapsedAtNs, heartbeatSentNs, deadlineNs, warnAtNs,
                slotLiveSeenNs, supervisor, supervisorLostNs, next, maySayStopped, endByNs);
    }

    RightState withEnd(LapseReason why, boolean maySay, long endBy) {
        return new RightState(RightPhase.ENDING, why, warned, nowNs, nowNs, heartbeatSentNs, deadlineNs, warnAtNs,
                slotLiveSeenNs, supervisor, supervisorLostNs, generation, maySay, endBy);
    }

    RightState withMaySayStopped(boolean value) {
        return new RightState(phase, reason, warned, nowNs, lapsedAtNs, heartbeatSentNs, deadlineNs, warnAtNs,
                slotLiveSeenNs, supervisor, supervisorLostNs, generation, value, endByNs);
    }
}

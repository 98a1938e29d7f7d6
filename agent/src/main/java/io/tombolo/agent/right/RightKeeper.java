package io.tombolo.agent.right;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.HostState;
import io.tombolo.region.SlotWord;
import java.util.ArrayList;
import java.util.List;

/// Decides whether a host may run VMs. A pure step core: no thread, clock, socket or ZooKeeper type inside.
///
/// The right is held while the slot word is LIVE with the own incarnation, the deadline of the last confirmed heartbeat
/// has not passed and the supervisor answers. Rules:
///
/// - Time comes first: a step looks at the deadline before it looks at its event, so that a heartbeat that is confirmed
///   after the deadline never undoes the lapse.
/// - A lapse comes back only through RenewAll, and only with a heartbeat that was *sent* and a slot word that was
///   *read* after the lapse. Looking at the owner word again is never enough: a takeover may be between its look and
///   its compare-and-set.
/// - A slot word that is not LIVE with the own incarnation never comes back. The agent stops, says STOPPED if the word
///   is still its own, and exits; a new process takes a new incarnation.
/// - A supervisor that is gone for W is final as well: no watchdog stands behind this host.
///
/// The deadline is an early stop. No takeover relies on it; the argument for takeover starts at the slot word.
///
/// Stateless and immutable; may be shared by threads.
public final class RightKeeper {
    private final Timings timings;
    private final long incarnation;
    private final boolean supervised;

    /// What a step gives.
    public record Step(RightState state, List<RightEffect> effects) {
        public Step {
            requireNonNull(state, "state is null");
            effects = List.copyOf(effects);
        }
    }

    /// @param liveWord the slot word this agent claimed: LIVE with its incarnation
    /// @param supervised false for an agent that runs without any watchdog; such a host is never without its
    /// supervisor,
    ///        and never takes a protected VM
    public RightKeeper(Timings timings, long liveWord, boolean supervised) {
        this.timings = requireNonNull(timings, "timings is null");
        if (SlotWord.state(liveWord) != HostState.LIVE) {
            throw new IllegalArgumentException("not a LIVE slot word: " + SlotWord.describe(liveWord));
        }
        this.incarnation = SlotWord.incarnation(liveWord);
        this.supervised = supervised;
    }

    /// The state after start: nothing runs, everything has stopped, no right yet.
    public RightState initial(long nowNs) {
        return RightState.starting(nowNs, !supervised);
    }

    /// One step. `nowNs` is CLOCK_BOOTTIME; a value before the state's own is taken as the state's own.
    public Step step(RightState before, RightEvent event, long nowNs) {
        Turn turn = new Turn(before.withNow(Math.max(nowNs, before.nowNs())));
        if (before.phase() == RightPhase.ENDED) {
            return turn.done();
        }
        turn.passTime();
        turn.take(event);
        turn.passTime();
        return turn.done();
    }

    /// One step under way: the state so far and the effects so far.
    private final class Turn {
        private final RightPhase entered;
        private RightState state;
        private final List<RightEffect> effects = new ArrayList<>(2);

        Turn(RightState state) {
            this.entered = state.phase();
            this.state = state;
        }

        Step done() {
            return new Step(state, effects);
        }

        void take(RightEvent event) {
            switch (event) {
                case RightEvent.Tick _ -> {
                }
                case RightEvent.HeartbeatConfirmed e -> heartbeat(e);
                case RightEvent.SlotWordSeen e -> slotWord(e.word());
                case RightEvent.SupervisorSeen _ -> supervisorSeen();
                case RightEvent.SupervisorLost _ -> supervisorLost();
                case RightEvent.BoottimeJump e -> {
                    if (e.jumpNs() > 0) {
                        lapse(LapseReason.SUSPENDED);
                    }
                }
                case RightEvent.SessionLost _ -> lapse(LapseReason.SESSION_LOST);
                case RightEvent.OwnerLost e -> ownerLost(e.vmSlot());
                case RightEvent.StoringStopped e -> storingStopped(e.guestsGone());
                case RightEvent.RenewDone e -> renewDone(e.generation());
            }
        }

        void passTime() {
            switch (state.phase()) {
                case HELD, RENEWING -> {
                    if (state.nowNs() >= state.deadlineNs()) {
                        lapse(LapseReason.DEADLINE);
                    } else if (!state.warned() && state.nowNs() >= state.warnAtNs()) {
                        state = state.withWarned(true);
                        effects.add(new RightEffect.Warn(state.deadlineNs() - state.nowNs()));
                    }
                }
                case STOPPING, PAUSED -> {
                    if (!state.supervisor() && state.nowNs() - state.supervisorLostNs() >= timings.watchdogNs()) {
                        end(LapseReason.SUPERVISOR_GONE, state.maySayStopped());
                    } else {
                        renewIfFresh();
                    }
                }
                case ENDING -> {
                    if (state.nowNs() >= state.endByNs()) {
                        effects.add(new RightEffect.Exit(state.reason(), false));
                        state = state.withPhase(RightPhase.ENDED);
                    }
                }
                case ENDED -> {
                }
            }
        }

        private void heartbeat(RightEvent.HeartbeatConfirmed e) {
            if (e.sentAtNs() > state.nowNs()) {
                throw new IllegalArgumentException(
                        "heartbeat from the future: sentAtNs=" + e.sentAtNs() + " nowNs=" + state.nowNs());
            }
            if (e.sentAtNs() > state.heartbeatSentNs() && !state.phase().terminal()) {
                state = state.withHeartbeat(e.sentAtNs(), timings.deadlineNs(e.sentAtNs(), e.grantedTimeoutMs()),
                        timings.warnAtNs(e.sentAtNs(), e.grantedTimeoutMs()));
            }
        }

        private void slotWord(long word) {
            boolean own = SlotWord.incarnation(word) == incarnation;
            HostState seen = SlotWord.state(word);
            if (own && seen == HostState.LIVE) {
                if (state.phase() == entered && !state.phase().terminal()) {
                    state = state.withSlotLiveSeen();
                }
            } else if (own && (seen == HostState.FENCING || seen == HostState.FAILED)) {
                end(LapseReason.FENCED, state.maySayStopped());
            } else if (own && seen == HostState.STOPPED) {
                end(LapseReason.SLOT_STOPPED, false);
            } else {
                end(LapseReason.SLOT_TAKEN, false);
            }
        }

        private void supervisorSeen() {
            if (!state.supervisor() && !state.phase().terminal()) {
                state = state.withSupervisor(true);
            }
        }

        private void supervisorLost() {
            if (supervised && !state.phase().terminal()) {
                if (state.supervisor()) {
                    state = state.withSupervisor(false);
                }
                lapse(LapseReason.SUPERVISOR_LOST);
            }
        }

        private void ownerLost(int vmSlot) {
            if (!state.phase().terminal()) {
                effects.add(new RightEffect.StopVm(vmSlot));
            }
        }

        private void storingStopped(boolean guestsGone) {
            if (state.phase() != entered) {
                // Seen before the pause that this very step asked for: the gate may have been open then.
                return;
            }
            switch (state.phase()) {
                case STOPPING -> state = state.withPhase(RightPhase.PAUSED);
                case ENDING -> {
                    if (guestsGone) {
                        if (state.maySayStopped()) {
                            effects.add(new RightEffect.SayStopped());
                        }
                        effects.add(new RightEffect.Exit(state.reason(), true));
                        state = state.withPhase(RightPhase.ENDED);
                    }
                }
                case PAUSED, RENEWING, HELD, ENDED -> {
                }
            }
        }

        private void renewDone(long generation) {
            if (state.phase() == RightPhase.RENEWING && generation == state.generation()) {
                state = state.withPhase(RightPhase.HELD);
                effects.add(new RightEffect.ResumeAll(generation));
            }
        }

        private void renewIfFresh() {
            boolean fresh = state.phase() == RightPhase.PAUSED && state.supervisor()
                    && state.heartbeatSentNs() >= state.lapsedAtNs() && state.slotLiveSeenNs() >= state.lapsedAtNs()
                    && state.nowNs() < state.deadlineNs();
            if (fresh) {
                state = state.withGeneration(state.generation() + 1).withPhase(RightPhase.RENEWING);
                effects.add(new RightEffect.RenewAll(state.generation()));
            }
        }

        private void lapse(LapseReason reason) {
            switch (state.phase()) {
                case HELD, RENEWING -> {
                    state = state.withLapse(reason).withPhase(RightPhase.STOPPING);
                    effects.add(new RightEffect.PauseAll(reason, false));
                }
                // Nothing runs, but what was fresh until now is so no more.
                case STOPPING, PAUSED -> state = state.withLapse(reason);
                case ENDING, ENDED -> {
                }
            }
        }

        private void end(LapseReason reason, boolean maySayStopped) {
            switch (state.phase()) {
                case ENDING -> state = state.withMaySayStopped(state.maySayStopped() && maySayStopped);
                case ENDED -> {
                }
                case STOPPING, PAUSED, RENEWING, HELD -> {
                    state = state.withEnd(reason, maySayStopped, state.nowNs() + timings.watchdogNs());
                    effects.add(new RightEffect.PauseAll(reason, true));
                }
            }
        }
    }
}

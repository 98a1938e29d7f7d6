package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;

/// The target's half of a hand-off of one VM: a pure step core like [SourceCore].
///
/// The few microseconds between seeing the offer and running the guest are straight-line code on the thread that spins
/// ([IncomingVm]); it reports how it ended as an event. This core decides everything around it: when that thread may
/// spin, when the preparation is given up, and what happens to a prepared guest that never got its VM.
///
///     IDLE -prepare-> PREPARING -guest ready-> ARMED -open window-> ARMED (spinning) -offer claimed-> ADOPTED
///                         |failed                |cancel, lifetime over, refused blob: give back
///                         +------> IDLE <--------+
///
/// Times are nanoseconds of one monotonic clock; events of one VM are serialised by the edge.
public final class TargetCore {
    private TargetCore() {
    }

    /// Where the target stands.
    public enum Phase {
        /// Nothing prepared.
        IDLE,
        /// The guest is being pre-launched; nothing may write guest memory.
        PREPARING,
        /// A guest is ready and its first thread watches the owner word, spinning only inside a window.
        ARMED,
        /// The VM runs here; the source core takes over.
        ADOPTED
    }

    /// The state of one VM's target side.
    ///
    /// @param intentSeq the intent prepared for, 0 when none
    /// @param epoch the owner's epoch the preparation was made for; an offer carries epoch + 1 or, after fencing took
    ///            the source's take-back right away, a later one
    /// @param self this host's slot
    /// @param source the slot that hands over, -1 when none
    /// @param deadlineNs end of the preparation's lifetime
    public record State(Phase phase, long intentSeq, long epoch, int self, int source, long deadlineNs) {
        public State {
            requireNonNull(phase, "phase is null");
        }

        /// Nothing prepared on host slot `self`.
        public static State idle(int self) {
            return new State(Phase.IDLE, 0, 0, self, -1, 0);
        }

        State to(Phase next) {
            return new State(next, intentSeq, epoch, self, source, deadlineNs);
        }
    }

    /// What may happen to the target.
    public sealed interface Event {
        /// The leader asks for a guest to be prepared.
        record Prepare(long intentSeq, long epoch, int source) implements Event {
        }

        /// The guest is ready and its thread waits.
        record Prelaunched() implements Event {
        }

        /// No guest could be made ready.
        record PrelaunchFailed(String reason) implements Event {
        }

        /// The source sends pages: it is there, and the preparation's lifetime begins anew.
        record SourceSends() implements Event {
        }

        /// The source is about to stop its guest: spin now.
        record OpenWindow(long intentSeq) implements Event {
        }

        /// The guest runs: the owner word was CASed to RUNNING(self).
        record Running(long word) implements Event {
        }

        /// The offer was seen but the state was refused; the VM has been given back, or the CAS to do so failed.
        record Refused(String reason) implements Event {
        }

        /// The leader gives the intent up; `word` is the owner word just read.
        record Cancel(long intentSeq, long word) implements Event {
        }

        /// Time passes; `word` is the owner word just read.
        record Tick(long word) implements Event {
        }
    }

    /// What the edge must do.
    public sealed interface Effect {
        /// Map, validate and pre-launch a guest for this VM; end with Prelaunched or PrelaunchFailed.
        record Prelaunch(long intentSeq, long epoch) implements Effect {
        }

        /// Tell the leader that the target is armed.
        record AnswerArmed(long intentSeq) implements Effect {
        }

        /// Tell the leader (or the source) that this target is not available, and why.
        record AnswerRefused(long intentSeq, String reason) implements Effect {
        }

        /// Let the waiting thread spin for the length of one window and answer the source once it does.
        record Spin(long intentSeq) implements Effect {
        }

        /// Kill and reap the prepared guest.
        record Discard(String reason) implements Effect {
        }

        /// The VM is ours: enter it as hosted at this epoch.
        record Adopt(long epoch) implements Effect {
        }
    }

    /// One step. `lifetimeNs` bounds how long a preparation waits for its offer.
    public static Step<State, Effect> step(State state, Event event, long nowNs, long lifetimeNs) {
        return switch (event) {
            case Event.Prepare prepare -> prepare(state, prepare, nowNs, lifetimeNs);
            case Event.Prelaunched _ -> state.phase() == Phase.PREPARING
                    ? Step.of(state.to(Phase.ARMED), new Effect.AnswerArmed(state.intentSeq()))
                    : Step.of(state);
            case Event.PrelaunchFailed failed -> state.phase() == Phase.PREPARING
                    ? Step.of(State.idle(state.self()), new Effect.AnswerRefused(state.intentSeq(), failed.reason()))
                    : Step.of(state);
            case Event.OpenWindow open -> state.phase() == Phase.ARMED && open.intentSeq() == state.intentSeq()
                    ? Step.of(state, new Effect.Spin(open.intentSeq()))
                    : Step.of(state, new Effect.AnswerRefused(open.intentSeq(), "not armed for this intent"));
            case Event.SourceSends _ -> state.phase() == Phase.ARMED
                    ? Step.of(new State(Phase.ARMED, state.intentSeq(), state.epoch(), state.self(), state.source(),
                            nowNs + lifetimeNs))
                    : Step.of(state);
            case Event.Running running -> state.phase() == Phase.ARMED
                    ? Step.of(state.to(Phase.ADOPTED), new Effect.Adopt(OwnerWord.epoch(running.word())))
                    : Step.of(state);
            case Event.Refused refused -> state.phase() == Phase.ARMED
                    ? Step.of(State.idle(state.self()), new Effect.Discard(refused.reason()))
                    : Step.of(state);
            case Event.Cancel cancel -> cancel.intentSeq() == state.intentSeq()
                    ? giveUp(state, cancel.word(), "cancelled by the leader")
                    : Step.of(state);
            case Event.Tick tick -> state.phase() == Phase.ARMED && nowNs - state.deadlineNs() >= 0
                    ? giveUp(state, tick.word(), "no offer came in the preparation's lifetime")
                    : Step.of(state);
        };
    }

    private static Step<State, Effect> prepare(State state, Event.Prepare prepare, long nowNs, long lifetimeNs) {
        return switch (state.phase()) {
            case IDLE -> Step.of(
                    new State(Phase.PREPARING, prepare.intentSeq(), prepare.epoch(), state.self(), prepare.source(),
                            nowNs + lifetimeNs),
                    new Effect.Prelaunch(prepare.intentSeq(), prepare.epoch()));
            case ARMED -> prepare.intentSeq() == state.intentSeq()
                    ? Step.of(state, new Effect.AnswerArmed(state.intentSeq()))
                    : Step.of(state, new Effect.AnswerRefused(prepare.intentSeq(),
                            "prepared for another intent: intent=" + state.intentSeq()));
            // The first request's end answers a repeated one.
            case PREPARING -> prepare.intentSeq() == state.intentSeq()
                    ? Step.of(state)
                    : Step.of(state, new Effect.AnswerRefused(prepare.intentSeq(), "another preparation is under way"));
            case ADOPTED -> Step.of(state, new Effect.AnswerRefused(prepare.intentSeq(), "the VM runs here"));
        };
    }

    /// A VM that has been offered to us is not given up: the source may be dead, and then we are the only next actor.
    private static Step<State, Effect> giveUp(State state, long word, String reason) {
        if (state.phase() != Phase.ARMED && state.phase() != Phase.PREPARING) {
            return Step.of(state);
        }
        boolean ours = OwnerWord.slot(word) == state.self() && (OwnerWord.state(word) == OwnerState.OFFERED
                || OwnerWord.state(word) == OwnerState.CLAIMED || OwnerWord.state(word) == OwnerState.RUNNING);
        return ours ? Step.of(state) : Step.of(State.idle(state.self()), new Effect.Discard(reason));
    }
}

package io.tombolo.agent.takeover;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.OwnerState;
import io.tombolo.region.Takeover.Doubt;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// What a host does after it has taken the owner word of a VM, as a pure step function: docs/takeover.md, steps 6 to 9.
/// It stores nothing to the VM before every owner in doubt is confirmed stopped, and nothing any more once the word is
/// somebody else's or the right under which it was taken has lapsed: a right that came back is another one, and takes
/// the VM over anew.
public final class TakeoverCore {
    private static final long FIRST_LOOK_NS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long LAST_LOOK_NS = TimeUnit.MILLISECONDS.toNanos(5);

    /// Where it is.
    public enum Phase {
        /// Owners in doubt are not confirmed stopped.
        WAITING,
        /// Frames of the dead, rollback, table.
        RECOVERING,
        /// The guest is being made from the state that was found.
        RESTORING,
        /// The owner word is being changed.
        FINISHING,
        /// It runs here.
        RUNNING,
        /// It is here, and paused.
        PAUSED,
        /// It cannot go on.
        LOST,
        /// Somebody else goes on with it, or this host later.
        GIVEN_UP
    }

    /// Everything that is remembered; immutable. Times are CLOCK_MONOTONIC, 0 where it has not come to that.
    ///
    /// @param mine   the owner word that was taken
    /// @param doubts owners that are not confirmed stopped
    /// @param paused whether it was paused
    /// @param reason error code of why it is lost or given up; `""` while it is neither
    public record State(Phase phase, long mine, List<Doubt> doubts, boolean paused, String reason, long begunNs,
            long confirmedNs, long recoveredNs, long runningNs, long pagesRolledBack) {
        public State {
            requireNonNull(phase, "phase is null");
            doubts = List.copyOf(doubts);
            requireNonNull(reason, "reason is null");
        }

        /// Whether nothing more happens.
        public boolean isOver() {
            return switch (phase) {
                case WAITING, RECOVERING, RESTORING, FINISHING -> false;
                case RUNNING, PAUSED, LOST, GIVEN_UP -> true;
            };
        }

        private State at(Phase next) {
            return new State(next, mine, doubts, paused, reason, begunNs, confirmedNs, recoveredNs, runningNs,
                    pagesRolledBack);
        }

        private State because(Phase next, String code) {
            return new State(next, mine, doubts, paused, code, begunNs, confirmedNs, recoveredNs, runningNs,
                    pagesRolledBack);
        }
    }

    /// What happens.
    public sealed interface Event {
        /// The words, read now.
        ///
        /// @param right whether the right under which the VM was taken has held all the time
        /// @param ours  whether the owner word is still the one that was taken
        record Looked(boolean right, boolean ours, List<Doubt> doubts) implements Event {
            public Looked {
                doubts = List.copyOf(doubts);
            }
        }

        /// Memory is whole.
        ///
        /// @param lostCode why there is no state to go on from; `""` when there is one
        record Recovered(String lostCode, boolean paused, long pagesRolledBack) implements Event {
            public Recovered {
                requireNonNull(lostCode, "lostCode is null");
            }
        }

        /// The guest is made, and stands still.
        record Restored() implements Event {
        }

        /// A step failed.
        ///
        /// @param hopeless whether it would fail at every host
        record Failed(String code, boolean hopeless) implements Event {
            public Failed {
                requireNonNull(code, "code is null");
            }
        }

        /// The owner word was changed, or was somebody else's.
        record Finished(boolean ok) implements Event {
        }

        /// This host is leaving.
        record Abandoned() implements Event {
        }
    }

    /// What the edge has to do.
    public sealed interface Effect {
        /// Look at the words after so long.
        record Look(long delayNs) implements Effect {
        }

        /// Recover the memory.
        record Recover() implements Effect {
        }

        /// Make the guest.
        record Restore() implements Effect {
        }

        /// Change the owner word.
        record Finish(OwnerState to) implements Effect {
        }

        /// The guest belongs to this host from now on; it runs unless it was paused.
        record Adopt() implements Effect {
        }

        /// Nothing of the VM stays on this host.
        record Leave() implements Effect {
        }
    }

    /// What comes next.
    public record Step(State state, List<Effect> effects) {
        public Step {
            requireNonNull(state, "state is null");
            effects = List.copyOf(effects);
        }
    }

    private TakeoverCore() {
    }

    /// The owner word is this host's, and the commit word is sealed.
    public static Step begun(long mine, List<Doubt> doubts, long nowNs) {
        return new Step(new State(Phase.WAITING, mine, doubts, false, "", nowNs, 0, 0, 0, 0),
                List.of(new Effect.Look(0)));
    }

    /// One event.
    public static Step step(State state, Event event, long nowNs) {
        if (state.isOver()) {
            return new Step(state, List.of());
        }
        return switch (event) {
            case Event.Abandoned _ -> giveUp(state, "RIGHT_LAPSED");
            case Event.Looked(boolean right, boolean ours, List<Doubt> doubts) -> !ours
                    ? giveUp(state, "OWNER_CHANGED")
                    : !right ? giveUp(state, "RIGHT_LAPSED") : looked(state, doubts, nowNs);
            case Event.Recovered recovered -> state.phase() == Phase.RECOVERING
                    ? recovered(state, recovered, nowNs)
                    : ignored(state);
            case Event.Restored _ -> state.phase() == Phase.RESTORING
                    ? new Step(state.at(Phase.FINISHING),
                            List.of(new Effect.Finish(state.paused() ? OwnerState.PAUSED : OwnerState.RUNNING)))
                    : ignored(state);
            case Event.Failed(String code, boolean hopeless) -> hopeless
                    ? new Step(state.because(Phase.FINISHING, code), List.of(new Effect.Finish(OwnerState.LOST)))
                    : giveUp(state, code);
            case Event.Finished(boolean ok) -> state.phase() == Phase.FINISHING
                    ? ok ? finished(state, nowNs) : giveUp(state, "OWNER_CHANGED")
                    : ignored(state);
        };
    }

    private static Step looked(State state, List<Doubt> doubts, long nowNs) {
        if (state.phase() != Phase.WAITING) {
            return ignored(state);
        }
        if (!doubts.isEmpty()) {
            long delay = Math.clamp((nowNs - state.begunNs()) / 1000, FIRST_LOOK_NS, LAST_LOOK_NS);
            return new Step(new State(Phase.WAITING, state.mine(), doubts, false, "", state.begunNs(), 0, 0, 0, 0),
                    List.of(new Effect.Look(delay)));
        }
        return new Step(
                new State(Phase.RECOVERING, state.mine(), List.of(), false, "", state.begunNs(), nowNs, 0, 0, 0),
                List.of(new Effect.Recover()));
    }

    private static Step recovered(State state, Event.Recovered how, long nowNs) {
        State next = new State(Phase.RESTORING, state.mine(), List.of(), how.paused(), how.lostCode(),
                state.begunNs(), state.confirmedNs(), nowNs, 0, how.pagesRolledBack());
        return how.lostCode().isEmpty()
                ? new Step(next, List.of(new Effect.Restore()))
                : new Step(next.at(Phase.FINISHING), List.of(new Effect.Finish(OwnerState.LOST)));
    }

    private static Step finished(State state, long nowNs) {
        if (!state.reason().isEmpty()) {
            return new Step(state.at(Phase.LOST), List.of(new Effect.Leave()));
        }
        State next = new State(state.paused() ? Phase.PAUSED : Phase.RUNNING, state.mine(), List.of(), state.paused(),
                "", state.begunNs(), state.confirmedNs(), state.recoveredNs(), nowNs, state.pagesRolledBack());
        return new Step(next, List.of(new Effect.Adopt()));
    }

    private static Step giveUp(State state, String code) {
        return new Step(state.because(Phase.GIVEN_UP, code), List.of(new Effect.Leave()));
    }

    private static Step ignored(State state) {
        return new Step(state, List.of());
    }
}

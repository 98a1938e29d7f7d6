package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;

/// The source's half of a hand-off of one VM: a pure step core, `step(state, event, now) -> state + effects`.
///
/// No thread, socket, clock or region word is touched here; [HandoffSource] is the edge that feeds events and carries
/// effects out. `docs/architecture.md` has the picture and the case table; every row of it that names host A as the
/// next actor is a branch below.
///
///     IDLE -order-> WINDOW -target spins-> QUIESCING -offer won-> OFFERED -B runs-> GONE
///       ^              |abort, time-out       |state failed          |time-out: CAS      |
///       +--------------+----------------------+----------------------+   taken back      +-> reaped
///
/// An order to send the pages first goes through COPYING in place of WINDOW: the target spins when it has them all.
///
/// Times are nanoseconds of one monotonic clock. One instance of state per VM; events of one VM are serialised by the
/// edge.
public final class SourceCore {
    private static final String LATE = "the target did not begin to spin in time";

    private SourceCore() {
    }

    /// Where the source stands.
    public enum Phase {
        /// The guest is ours and no hand-off is under way.
        IDLE,
        /// The owner's ARMED mark is written and the target has been asked to spin.
        WINDOW,
        /// The owner's ARMED mark is written and the pages are being sent to the target; the guest runs.
        COPYING,
        /// The vCPUs are being stopped; the offer is next, on the thread that stops the last of them.
        QUIESCING,
        /// The owner word names the target; the guest is stopped, its state is in the metadata slot.
        OFFERED,
        /// The VM is somebody else's for good; only the reaping of our stopped guest is left.
        GONE
    }

    /// The state of one VM's source side.
    ///
    /// @param intentSeq sequence number of the intent being served, 0 when none is
    /// @param epoch owner epoch at which this host runs the VM (IDLE to QUIESCING), or the epoch offered (OFFERED)
    /// @param self this host's slot
    /// @param target the target's slot, -1 when none
    /// @param deadlineNs when the present phase ends by itself; meaningless in IDLE and GONE
    /// @param rightFresh whether this host has the right to run VMs; a take-back needs it
    public record State(Phase phase, long intentSeq, long epoch, int self, int target, long deadlineNs,
            boolean rightFresh) {
        public State {
            requireNonNull(phase, "phase is null");
        }

        /// A VM that runs here at `epoch`.
        public static State running(int self, long epoch) {
            return new State(Phase.IDLE, 0, epoch, self, -1, 0, true);
        }

        /// Whether the guest is to run as far as the hand-off is concerned.
        public boolean guestRuns() {
            return phase == Phase.IDLE || phase == Phase.WINDOW || phase == Phase.COPYING;
        }

        State to(Phase next, long deadline) {
            return new State(next, intentSeq, epoch, self, target, deadline, rightFresh);
        }

        State idleAt(long newEpoch) {
            return new State(Phase.IDLE, 0, newEpoch, self, -1, 0, rightFresh);
        }
    }

    /// What may happen to the source.
    public sealed interface Event {
        /// The leader's order to hand the VM over; `copy`: to send its pages first.
        record Order(long intentSeq, long epoch, int target, boolean copy) implements Event {
            /// Of a hand-off alone.
            public Order(long intentSeq, long epoch, int target) {
                this(intentSeq, epoch, target, false);
            }
        }

        /// What is left to send fits the time in which the guest may stand still.
        record Copied(long intentSeq) implements Event {
        }

        /// The pages were not sent, and no more are.
        record CopyEnded(long intentSeq, String reason) implements Event {
        }

        /// The target's vCPU thread spins on the owner word: its spin word says so.
        record TargetSpins(long intentSeq) implements Event {
        }

        /// The target spun for as long as it may at a time, and no offer came.
        record WindowPassed(long intentSeq) implements Event {
        }

        /// The target will not spin, or cannot be asked.
        record WindowRefused(long intentSeq, String reason) implements Event {
        }

        /// The owner word has been CASed to OFFERED; `word` is what it holds now.
        record OfferWon(long word) implements Event {
        }

        /// The CAS to OFFERED failed; `word` is what the owner word holds instead. The guest is stopped.
        record OfferLost(long word) implements Event {
        }

        /// The guest's state could not be saved. `stopped` says whether the guest is stopped now.
        record SaveFailed(String reason, boolean stopped) implements Event {
        }

        /// The owner word as it was just read.
        record OwnerSeen(long word) implements Event {
        }

        /// The leader gives the intent up.
        record Abort(long intentSeq) implements Event {
        }

        /// The right of this host lapsed.
        record RightLapsed() implements Event {
        }

        /// The right of this host is fresh again. A VM of ours that was not offered has been renewed: see EpochMoved.
        record RightFresh() implements Event {
        }

        /// The owner moved the word itself, outside a hand-off (renewed, paused, resumed): it now holds `epoch`.
        record EpochMoved(long epoch) implements Event {
        }

        /// Time passes.
        record Tick() implements Event {
        }
    }

    /// What the edge must do. Order matters.
    public sealed interface Effect {
        /// Store the ARMED mark {intent, target} in the VM's header.
        record WriteArmed(long intentSeq, int target) implements Effect {
        }

        /// Clear the ARMED mark: from here an abort of the intent is final.
        record ClearArmed() implements Effect {
        }

        /// Ask the target to begin spinning for this intent; answer with TargetSpins, WindowPassed or WindowRefused.
        record OpenWindow(long intentSeq, long epoch, int target) implements Effect {
        }

        /// Send the VM's local pages; answer with Copied or CopyEnded.
        record BeginCopy(long intentSeq, long epoch, int target) implements Effect {
        }

        /// Send no more pages; nothing reads guest memory when this is done.
        record EndCopy() implements Effect {
        }

        /// Stop the vCPUs, send what pages are left to send, save the state, write the take-back right, CAS
        /// RUNNING(self, epoch) to OFFERED(target, epoch + 1); answer with OfferWon, OfferLost or SaveFailed.
        record Quiesce(long intentSeq, long epoch, int target) implements Effect {
        }

        /// Let the stopped guest run again at `epoch`: the owner word already says that it may.
        record Resume(long epoch) implements Effect {
        }

        /// CAS `expect` to RUNNING(self, epoch); on success the next event is OwnerSeen with the new word.
        record TakeBack(long expect, long epoch) implements Effect {
        }

        /// Kill and reap the stopped guest: the VM is not ours any more.
        record Reap() implements Effect {
        }

        /// Answer the leader's order.
        record Answer(long intentSeq, Outcome outcome, String reason) implements Effect {
        }
    }

    /// How an order ended, as the leader is told.
    public enum Outcome {
        /// The target runs the VM.
        HANDED_OVER,
        /// The VM still runs here, the ARMED mark is cleared; the reason says why.
        STAYED,
        /// The VM was offered and came back by a CAS; it runs here at a newer epoch.
        TAKEN_BACK,
        /// The order does not fit the VM's epoch or another hand-off is under way; nothing was done.
        REFUSED,
        /// The owner word named neither this host nor the target: somebody else decided.
        LOST
    }

    /// The bounds of the waits, nanoseconds.
    ///
    /// @param windowNs how long the source waits for the target to spin before it gives the hand-off up
    /// @param quiesceNs how long stopping and saving may take before the leader is warned; the guest decides the end
    /// @param takeBackNs how long the target has to claim an offered VM before the source takes it back
    public record Bounds(long windowNs, long quiesceNs, long takeBackNs) {
        public Bounds {
            if (windowNs <= 0 || quiesceNs <= 0 || takeBackNs <= 0) {
                throw new IllegalArgumentException(
                        "bounds must be positive: " + windowNs + " " + quiesceNs + " " + takeBackNs);
            }
        }
    }

    /// One step. Never blocks, never throws for an event that comes late or twice: such an event changes nothing.
    public static Step<State, Effect> step(State state, Event event, long nowNs, Bounds bounds) {
        return switch (event) {
            case Event.Order order -> order(state, order, nowNs, bounds);
            case Event.TargetSpins spins -> inWindow(state, spins.intentSeq())
                    ? Step.of(state.to(Phase.QUIESCING, nowNs + bounds.quiesceNs()),
                            new Effect.Quiesce(state.intentSeq(), state.epoch(), state.target()))
                    : Step.of(state);
            case Event.WindowPassed passed -> windowPassed(state, passed, nowNs);
            case Event.WindowRefused refused -> inWindow(state, refused.intentSeq())
                    ? stay(state, "the target is not armed: " + refused.reason())
                    : Step.of(state);
            case Event.Copied copied -> isCopying(state, copied.intentSeq())
                    ? Step.of(state.to(Phase.QUIESCING, nowNs + bounds.quiesceNs()),
                            new Effect.Quiesce(state.intentSeq(), state.epoch(), state.target()))
                    : Step.of(state);
            case Event.CopyEnded ended -> isCopying(state, ended.intentSeq())
                    ? stay(state, ended.reason())
                    : Step.of(state);
            case Event.OfferWon won -> state.phase() == Phase.QUIESCING
                    ? Step.of(new State(Phase.OFFERED, state.intentSeq(), OwnerWord.epoch(won.word()), state.self(),
                            state.target(), nowNs + bounds.takeBackNs(), state.rightFresh()))
                    : Step.of(state);
            case Event.OfferLost lost -> state.phase() == Phase.QUIESCING
                    ? offerLost(state, lost.word())
                    : Step.of(state);
            case Event.SaveFailed failed -> saveFailed(state, failed);
            case Event.OwnerSeen seen -> ownerSeen(state, seen.word());
            case Event.Abort abort -> abort(state, abort);
            case Event.RightLapsed _ -> lapsed(state);
            case Event.RightFresh _ -> Step.of(withRight(state, true));
            case Event.EpochMoved moved -> state.phase() == Phase.IDLE
                    ? Step.of(state.idleAt(moved.epoch()))
                    : Step.of(state);
            case Event.Tick _ -> tick(state, nowNs);
        };
    }

    private static Step<State, Effect> order(State state, Event.Order order, long nowNs, Bounds bounds) {
        if (state.phase() != Phase.IDLE) {
            // A repeated order of the same intent is answered by the first one's end.
            return order.intentSeq() == state.intentSeq()
                    ? Step.of(state)
                    : Step.of(state, refuse(order, "another hand-off is under way: intent=" + state.intentSeq()));
        }
        if (order.epoch() != state.epoch()) {
            return Step.of(state, refuse(order, "stale epoch: ordered=" + order.epoch() + " is=" + state.epoch()));
        }
        if (order.target() == state.self()) {
            return Step.of(state, refuse(order, "the target is this host"));
        }
        if (!state.rightFresh()) {
            return Step.of(state, refuse(order, "this host's right has lapsed"));
        }
        if (order.copy()) {
            // Its end is its own affair: it has limits, and always says how it ended.
            return Step.of(new State(Phase.COPYING, order.intentSeq(), state.epoch(), state.self(), order.target(), 0,
                    true), new Effect.WriteArmed(order.intentSeq(), order.target()),
                    new Effect.BeginCopy(order.intentSeq(), state.epoch(), order.target()));
        }
        State armed = new State(Phase.WINDOW, order.intentSeq(), state.epoch(), state.self(), order.target(),
                nowNs + bounds.windowNs(), true);
        return Step.of(armed, new Effect.WriteArmed(order.intentSeq(), order.target()),
                new Effect.OpenWindow(order.intentSeq(), state.epoch(), order.target()));
    }

    private static Effect refuse(Event.Order order, String reason) {
        return new Effect.Answer(order.intentSeq(), Outcome.REFUSED, reason);
    }

    private static boolean inWindow(State state, long intentSeq) {
        return state.phase() == Phase.WINDOW && intentSeq == state.intentSeq();
    }

    private static boolean isCopying(State state, long intentSeq) {
        return state.phase() == Phase.COPYING && intentSeq == state.intentSeq();
    }

    /// The target's spin was over before this host looked: its control thread was not scheduled for as long. Asking
    /// again costs nothing, the guest runs on.
    private static Step<State, Effect> windowPassed(State state, Event.WindowPassed passed, long nowNs) {
        if (!inWindow(state, passed.intentSeq())) {
            return Step.of(state);
        }
        return nowNs - state.deadlineNs() >= 0
                ? stay(state, LATE)
                : Step.of(state, new Effect.OpenWindow(state.intentSeq(), state.epoch(), state.target()));
    }

    private static Step<State, Effect> stay(State state, String reason) {
        if (state.phase() == Phase.COPYING) {
            return Step.of(state.idleAt(state.epoch()), new Effect.EndCopy(), new Effect.ClearArmed(),
                    new Effect.Answer(state.intentSeq(), Outcome.STAYED, reason));
        }
        return Step.of(state.idleAt(state.epoch()), new Effect.ClearArmed(),
                new Effect.Answer(state.intentSeq(), Outcome.STAYED, reason));
    }

    /// The guest is stopped and the offer did not happen: either the VM is still ours at a renewed epoch, or it is not.
    private static Step<State, Effect> offerLost(State state, long word) {
        if (OwnerWord.state(word) == OwnerState.RUNNING && OwnerWord.slot(word) == state.self()) {
            long epoch = OwnerWord.epoch(word);
            return Step.of(state.idleAt(epoch), new Effect.ClearArmed(), new Effect.Resume(epoch), new Effect.Answer(
                    state.intentSeq(), Outcome.STAYED, "the epoch was renewed during the switch: epoch=" + epoch));
        }
        return Step.of(state.to(Phase.GONE, 0), new Effect.Reap(),
                new Effect.Answer(state.intentSeq(), Outcome.LOST, OwnerWord.describe(word)));
    }

    private static Step<State, Effect> saveFailed(State state, Event.SaveFailed failed) {
        if (state.phase() != Phase.QUIESCING) {
            return Step.of(state);
        }
        State idle = state.idleAt(state.epoch());
        Effect answer = new Effect.Answer(state.intentSeq(), Outcome.STAYED, failed.reason());
        return failed.stopped()
                ? Step.of(idle, new Effect.ClearArmed(), new Effect.Resume(state.epoch()), answer)
                : Step.of(idle, new Effect.ClearArmed(), answer);
    }

    private static Step<State, Effect> ownerSeen(State state, long word) {
        if (state.phase() != Phase.OFFERED) {
            return Step.of(state);
        }
        int slot = OwnerWord.slot(word);
        long epoch = OwnerWord.epoch(word);
        return switch (OwnerWord.state(word)) {
            // Waiting is right: only the target's own CAS, our take-back after the deadline, or a takeover moves it on.
            case OFFERED -> slot == state.self() && state.rightFresh()
                    ? Step.of(state, new Effect.TakeBack(word, epoch))
                    : Step.of(state);
            case CLAIMED -> Step.of(state);
            case RUNNING, PAUSED -> {
                if (slot != state.self()) {
                    Outcome outcome = slot == state.target() ? Outcome.HANDED_OVER : Outcome.LOST;
                    yield Step.of(state.to(Phase.GONE, 0), new Effect.Reap(),
                            new Effect.Answer(state.intentSeq(), outcome, OwnerWord.describe(word)));
                }
                yield Step.of(state.idleAt(epoch), new Effect.ClearArmed(), new Effect.Resume(epoch),
                        new Effect.Answer(state.intentSeq(), Outcome.TAKEN_BACK, OwnerWord.describe(word)));
            }
            case FREE, CREATING, RECOVERING, RESTORING, DESTROYING, LOST ->
                Step.of(state.to(Phase.GONE, 0), new Effect.Reap(),
                        new Effect.Answer(state.intentSeq(), Outcome.LOST, OwnerWord.describe(word)));
        };
    }

    private static Step<State, Effect> abort(State state, Event.Abort abort) {
        if (inWindow(state, abort.intentSeq()) || isCopying(state, abort.intentSeq())) {
            return stay(state, "aborted by the leader");
        }
        // IDLE: nothing is armed, so the abort is final already. Later phases: the CAS decides, the leader looks.
        return Step.of(state);
    }

    private static Step<State, Effect> lapsed(State state) {
        State stale = withRight(state, false);
        return state.phase() == Phase.WINDOW || state.phase() == Phase.COPYING
                ? stay(stale, "this host's right lapsed")
                : Step.of(stale);
    }

    private static State withRight(State state, boolean fresh) {
        return new State(state.phase(), state.intentSeq(), state.epoch(), state.self(), state.target(),
                state.deadlineNs(), fresh);
    }

    private static Step<State, Effect> tick(State state, long nowNs) {
        if (nowNs - state.deadlineNs() < 0) {
            return Step.of(state);
        }
        return switch (state.phase()) {
            case WINDOW -> stay(state, LATE);
            case OFFERED -> state.rightFresh()
                    ? Step.of(state, new Effect.TakeBack(
                            OwnerWord.pack(OwnerState.OFFERED, state.target(), state.epoch()), state.epoch() + 1))
                    : Step.of(state);
            case IDLE, COPYING, QUIESCING, GONE -> Step.of(state);
        };
    }
}

package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

/// The rounds of a copy on its source, as a pure step core: when another round is sent, when the guest is stopped for
/// the rest, when it is given up. [CopySource] is the edge; `docs/page-moves.md`, Copy, says what a round is.
///
///     DRAINING -drained-> ROUND 1 -ended-> ROUND 2 ... -little is dirty-> CONVERGED -stopped-> LAST -all sent-> SENT
///         |                  |                                               |                   |
///         +------------------+-------- cancel, failure, too late ------------+-------------------+--> ENDED
///
/// Converged is, as in QEMU's pre-copy, when what is dirty can be sent within the downtime limit at the rate that was
/// measured. The rate is that of the round before; of one shorter than [#SHORT_ROUND_NS], which says little, the mean
/// of all rounds. It counts guest memory and not bytes on the wire: a page of zeros costs time too.
///
/// Times are nanoseconds of one monotonic clock. A step has at most one effect.
public final class CopyCore {
    /// A round below this is measured together with those before.
    static final long SHORT_ROUND_NS = 10_000_000;
    private static final double SECOND_NS = 1e9;

    private CopyCore() {
    }

    /// Where the copy is.
    public enum Phase {
        /// Page moves that are in flight end first.
        DRAINING,
        /// Pages are sent, the guest runs.
        ROUND,
        /// What is dirty is little enough; the guest is being stopped.
        CONVERGED,
        /// The guest stands still and the last pages are sent.
        LAST,
        /// The target has all pages and has said so. What comes now is the owner word's affair.
        SENT,
        /// Given up; the guest runs on, or may, where it was.
        ENDED
    }

    /// Why a copy was given up.
    public enum End {
        /// It was not.
        NONE,
        /// Somebody wanted it to end.
        CANCELLED,
        /// The rounds did not converge in time.
        NOT_CONVERGED,
        /// Pages could not be sent, or must not be.
        FAILED
    }

    /// Limits of a copy.
    ///
    /// @param pageBytes  bytes of a page
    /// @param downtimeNs longest time for the pages of the last round, as reckoned before it
    /// @param timeNs     longest time for all rounds before
    /// @param lastNs     after this long the last round is given up, however it was reckoned
    public record Limits(int pageBytes, long downtimeNs, long timeNs, long lastNs) {
        public Limits {
            if (pageBytes <= 0 || downtimeNs <= 0 || timeNs <= 0 || lastNs <= 0) {
                throw new IllegalArgumentException("limits must be positive: " + pageBytes + " " + downtimeNs + " "
                        + timeNs + " " + lastNs);
            }
        }
    }

    /// The state of one copy.
    ///
    /// @param round          number of the round, from 1; 0 before the first
    /// @param startedNs      when the first round began
    /// @param roundSinceNs   when this round began
    /// @param roundPages     pages of this round
    /// @param roundDone      of those, sent
    /// @param pagesSent      in all rounds
    /// @param bytesPerSecond guest memory sent per second, as measured; 0 before the first round ended
    /// @param reason         why it ended; empty when it did not
    public record State(Phase phase, Limits limits, int round, long startedNs, long roundSinceNs, long roundPages,
            long roundDone, long pagesSent, long bytesPerSecond, End end, String reason) {
        public State {
            requireNonNull(phase, "phase is null");
            requireNonNull(limits, "limits is null");
            requireNonNull(end, "end is null");
            requireNonNull(reason, "reason is null");
        }

        static State fresh(Limits limits, long nowNs) {
            return new State(Phase.DRAINING, limits, 0, nowNs, nowNs, 0, 0, 0, 0, End.NONE, "");
        }

        private State to(Phase next) {
            return new State(next, limits, round, startedNs, roundSinceNs, roundPages, roundDone, pagesSent,
                    bytesPerSecond, end, reason);
        }

        private State nextRound(Phase next, long pages, long nowNs) {
            return new State(next, limits, round + 1, startedNs, nowNs, pages, 0, pagesSent, bytesPerSecond, end,
                    reason);
        }

        private State sent(long pages) {
            return new State(phase, limits, round, startedNs, roundSinceNs, roundPages, roundDone + pages,
                    pagesSent + pages, bytesPerSecond, end, reason);
        }

        private State measured(long nowNs) {
            long roundNs = Math.max(1, nowNs - roundSinceNs);
            double rate = roundNs >= SHORT_ROUND_NS
                    ? roundDone * (double) limits.pageBytes() / roundNs
                    : pagesSent * (double) limits.pageBytes() / Math.max(1, nowNs - startedNs);
            return new State(phase, limits, round, startedNs, roundSinceNs, roundPages, roundDone, pagesSent,
                    Math.max(1, (long) (rate * SECOND_NS)), end, reason);
        }

        private State ended(End why, String text) {
            return new State(Phase.ENDED, limits, round, startedNs, roundSinceNs, roundPages, roundDone, pagesSent,
                    bytesPerSecond, why, text);
        }

        /// How long pages take at the measured rate.
        long reckonedNs(long pages) {
            return (long) (pages * (double) limits.pageBytes() * SECOND_NS / Math.max(1, bytesPerSecond));
        }
    }

    /// What may happen to a copy.
    public sealed interface Event {
        /// No page moves any more; so many are to be sent.
        record Drained(long localPages) implements Event {
        }

        /// So many more pages of the round are on their way.
        record Sent(long pages) implements Event {
        }

        /// The target has acknowledged the round; so many of its pages, or others, are dirty now.
        record RoundEnded(long dirtyPages) implements Event {
        }

        /// The guest stands still, so many pages are dirty.
        record Stopped(long dirtyPages) implements Event {
        }

        /// The target says that it has every page.
        record Sealed() implements Event {
        }

        /// Somebody wants it to end.
        record Cancel(String reason) implements Event {
        }

        /// Something does not work.
        record Failed(String reason) implements Event {
        }

        /// Time passes.
        record Tick() implements Event {
        }
    }

    /// What the edge must do.
    public enum Effect {
        /// Go on with what it does.
        NOTHING,
        /// Send a round: all local pages in the first, the dirty ones in the others.
        SEND_ROUND,
        /// Have the guest stopped.
        STOP_GUEST,
        /// Send the dirty pages of the stopped guest, and seal.
        SEND_REST,
        /// End: nothing more is sent.
        END
    }

    /// A state and what to do because of it.
    public record Step(State state, Effect effect) {
        public Step {
            requireNonNull(state, "state is null");
            requireNonNull(effect, "effect is null");
        }
    }

    /// One step. An event that the phase does not wait for changes nothing.
    public static Step step(State state, Event event, long nowNs) {
        if (state.phase() == Phase.ENDED || state.phase() == Phase.SENT) {
            return new Step(state, Effect.NOTHING);
        }
        return switch (event) {
            case Event.Cancel(String reason) -> end(state, End.CANCELLED, reason);
            case Event.Failed(String reason) -> end(state, End.FAILED, reason);
            case Event.Drained(long pages) when state.phase() == Phase.DRAINING ->
                new Step(state.nextRound(Phase.ROUND, pages, nowNs), Effect.SEND_ROUND);
            case Event.Sent(long pages) -> tick(state.sent(pages), nowNs);
            case Event.RoundEnded(long dirty) when state.phase() == Phase.ROUND -> roundEnded(state, dirty, nowNs);
            case Event.Stopped(long dirty) when state.phase() == Phase.CONVERGED ->
                new Step(state.nextRound(Phase.LAST, dirty, nowNs), Effect.SEND_REST);
            case Event.Sealed _ when state.phase() == Phase.LAST -> new Step(state.to(Phase.SENT), Effect.NOTHING);
            case Event.Tick _ -> tick(state, nowNs);
            case Event _ -> new Step(state, Effect.NOTHING);
        };
    }

    private static Step roundEnded(State state, long dirty, long nowNs) {
        State measured = state.measured(nowNs);
        if (measured.reckonedNs(dirty) <= state.limits().downtimeNs()) {
            return new Step(measured.to(Phase.CONVERGED), Effect.STOP_GUEST);
        }
        if (isLate(state, nowNs)) {
            return end(measured, End.NOT_CONVERGED, notConverged(measured, dirty));
        }
        return new Step(measured.nextRound(Phase.ROUND, dirty, nowNs), Effect.SEND_ROUND);
    }

    private static Step tick(State state, long nowNs) {
        return switch (state.phase()) {
            case DRAINING, ROUND -> isLate(state, nowNs)
                    ? end(state, End.NOT_CONVERGED, notConverged(state, state.roundPages() - state.roundDone()))
                    : new Step(state, Effect.NOTHING);
            case LAST -> nowNs - state.roundSinceNs() >= state.limits().lastNs()
                    ? end(state, End.FAILED, "the last " + state.roundPages() + " pages took longer than "
                            + state.limits().lastNs() / 1_000_000 + " ms with the guest stopped")
                    : new Step(state, Effect.NOTHING);
            case CONVERGED, SENT, ENDED -> new Step(state, Effect.NOTHING);
        };
    }

    private static boolean isLate(State state, long nowNs) {
        return nowNs - state.startedNs() >= state.limits().timeNs();
    }

    private static String notConverged(State state, long left) {
        return left + " pages were left in round " + state.round() + " after "
                + state.limits().timeNs() / 1_000_000 + " ms, at " + state.bytesPerSecond()
                + " bytes per second; a downtime limit of " + state.limits().downtimeNs() / 1_000_000
                + " ms allows " + (long) (state.bytesPerSecond() / SECOND_NS * state.limits().downtimeNs()
                        / state.limits().pageBytes());
    }

    private static Step end(State state, End why, String reason) {
        return new Step(state.ended(why, reason), Effect.END);
    }
}

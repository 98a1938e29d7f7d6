package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.HandoffState.Phase;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.region.OwnerState;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// The coordinator's part of one hand-off from A to B, as a pure step core: no thread, no socket, no ZooKeeper, no
/// clock of its own.
///
///     PREPARING --prepared--> SWITCHING --any answer, or none--> RESOLVING --word names B--> FINISHING --> CLOSING -->
///     DONE
///         |                                                       |     ^                                     ^
///         +--------------------not prepared-----------------------|-----+--word stays with A, A disarmed------+
///
/// Only the owner word decides. An answer of an agent, a time limit or a host that left ZooKeeper makes the core look
/// at the word, nothing more. An abort is final when A has answered that it holds no order of this intent any more,
/// when the word has left epoch e, or when A never got an order from anybody (PREPARING of the leader that opened the
/// intent). Until then the intent stays open, and the caller is told `MIGRATION_UNDECIDED` after a while.
///
/// A new leader starts at RESOLVING: it does not know what its predecessor ordered.
public final class HandoffOrchestration {
    private static final Set<CoordinatorError> COPY_REFUSALS = EnumSet.of(CoordinatorError.MIGRATE_NOT_CONVERGED,
            CoordinatorError.MIGRATE_PAGES_PINNED, CoordinatorError.MIGRATE_NO_TIER, CoordinatorError.MIGRATE_NO_ROOM,
            CoordinatorError.MIGRATE_COPY_FAILED);

    private HandoffOrchestration() {
    }

    /// A state and what to do because of it, in order.
    public record Step(HandoffState state, List<HandoffEffect> effects) {
        public Step {
            requireNonNull(state, "state is null");
            effects = List.copyOf(effects);
        }
    }

    /// The intent has just been opened by this leader.
    public static Step start(IntentRecord intent, HandoffTimings timings, long nowNs) {
        return start(intent, timings, 0, nowNs);
    }

    /// The same for a source that sends its pages first, and may take `sourceNs` for that. Its order is cancelled like
    /// any other; a leader that finds the intent open gives the copy up.
    public static Step start(IntentRecord intent, HandoffTimings timings, long sourceNs, long nowNs) {
        return new HandoffChange(initial(intent, timings, Phase.PREPARING, sourceNs, nowNs))
                .enter(Phase.PREPARING, nowNs, ns(timings.prepareMs())).effect(new HandoffEffect.SendPrepare()).done();
    }

    /// The intent was found open by a new leader.
    public static Step resume(IntentRecord intent, HandoffTimings timings, long nowNs) {
        return resolve(new HandoffChange(initial(intent, timings, Phase.RESOLVING, 0, nowNs)), timings, nowNs,
                "the coordinator that began the hand-off does not lead any more");
    }

    private static HandoffState initial(IntentRecord intent, HandoffTimings timings, Phase phase, long sourceNs,
            long nowNs) {
        return new HandoffState(intent, timings, phase, nowNs, nowNs, nowNs, 0, false, false, false, false, false, "",
                0, 0, sourceNs, Optional.empty(), Optional.empty(), Optional.empty());
    }

    private static long ns(int milliseconds) {
        return TimeUnit.MILLISECONDS.toNanos(milliseconds);
    }

    private static HandoffResult aborted(String why) {
        return HandoffResult.of(CoordinatorError.MIGRATION_ABORTED, why);
    }

    /// What an agent says under a name of this module's reaches the caller under that name.
    private static HandoffResult said(String code, String text, String what) {
        return COPY_REFUSALS.stream().filter(known -> known.name().equals(code)).findFirst()
                .map(known -> HandoffResult.of(known, text)).orElseGet(() -> aborted(what + code + " " + text));
    }

    /// One step. An event that the phase does not wait for changes nothing: it is the late answer to an effect that the
    /// core has given up on.
    public static Step step(HandoffState state, HandoffEvent event, long nowNs) {
        requireNonNull(event, "event is null");
        HandoffChange change = new HandoffChange(state);
        if (state.phase() == Phase.DONE) {
            return change.done();
        }
        return switch (event) {
            case HandoffEvent.TermEnded _ -> change.enter(Phase.DONE, nowNs, 0)
                    .answer(HandoffResult.of(CoordinatorError.TERM_ENDED, "this coordinator does not lead any more;"
                            + " its successor brings the hand-off to its end"), nowNs)
                    .done();
            case HandoffEvent.HostGone(HandoffSide side) -> hostGone(state, change.gone(side, true), side, nowNs);
            case HandoffEvent.HostBack(HandoffSide side) -> change.gone(side, false).done();
            case HandoffEvent.Tick _ -> nowNs - state.wakeNs() < 0 ? change.done() : tick(state, change, nowNs);
            case HandoffEvent.CancelAsked _ -> cancelAsked(state, change, nowNs);
            case HandoffEvent.Prepared _ when state.phase() == Phase.PREPARING ->
                change.prepared(nowNs - state.startedNs())
                        .enter(Phase.SWITCHING, nowNs, ns(state.timings().switchMs()) + state.sourceNs())
                        .effect(new HandoffEffect.SendSwitch()).done();
            case HandoffEvent.PrepareFailed(String code, String text) when state.phase() == Phase.PREPARING ->
                giveUpPreparing(state, change, nowNs, said(code, text, "the target could not prepare: "));
            case HandoffEvent.Switched(HandoffReport report) when state.phase() == Phase.SWITCHING ->
                switched(state, change.measured(report), report, nowNs);
            case HandoffEvent.SwitchFailed(String code, String text) when state.phase() == Phase.SWITCHING ->
                change.cause(said(code, text, "the source could not switch: "))
                        .enter(Phase.RESOLVING, nowNs, ns(state.timings().retryMs())).readOwner().done();
            case HandoffEvent.OwnerRead(long ticket, OwnerSnapshot owner) when state.phase() == Phase.RESOLVING
                    && ticket == state.ticket() ->
                judged(state, change.owner(owner), owner, nowNs);
            case HandoffEvent.Cancelled(HandoffSide side, boolean armed) when state.phase() == Phase.RESOLVING
                    && side == HandoffSide.SOURCE && !armed ->
                // A may have switched before it cleared its mark: the word is read once more, and only a reading that
                // begins after this answer counts.
                change.disarmed().readOwner().done();
            case HandoffEvent.Finished _ when state.phase() == Phase.FINISHING -> close(state, change, nowNs);
            case HandoffEvent.FinishFailed _ when state.phase() == Phase.FINISHING ->
                change.wakeAt(nowNs + ns(state.timings().retryMs())).done();
            case HandoffEvent.Closed _ when state.phase() == Phase.CLOSING -> closed(state, change, nowNs);
            case HandoffEvent.CloseFailed _ when state.phase() == Phase.CLOSING ->
                change.wakeAt(nowNs + ns(state.timings().retryMs())).done();
            case HandoffEvent _ -> change.done();
        };
    }

    private static Step hostGone(HandoffState state, HandoffChange change, HandoffSide side, long nowNs) {
        return switch (state.phase()) {
            case PREPARING -> giveUpPreparing(state, change, nowNs, side == HandoffSide.SOURCE
                    ? HandoffResult.of(CoordinatorError.OWNER_HOST_DEAD, "the source left ZooKeeper")
                    : HandoffResult.of(CoordinatorError.HOST_DEAD, "the target left ZooKeeper"));
            case SWITCHING -> resolve(change, state.timings(), nowNs, "the " + side + " left ZooKeeper");
            case FINISHING -> side == HandoffSide.SOURCE ? close(state, change, nowNs) : change.done();
            case RESOLVING, CLOSING, DONE -> change.done();
        };
    }

    private static Step tick(HandoffState state, HandoffChange change, long nowNs) {
        HandoffTimings timings = state.timings();
        return switch (state.phase()) {
            case PREPARING -> giveUpPreparing(state, change, nowNs, aborted("the target was not ready in time"));
            case SWITCHING -> resolve(change, timings, nowNs, "the source did not answer in time");
            case RESOLVING -> {
                if (nowNs - state.phaseSinceNs() >= ns(timings.switchMs())) {
                    change.answer(HandoffResult.of(CoordinatorError.MIGRATION_UNDECIDED,
                            "the hand-off is not decided yet; its intent stays open until it is"), nowNs);
                }
                yield change.wakeAt(nowNs + ns(timings.retryMs())).readOwner().done();
            }
            case FINISHING ->
                change.wakeAt(nowNs + ns(timings.finishMs())).effect(new HandoffEffect.SendFinish()).done();
            case CLOSING -> close(state, change, nowNs);
            case DONE -> change.done();
        };
    }

    /// An order that A has already is taken back as any other that is given up: the owner word decides.
    private static Step cancelAsked(HandoffState state, HandoffChange change, long nowNs) {
        HandoffResult why = HandoffResult.of(CoordinatorError.MIGRATION_CANCELLED, "the migration was cancelled");
        return switch (state.phase()) {
            case PREPARING -> giveUpPreparing(state, change, nowNs, why);
            case SWITCHING -> change.cause(why).enter(Phase.RESOLVING, nowNs, ns(state.timings().retryMs())).readOwner()
                    .done();
            case RESOLVING, FINISHING, CLOSING, DONE -> change.done();
        };
    }

    /// Nobody has ordered A to do anything for this intent, so there is nothing to disarm. B is told once; should it
    /// not hear it, it holds a preparation that no source will ever use.
    private static Step giveUpPreparing(HandoffState state, HandoffChange change, long nowNs, HandoffResult why) {
        return change.cause(why).disarmed().releaseTarget()
                .enter(Phase.RESOLVING, nowNs, ns(state.timings().retryMs())).readOwner().done();
    }

    private static Step switched(HandoffState state, HandoffChange change, HandoffReport report, long nowNs) {
        if (report.outcome() != HandoffOutcome.COMPLETED) {
            return resolve(change, state.timings(), nowNs, "the source ended it: " + report.outcome());
        }
        return change.enter(Phase.RESOLVING, nowNs, ns(state.timings().retryMs())).readOwner().done();
    }

    private static Step resolve(HandoffChange change, HandoffTimings timings, long nowNs, String why) {
        return change.cause(aborted(why)).enter(Phase.RESOLVING, nowNs, ns(timings.retryMs())).readOwner().done();
    }

    private static Step judged(HandoffState state, HandoffChange change, OwnerSnapshot owner, long nowNs) {
        return switch (OwnerVerdict.of(state.intent(), owner)) {
            case SWITCHED -> {
                change.switchSeen(nowNs);
                yield state.sourceGone()
                        ? close(state, change, nowNs)
                        : change.enter(Phase.FINISHING, nowNs, ns(state.timings().finishMs()))
                                .effect(new HandoffEffect.SendFinish()).done();
            }
            case STAYED -> close(state, change.releaseTarget(), nowNs);
            case STALE -> close(state,
                    change.cause(aborted("the owner word tells another story: " + owner.describe())).releaseTarget(),
                    nowNs);
            case NOT_SWITCHED ->
                state.disarmed() ? close(state, change.releaseTarget(), nowNs) : disarm(state, change, nowNs);
            case IN_FLIGHT -> inFlight(state, change, owner, nowNs);
        };
    }

    private static Step disarm(HandoffState state, HandoffChange change, long nowNs) {
        if (state.sourceGone()) {
            // A may be alive and about to go on, and nobody else may touch its word. B forgets, so A finds nobody to
            // offer to.
            change.releaseTarget().note(CoordinatorError.OWNER_HOST_DEAD.name()).answer(HandoffResult
                    .of(CoordinatorError.OWNER_HOST_DEAD, "the source left ZooKeeper before the switch"), nowNs);
        }
        return change.effect(new HandoffEffect.SendCancel(HandoffSide.SOURCE))
                .wakeAt(nowNs + ns(state.timings().retryMs())).done();
    }

    private static Step inFlight(HandoffState state, HandoffChange change, OwnerSnapshot owner, long nowNs) {
        boolean namedGone = owner.slot() == state.intent().toSlot() ? state.targetGone() : state.sourceGone();
        boolean otherCanAct = owner.state() == OwnerState.OFFERED && owner.slot() == state.intent().toSlot()
                && !state.sourceGone();
        if (namedGone && !otherCanAct) {
            change.note(CoordinatorError.OWNER_HOST_DEAD.name()).answer(HandoffResult.of(
                    CoordinatorError.OWNER_HOST_DEAD, "the host that acts next left ZooKeeper: " + owner.describe()),
                    nowNs);
        }
        boolean offeredToLiveTarget = owner.state() == OwnerState.OFFERED && owner.slot() == state.intent().toSlot()
                && !state.targetGone();
        if (offeredToLiveTarget && nowNs - state.phaseSinceNs() >= 2L * ns(state.timings().retryMs())) {
            // B may have forgotten its preparation before the offer came (it was told to, or its lifetime was over),
            // and then nobody looks at the word. For a B that is prepared this changes nothing.
            change.prepareAgain();
        }
        return change.wakeAt(nowNs + ns(state.timings().retryMs())).done();
    }

    private static Step close(HandoffState state, HandoffChange change, long nowNs) {
        HandoffState changed = change.done().state();
        Optional<OwnerSnapshot> owner = changed.owner();
        boolean atDeadSource = changed.sourceGone()
                && owner.filter(word -> word.names(state.intent().fromSlot())).isPresent();
        boolean atDeadTarget = changed.targetGone()
                && owner.filter(word -> word.names(state.intent().toSlot())).isPresent();
        return change.enter(Phase.CLOSING, nowNs, ns(state.timings().finishMs()))
                .effect(new HandoffEffect.Close(owner,
                        atDeadSource || atDeadTarget ? CoordinatorError.OWNER_HOST_DEAD.name() : ""))
                .done();
    }

    private static Step closed(HandoffState state, HandoffChange change, long nowNs) {
        boolean switched = state.owner()
                .filter(owner -> OwnerVerdict.of(state.intent(), owner) == OwnerVerdict.SWITCHED).isPresent();
        return change.enter(Phase.DONE, nowNs, 0)
                .answer(switched
                        ? HandoffResult.SUCCESS
                        : state.cause().orElseGet(() -> aborted("the VM stayed at its source")), nowNs)
                .done();
    }
}

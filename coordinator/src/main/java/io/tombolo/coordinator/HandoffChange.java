package io.tombolo.coordinator;

import io.tombolo.coordinator.HandoffOrchestration.Step;
import io.tombolo.coordinator.HandoffState.Phase;
import io.tombolo.coordinator.wire.HandoffReport;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The next [HandoffState] under construction, with the effects of the step. Lives for one step.
final class HandoffChange {
    private final HandoffState old;
    private final List<HandoffEffect> effects = new ArrayList<>();
    private Phase phase;
    private long phaseSinceNs;
    private long wakeNs;
    private long ticket;
    private boolean disarmed;
    private boolean targetReleased;
    private boolean sourceGone;
    private boolean targetGone;
    private boolean reported;
    private String noted;
    private long prepareNs;
    private long finishSinceNs;
    private Optional<HandoffResult> cause;
    private Optional<HandoffReport> report;
    private Optional<OwnerSnapshot> owner;

    HandoffChange(HandoffState old) {
        this.old = old;
        phase = old.phase();
        phaseSinceNs = old.phaseSinceNs();
        wakeNs = old.wakeNs();
        ticket = old.ticket();
        disarmed = old.disarmed();
        targetReleased = old.targetReleased();
        sourceGone = old.sourceGone();
        targetGone = old.targetGone();
        reported = old.reported();
        noted = old.noted();
        prepareNs = old.prepareNs();
        finishSinceNs = old.finishSinceNs();
        cause = old.cause();
        report = old.report();
        owner = old.owner();
    }

    HandoffChange enter(Phase next, long nowNs, long waitNs) {
        phase = next;
        phaseSinceNs = nowNs;
        wakeNs = nowNs + waitNs;
        return this;
    }

    HandoffChange wakeAt(long atNs) {
        wakeNs = atNs;
        return this;
    }

    HandoffChange effect(HandoffEffect effect) {
        effects.add(effect);
        return this;
    }

    HandoffChange readOwner() {
        ticket++;
        return effect(new HandoffEffect.ReadOwner(ticket));
    }

    HandoffChange owner(OwnerSnapshot read) {
        owner = Optional.of(read);
        return this;
    }

    HandoffChange disarmed() {
        disarmed = true;
        return this;
    }

    HandoffChange gone(HandoffSide side, boolean gone) {
        switch (side) {
            case SOURCE -> sourceGone = gone;
            case TARGET -> targetGone = gone;
        }
        return this;
    }

    /// Tells B once to forget its preparation, if it is there to be told.
    HandoffChange releaseTarget() {
        if (!targetReleased && !targetGone) {
            targetReleased = true;
            effects.add(new HandoffEffect.SendCancel(HandoffSide.TARGET));
        }
        return this;
    }

    /// Lets B prepare once more for this intent; it has to be told to forget that too.
    HandoffChange prepareAgain() {
        targetReleased = false;
        return effect(new HandoffEffect.SendPrepare());
    }

    /// The first cause is the one that the caller is told.
    HandoffChange cause(HandoffResult why) {
        cause = cause.or(() -> Optional.of(why));
        return this;
    }

    HandoffChange measured(HandoffReport measured) {
        report = Optional.of(measured);
        return this;
    }

    HandoffChange prepared(long durationNs) {
        prepareNs = durationNs;
        return this;
    }

    HandoffChange switchSeen(long nowNs) {
        finishSinceNs = nowNs;
        return this;
    }

    /// Writes a reason to the VM's record, unless it is there already.
    HandoffChange note(String reason) {
        if (!noted.equals(reason)) {
            noted = reason;
            effects.add(new HandoffEffect.Note(reason));
        }
        return this;
    }

    /// Answers the caller, unless it was answered.
    HandoffChange answer(HandoffResult result, long nowNs) {
        if (!reported) {
            reported = true;
            long commitNs = finishSinceNs == 0 ? 0 : nowNs - finishSinceNs;
            effects.add(new HandoffEffect.Report(result,
                    report.map(measured -> measured.withCoordinatorPhases(prepareNs, commitNs))));
        }
        return this;
    }

    Step done() {
        return new Step(new HandoffState(old.intent(), old.timings(), phase, old.startedNs(), phaseSinceNs, wakeNs,
                ticket, disarmed, targetReleased, sourceGone, targetGone, reported, noted, prepareNs, finishSinceNs,
                old.sourceNs(), cause, report, owner), effects);
    }
}

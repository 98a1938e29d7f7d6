package io.tombolo.coordinator;

import io.tombolo.coordinator.TransitOrchestration.Step;
import io.tombolo.coordinator.TransitState.Phase;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The next [TransitState] under construction, with the effects of the step. Lives for one step.
final class TransitChange {
    final TransitPlan plan;
    Phase phase;
    boolean cancelled;
    List<Reply.PinnedRange> pins;
    PageRuns local;
    PageRuns work;
    PageRuns busy;
    long next;
    long moved;
    long pagesToShared;
    long toSharedNs;
    long pagesToLocal;
    long toLocalNs;
    Optional<HandoffReport> report;
    Optional<TomboloException> failure;

    private final List<TransitEffect> effects = new ArrayList<>();
    private final long startedNs;
    private long phaseSinceNs;
    private long progressNs;
    private long wakeNs;
    private boolean waiting;
    private long endedNs;

    TransitChange(TransitState old) {
        plan = old.plan();
        phase = old.phase();
        startedNs = old.startedNs();
        phaseSinceNs = old.phaseSinceNs();
        progressNs = old.progressNs();
        wakeNs = old.wakeNs();
        waiting = old.waiting();
        cancelled = old.cancelled();
        pins = old.pins();
        local = old.local();
        work = old.work();
        busy = old.busy();
        next = old.next();
        moved = old.moved();
        pagesToShared = old.pagesToShared();
        toSharedNs = old.toSharedNs();
        pagesToLocal = old.pagesToLocal();
        toLocalNs = old.toLocalNs();
        endedNs = old.endedNs();
        report = old.report();
        failure = old.failure();
    }

    TransitChange enter(Phase into, long nowNs) {
        phase = into;
        phaseSinceNs = nowNs;
        progressNs = nowNs;
        next = 0;
        moved = 0;
        work = local;
        busy = PageRuns.NONE;
        return this;
    }

    /// The effect that was waited for is answered.
    TransitChange answered() {
        waiting = false;
        return this;
    }

    TransitChange effect(TransitEffect effect) {
        effects.add(effect);
        waiting = true;
        return this;
    }

    /// An effect that nobody answers.
    TransitChange aside(TransitEffect effect) {
        effects.add(effect);
        return this;
    }

    TransitChange progressed(long nowNs) {
        progressNs = nowNs;
        return this;
    }

    TransitChange wakeAt(long atNs) {
        wakeNs = atNs;
        return this;
    }

    long phaseNs(long nowNs) {
        return nowNs - phaseSinceNs;
    }

    long stuckNs(long nowNs) {
        return nowNs - progressNs;
    }

    /// The end of either direction, however far it came.
    TransitChange count(long nowNs) {
        if (phase == Phase.TO_SHARED) {
            pagesToShared = moved;
            toSharedNs = phaseNs(nowNs);
        } else if (phase == Phase.TO_LOCAL) {
            pagesToLocal = moved;
            toLocalNs = phaseNs(nowNs);
        }
        return this;
    }

    Step end(Optional<TomboloException> why, long nowNs) {
        count(nowNs);
        failure = why;
        phase = Phase.DONE;
        waiting = false;
        endedNs = nowNs;
        return done();
    }

    Step done() {
        return new Step(new TransitState(plan, phase, startedNs, phaseSinceNs, progressNs, wakeNs, waiting, cancelled,
                pins, local, work, busy, next, moved, pagesToShared, toSharedNs, pagesToLocal, toLocalNs, endedNs,
                report, failure), effects);
    }
}

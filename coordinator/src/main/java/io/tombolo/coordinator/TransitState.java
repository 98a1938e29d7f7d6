package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.MigratePhase;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.MoveReport;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.Optional;

/// Everything that [TransitOrchestration] remembers of one transit. Immutable; times are of the injected clock.
///
/// @param plan          what is to be done
/// @param phase         where it is
/// @param startedNs     when it began
/// @param phaseSinceNs  when the phase began
/// @param progressNs    when a page was moved or a call answered last, in this phase
/// @param wakeNs        when to send [TransitEvent.Tick]; without meaning while `waiting`
/// @param waiting       whether an effect is unanswered
/// @param cancelled     whether somebody wants it to end
/// @param pins          pinned ranges at the source
/// @param local         pages that were local before
/// @param work          pages to move in this pass
/// @param busy          pages of this pass that were refused for the moment
/// @param next          page number from which on the pass goes on
/// @param moved         pages moved in this phase
/// @param pagesToShared result of the first direction
/// @param toSharedNs    its duration
/// @param pagesToLocal  result of the second direction
/// @param toLocalNs     its duration
/// @param endedNs       when it was done
/// @param report        what the hand-off cost
/// @param failure       why it ended otherwise
public record TransitState(TransitPlan plan, Phase phase, long startedNs, long phaseSinceNs, long progressNs,
        long wakeNs, boolean waiting, boolean cancelled, List<Reply.PinnedRange> pins, PageRuns local, PageRuns work,
        PageRuns busy, long next, long moved, long pagesToShared, long toSharedNs, long pagesToLocal, long toLocalNs,
        long endedNs, Optional<HandoffReport> report, Optional<TomboloException> failure) {
    public TransitState {
        requireNonNull(plan, "plan is null");
        requireNonNull(phase, "phase is null");
        pins = List.copyOf(pins);
        requireNonNull(local, "local is null");
        requireNonNull(work, "work is null");
        requireNonNull(busy, "busy is null");
        requireNonNull(report, "report is null");
        requireNonNull(failure, "failure is null");
    }

    /// Where a transit is.
    public enum Phase {
        /// The source is asked for its pins.
        PINS,
        /// The source is asked where the pages are.
        QUERY,
        /// The target is asked for the room in its local tier.
        TARGET_ROOM,
        /// The source is asked for the room in the region.
        SHARED_ROOM,
        /// Local pages go to shared memory, at the source.
        TO_SHARED,
        /// The VM changes hands.
        HANDOFF,
        /// As many pages as were local before become local again, at the target.
        TO_LOCAL,
        /// Nothing is left to do.
        DONE
    }

    /// What the caller of a migration is told of the pages.
    MoveReport moveReport() {
        return new MoveReport(MigrateMode.TRANSIT, pagesToShared, pagesToLocal,
                (pagesToShared + pagesToLocal) * plan.pageBytes(), toSharedNs, toLocalNs, endedNs - startedNs);
    }

    /// What somebody who watches is told.
    Reply.MigrateProgress progress(long nowNs) {
        return switch (phase) {
            case PINS, QUERY, TARGET_ROOM, SHARED_ROOM -> new Reply.MigrateProgress(MigratePhase.PREPARE, 0, 0, 0);
            case TO_SHARED -> moving(MigratePhase.TO_SHARED, nowNs);
            case HANDOFF -> new Reply.MigrateProgress(MigratePhase.HANDOFF, 0, 0, 0);
            case TO_LOCAL -> moving(MigratePhase.TO_LOCAL, nowNs);
            case DONE -> new Reply.MigrateProgress(report.isPresent() ? MigratePhase.TO_LOCAL : MigratePhase.TO_SHARED,
                    moved, local.pages(), 0);
        };
    }

    private Reply.MigrateProgress moving(MigratePhase as, long nowNs) {
        double seconds = Math.max(1, nowNs - phaseSinceNs) / 1e9;
        return new Reply.MigrateProgress(as, moved, local.pages(),
                (long) (moved * (double) plan.pageBytes() / seconds));
    }
}

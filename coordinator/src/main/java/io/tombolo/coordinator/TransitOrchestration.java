package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.TransitState.Phase;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.MigratePhase;
import io.tombolo.coordinator.wire.PageStatus;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TierStatus;
import io.tombolo.region.Tier;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.Optional;

/// A transit from A to B as a pure step core: no thread, no socket, no clock of its own.
///
///     PINS -> QUERY -> TARGET_ROOM -> SHARED_ROOM -> TO_SHARED -> HANDOFF -> TO_LOCAL -> DONE
///               |                                                ^   |
///               +----------------- no page is local -------------+   +-- no page was local --> DONE
///
/// Nothing of it has to be undone: until HANDOFF the VM runs on A with some pages shared, after it on B with some pages
/// shared, and both are whole VMs. So a cancel, a failure and the death of the leader all end it where it is, and the
/// command can be given again. Before HANDOFF what goes wrong is a failure; after it the migration has succeeded, and
/// pages that could not become local stay shared.
///
/// At most one call is under way. Pages that are busy (EBUSY) are asked for again in a further pass over those alone,
/// until they have moved or nothing has moved for a while.
public final class TransitOrchestration {
    private TransitOrchestration() {
    }

    /// A state and what to do because of it, in order.
    public record Step(TransitState state, List<TransitEffect> effects) {
        public Step {
            requireNonNull(state, "state is null");
            effects = List.copyOf(effects);
        }
    }

    /// Begins.
    public static Step start(TransitPlan plan, long nowNs) {
        return ask(new TransitChange(new TransitState(plan, Phase.PINS, nowNs, nowNs, nowNs, nowNs, false, false,
                List.of(), PageRuns.NONE, PageRuns.NONE, PageRuns.NONE, 0, 0, 0, 0, 0, 0, 0, Optional.empty(),
                Optional.empty())));
    }

    /// One step. An event that the phase does not wait for changes nothing.
    public static Step step(TransitState state, TransitEvent event, long nowNs) {
        requireNonNull(event, "event is null");
        TransitChange change = new TransitChange(state);
        if (state.phase() == Phase.DONE) {
            return change.done();
        }
        return switch (event) {
            case TransitEvent.TermEnded _ -> change.end(Optional.of(TomboloException
                    .error(CoordinatorError.TERM_ENDED, "this coordinator does not lead any more")
                    .fact("vm", state.plan().vm()).fact("phase", name(state))
                    .next("nothing has to be undone; give the command again").build()), nowNs);
            case TransitEvent.Cancel _ -> cancel(state, change, nowNs);
            case TransitEvent.Tick _ when !state.waiting() && nowNs - state.wakeNs() >= 0 -> ask(change);
            case TransitEvent.HandedOver handed when state.phase() == Phase.HANDOFF -> {
                change.answered().report = Optional.of(handed.report());
                yield handedOver(state, change, nowNs);
            }
            case TransitEvent.HandoffFailed failed when state.phase() == Phase.HANDOFF ->
                change.end(Optional.of(state.cancelled() && stayed(failed.why())
                        ? cancelled(state, state.plan().from())
                        : failed.why()), nowNs);
            case TransitEvent _ when !state.waiting() || state.phase() == Phase.HANDOFF -> change.done();
            case TransitEvent.CallFailed(TomboloException why) -> callFailed(state, change.answered(), why, nowNs);
            case TransitEvent.Pins(List<Reply.PinnedRange> ranges) when state.phase() == Phase.PINS -> {
                change.answered().pins = ranges;
                yield state.cancelled()
                        ? endCancelled(state, change, nowNs)
                        : ask(change.enter(Phase.QUERY, nowNs));
            }
            case TransitEvent.Tiers(List<TierStatus> tiers) when state.phase() == Phase.TARGET_ROOM ->
                targetRoom(state, change.answered(), tiers, nowNs);
            case TransitEvent.Tiers(List<TierStatus> tiers) when state.phase() == Phase.SHARED_ROOM ->
                sharedRoom(state, change.answered(), tiers, nowNs);
            case TransitEvent.Moved(Reply.PagesMoved reply) when state.phase() == Phase.QUERY ->
                queried(state, change.answered(), reply, nowNs);
            case TransitEvent.Moved(Reply.PagesMoved reply) when state.phase() == Phase.TO_SHARED
                    || state.phase() == Phase.TO_LOCAL ->
                moved(state, change.answered(), reply, nowNs);
            case TransitEvent _ -> change.done();
        };
    }

    /// What the phase waits for next.
    private static Step ask(TransitChange change) {
        TransitPlan plan = change.plan;
        return switch (change.phase) {
            case PINS -> change.effect(new TransitEffect.AskPins(plan.from())).done();
            case QUERY -> change.effect(new TransitEffect.Move(plan.from(), change.next, plan.chunkPages(),
                    AgentRequest.MovePages.QUERY)).done();
            case TARGET_ROOM -> change.effect(new TransitEffect.AskTiers(plan.to())).done();
            case SHARED_ROOM -> change.effect(new TransitEffect.AskTiers(plan.from())).done();
            case TO_SHARED -> askMove(change, plan.from(), Tier.SHARED);
            case HANDOFF -> change.effect(new TransitEffect.HandOver()).done();
            case TO_LOCAL -> askMove(change, plan.to(), Tier.LOCAL);
            case DONE -> change.done();
        };
    }

    private static Step askMove(TransitChange change, String host, Tier tier) {
        PageRuns.Run run = change.work.next(change.next, change.plan.chunkPages()).orElseThrow();
        return change.effect(new TransitEffect.Move(host, run.first(), (int) run.count(), tier.code())).done();
    }

    // ---- cancel

    private static Step cancel(TransitState state, TransitChange change, long nowNs) {
        if (state.cancelled()) {
            return change.done();
        }
        change.cancelled = true;
        if (state.phase() == Phase.HANDOFF) {
            return change.aside(new TransitEffect.CancelHandOver()).done();
        }
        // The call that is under way ends by its budget; its answer ends the transit.
        return state.waiting() ? change.done() : endCancelled(state, change, nowNs);
    }

    private static Step endCancelled(TransitState state, TransitChange change, long nowNs) {
        boolean there = change.report.isPresent();
        return change.end(Optional.of(cancelled(state, there ? state.plan().to() : state.plan().from())), nowNs);
    }

    private static TomboloException cancelled(TransitState state, String host) {
        return TomboloException.error(CoordinatorError.MIGRATION_CANCELLED, "the migration was cancelled")
                .fact("vm", state.plan().vm()).fact("phase", name(state)).fact("host", host)
                .next("the VM runs on " + host + "; give the command again to go on").build();
    }

    /// Whether the hand-off is known to have left the VM where it was.
    private static boolean stayed(TomboloException why) {
        return !why.code().name().equals(CoordinatorError.MIGRATION_UNDECIDED.name())
                && !why.code().name().equals(CoordinatorError.TERM_ENDED.name());
    }

    private static String name(TransitState state) {
        MigratePhase phase = state.progress(0).phase();
        return phase.text();
    }

    // ---- preflight

    private static Step queried(TransitState state, TransitChange change, Reply.PagesMoved reply, long nowNs) {
        if (state.cancelled()) {
            return endCancelled(state, change, nowNs);
        }
        if (reply.done() <= 0 || reply.done() > reply.status().length()) {
            return callFailed(state, change, noPages(state), nowNs);
        }
        PageRuns.Builder local = new PageRuns.Builder(state.local());
        for (int i = 0; i < reply.done(); i++) {
            if (reply.status().at(i) == Tier.LOCAL.code()) {
                long page = state.next() + i;
                if (isPinned(state.pins(), page)) {
                    return change.end(Optional.of(pinned(state, page)), nowNs);
                }
                local.add(page);
            }
        }
        change.local = local.build();
        change.next = state.next() + reply.done();
        change.progressed(nowNs);
        if (change.next < reply.vmPages()) {
            return ask(change);
        }
        return ask(change.enter(change.local.isEmpty() ? Phase.HANDOFF : Phase.TARGET_ROOM, nowNs));
    }

    private static boolean isPinned(List<Reply.PinnedRange> pins, long page) {
        return pins.stream().anyMatch(range -> page >= range.firstPage() && page - range.firstPage() < range.count());
    }

    private static TomboloException pinned(TransitState state, long page) {
        Reply.PinnedRange range = state.pins().stream().filter(one -> isPinned(List.of(one), page)).findFirst()
                .orElseThrow();
        String text = range.firstPage() + "-" + (range.firstPage() + range.count() - 1);
        return TomboloException
                .error(CoordinatorError.MIGRATE_PAGES_PINNED, "a page in the host's own memory is pinned there")
                .fact("vm", state.plan().vm()).fact("page", page).fact("range", text).fact("pins", range.pins())
                .next("tombolo pages unpin " + state.plan().vm() + " " + text).build();
    }

    private static TomboloException noPages(TransitState state) {
        return TomboloException
                .error(CoordinatorError.MIGRATE_PAGES_STUCK, "the agent answered without having handled a page")
                .fact("vm", state.plan().vm()).fact("page", state.next()).next("read the log of the agent").build();
    }

    private static Step targetRoom(TransitState state, TransitChange change, List<TierStatus> tiers, long nowNs) {
        if (state.cancelled()) {
            return endCancelled(state, change, nowNs);
        }
        TransitPlan plan = state.plan();
        Optional<TierStatus> tier = tier(tiers, Tier.LOCAL).filter(one -> one.bytes() > 0);
        if (tier.isEmpty()) {
            return change.end(Optional.of(TomboloException
                    .error(CoordinatorError.MIGRATE_NO_TIER, "the target host has no memory of its own for pages")
                    .fact("vm", plan.vm()).fact("host", plan.to()).fact("localPages", state.local().pages())
                    .next("choose another host, give it a local tier (localTier.bytes), or make the VM's pages shared:"
                            + " tombolo pages move " + plan.vm() + " all --to shared")
                    .build()), nowNs);
        }
        return room(state, tier.get(), plan.to())
                .map(full -> change.end(Optional.of(full), nowNs))
                .orElseGet(() -> ask(change.enter(Phase.SHARED_ROOM, nowNs)));
    }

    private static Step sharedRoom(TransitState state, TransitChange change, List<TierStatus> tiers, long nowNs) {
        if (state.cancelled()) {
            return endCancelled(state, change, nowNs);
        }
        return tier(tiers, Tier.SHARED).flatMap(tier -> room(state, tier, state.plan().from()))
                .map(full -> change.end(Optional.of(full), nowNs))
                .orElseGet(() -> ask(change.enter(Phase.TO_SHARED, nowNs)));
    }

    private static Optional<TierStatus> tier(List<TierStatus> tiers, Tier kind) {
        return tiers.stream().filter(tier -> tier.type().equals(kind.name())).findFirst();
    }

    private static Optional<TomboloException> room(TransitState state, TierStatus tier, String host) {
        long needed = state.local().pages() * state.plan().pageBytes();
        return needed <= tier.freeBytes()
                ? Optional.empty()
                : Optional.of(TomboloException
                        .error(CoordinatorError.MIGRATE_NO_ROOM, "a tier has not enough room for the VM's local pages")
                        .fact("vm", state.plan().vm()).fact("host", host).fact("tier", tier.name())
                        .fact("neededBytes", needed).fact("freeBytes", tier.freeBytes())
                        .next("nothing was moved; make room (tombolo tier list) and give the command again").build());
    }

    // ---- moving

    private static Step moved(TransitState state, TransitChange change, Reply.PagesMoved reply, long nowNs) {
        boolean toShared = state.phase() == Phase.TO_SHARED;
        PageRuns.Run asked = state.work().next(state.next(), state.plan().chunkPages()).orElseThrow();
        if (reply.done() <= 0 || reply.done() > Math.min(asked.count(), reply.status().length())) {
            return callFailed(state, change, noPages(state), nowNs);
        }
        int target = (toShared ? Tier.SHARED : Tier.LOCAL).code();
        PageRuns.Builder busy = new PageRuns.Builder(state.busy());
        int refused = 0;
        long refusedPage = 0;
        for (int i = 0; i < reply.done(); i++) {
            int status = reply.status().at(i);
            if (status == target) {
                change.moved++;
            } else if (status == PageStatus.EBUSY) {
                busy.add(asked.first() + i);
            } else if (status != PageStatus.ENOENT && (refused == 0 || status == PageStatus.ENOMEM)) {
                refused = status;
                refusedPage = asked.first() + i;
            }
        }
        change.busy = busy.build();
        change.next = asked.first() + reply.done();
        if (change.moved > state.moved()) {
            change.progressed(nowNs);
        }
        if (state.cancelled()) {
            return endCancelled(state, change, nowNs);
        }
        if (refused != 0) {
            return toShared
                    ? change.end(Optional.of(notMoved(change, refused, refusedPage)), nowNs)
                    : end(change, nowNs);
        }
        return goOn(change, nowNs);
    }

    private static Step goOn(TransitChange change, long nowNs) {
        boolean toShared = change.phase == Phase.TO_SHARED;
        boolean passDone = change.work.next(change.next, 1).isEmpty();
        if (passDone && change.busy.isEmpty()) {
            return toShared ? ask(change.count(nowNs).enter(Phase.HANDOFF, nowNs)) : end(change, nowNs);
        }
        if (change.phaseNs(nowNs) >= change.plan.moveNs()) {
            return toShared ? change.end(Optional.of(tooLong(change)), nowNs) : end(change, nowNs);
        }
        if (!passDone) {
            return ask(change);
        }
        if (change.stuckNs(nowNs) >= change.plan.stuckNs()) {
            return toShared
                    ? change.end(Optional.of(notMoved(change, PageStatus.EBUSY, change.busy.runs().getFirst().first())),
                            nowNs)
                    : end(change, nowNs);
        }
        change.work = change.busy;
        change.busy = PageRuns.NONE;
        change.next = 0;
        return change.wakeAt(nowNs + change.plan.retryNs()).done();
    }

    /// What could not become local stays shared, and the report says so.
    private static Step end(TransitChange change, long nowNs) {
        return change.end(Optional.empty(), nowNs);
    }

    private static Step handedOver(TransitState state, TransitChange change, long nowNs) {
        if (state.cancelled()) {
            return endCancelled(state, change, nowNs);
        }
        return state.local().isEmpty() ? end(change, nowNs) : ask(change.enter(Phase.TO_LOCAL, nowNs));
    }

    private static TomboloException notMoved(TransitChange change, int status, long page) {
        boolean full = status == PageStatus.ENOMEM;
        return TomboloException
                .error(full ? CoordinatorError.MIGRATE_NO_ROOM : CoordinatorError.MIGRATE_PAGES_STUCK,
                        full ? "shared memory is full half way" : "a page does not leave the host's own memory")
                .fact("vm", change.plan.vm()).fact("host", change.plan.from()).fact("page", page)
                .fact("errno", PageStatus.text(status)).fact("moved", change.moved)
                .fact("left", change.local.pages() - change.moved)
                .next("the VM runs on " + change.plan.from() + " and what moved stays shared; "
                        + (full ? "make room in the region" : "find out what holds the page")
                        + " and give the command again")
                .build();
    }

    private static TomboloException tooLong(TransitChange change) {
        return TomboloException
                .error(CoordinatorError.MIGRATE_TIMEOUT, "the pages did not reach shared memory in time")
                .fact("vm", change.plan.vm()).fact("moved", change.moved)
                .fact("left", change.local.pages() - change.moved)
                .next("the VM runs on " + change.plan.from() + " and what moved stays shared; give the command again,"
                        + " with a longer time")
                .build();
    }

    /// Everything that is asked may be asked again, so a failed call is, for a while.
    private static Step callFailed(TransitState state, TransitChange change, TomboloException why, long nowNs) {
        if (state.cancelled()) {
            return endCancelled(state, change, nowNs);
        }
        boolean pulling = state.phase() == Phase.TO_LOCAL;
        if ((pulling || mayPass(why)) && change.stuckNs(nowNs) < state.plan().stuckNs()) {
            return change.wakeAt(nowNs + state.plan().retryNs()).done();
        }
        if (pulling && why.code() == CoordinatorError.HOST_DEAD) {
            // The VM was handed over, and its host has left ZooKeeper and not come back since: no success to tell.
            return change.end(Optional.of(TomboloException
                    .error(CoordinatorError.OWNER_HOST_DEAD, "the target has the VM and left ZooKeeper")
                    .fact("vm", state.plan().vm()).fact("host", state.plan().to())
                    .next("tombolo vm show " + state.plan().vm()).build()), nowNs);
        }
        return pulling ? end(change, nowNs) : change.end(Optional.of(why), nowNs);
    }

    /// Codes of connections, and an agent that has too much to do.
    private static boolean mayPass(TomboloException why) {
        String code = why.code().name();
        boolean known = code.equals(CoordinatorError.RPC_HANDLER_FAILED.name())
                || code.equals(CoordinatorError.RPC_NOT_SERVED.name());
        return (code.startsWith("RPC_") && !known) || code.equals("PAGES_TOO_MANY_CALLS");
    }
}

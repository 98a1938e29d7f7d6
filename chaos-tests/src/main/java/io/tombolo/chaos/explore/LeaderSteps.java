package io.tombolo.chaos.explore;

import io.tombolo.chaos.explore.HandoffWorld.Kind;
import io.tombolo.chaos.explore.HandoffWorld.Leaders;
import io.tombolo.chaos.explore.HandoffWorld.Message;
import io.tombolo.chaos.explore.HandoffWorld.Runner;
import io.tombolo.coordinator.HandoffEffect;
import io.tombolo.coordinator.HandoffEvent;
import io.tombolo.coordinator.HandoffOrchestration;
import io.tombolo.coordinator.HandoffSide;
import io.tombolo.coordinator.HandoffState;
import io.tombolo.coordinator.HandoffTimings;
import io.tombolo.coordinator.OwnerSnapshot;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import java.util.Optional;

/// What coordinators do, in the order in which `HandoffRunner` and `LeaderSession` do it, on the shipped orchestration.
class LeaderSteps {
    private static final HandoffTimings TIMINGS = new HandoffTimings(500);
    /// Every limit has passed.
    private static final long LONG_NS = 1L << 50;
    private static final long TICKET = 1;
    private static final String WHY = "explored";

    /// The shipped core; tests plant bugs here.
    HandoffOrchestration.Step orchestrate(HandoffState state, HandoffEvent event, long nowNs) {
        return HandoffOrchestration.step(state, event, nowNs);
    }

    void steps(HandoffWorld world, Model.Steps<HandoffWorld> to) {
        Leaders leaders = world.leaders();
        if (leaders.current() != null) {
            runner(world, "K", leaders.current(), to);
        } else if (leaders.intent() != null) {
            HandoffDraft draft = new HandoffDraft(world);
            enter(draft, leaders.term(), HandoffOrchestration.resume(leaders.intent(), TIMINGS, 0), null, 0);
            to.step("K", "takes the open intent up", draft.world());
        } else if (leaders.moves() > 0) {
            begin(world, to);
        }
        if (leaders.old() != null) {
            runner(world, "old K", leaders.old(), to);
            HandoffDraft draft = new HandoffDraft(world);
            draft.leaders = draft.leaders.old(null);
            to.step("old K", "learns that it has been replaced", draft.world());
        }
    }

    /// A host that has had no part yet stands for all of those.
    private void begin(HandoffWorld world, Model.Steps<HandoffWorld> to) {
        long owner = world.region().owner();
        int from = OwnerWord.slot(owner) - 1;
        if (!OwnerWord.is(owner, OwnerState.RUNNING) || !world.host(from).registered()) {
            return;
        }
        boolean untouchedTaken = false;
        for (int target = 0; target < HandoffWorld.HOSTS; target++) {
            HandoffWorld.Host host = world.host(target);
            boolean untouched = host.vm() == null && host.term() == 0;
            if (target == from || !host.registered() || (untouched && untouchedTaken)) {
                continue;
            }
            untouchedTaken |= untouched;
            HandoffDraft draft = new HandoffDraft(world);
            Leaders was = draft.leaders;
            IntentRecord intent = new IntentRecord("v", 0, HandoffWorld.name(from), HandoffDraft.slot(from),
                    HandoffWorld.name(target), HandoffDraft.slot(target), OwnerWord.epoch(owner), was.term(),
                    was.seq() + 1, 0);
            draft.leaders = new Leaders(was.term(), null, was.old(), intent, intent.seq(), was.moves() - 1);
            enter(draft, was.term(), HandoffOrchestration.start(intent, TIMINGS, 0), null, 0);
            to.step("K", "opens the intent " + HandoffWorld.name(from) + " to " + HandoffWorld.name(target),
                    draft.world());
        }
    }

    private void runner(HandoffWorld world, String who, Runner runner, Model.Steps<HandoffWorld> to) {
        if (runner.closing() != null) {
            close(world, who, runner, to);
        }
        for (Message message : world.messages().all()) {
            if (!message.forHost() && HandoffDraft.isOf(runner, message)) {
                HandoffDraft draft = new HandoffDraft(world);
                draft.messages = draft.messages.minus(message);
                take(draft.world(), who, "hears " + message.kind() + " of " + HandoffWorld.name(message.host()), runner,
                        event(runner, message), 0, to);
            }
        }
        HandoffState state = runner.state();
        switch (state.phase()) {
            case PREPARING -> {
                take(world, who, "has no answer to PREPARE", runner, new HandoffEvent.PrepareFailed(WHY, WHY), 0, to);
                take(world, who, "waits no longer", runner, new HandoffEvent.Tick(), LONG_NS, to);
            }
            case SWITCHING -> {
                take(world, who, "has no answer to SWITCH", runner, new HandoffEvent.SwitchFailed(WHY, WHY), 0, to);
                take(world, who, "waits no longer", runner, new HandoffEvent.Tick(), LONG_NS, to);
            }
            case RESOLVING -> {
                take(world, who, "looks again", runner, new HandoffEvent.Tick(), 1, to);
                take(world, who, "looks again after long", runner, new HandoffEvent.Tick(), LONG_NS, to);
            }
            case FINISHING -> {
                take(world, who, "has no answer to FINISH", runner, new HandoffEvent.FinishFailed(WHY), 0, to);
                take(world, who, "asks again", runner, new HandoffEvent.Tick(), LONG_NS, to);
            }
            case CLOSING -> {
                if (runner.closing() == null) {
                    take(world, who, "tries again", runner, new HandoffEvent.Tick(), LONG_NS, to);
                }
            }
            case DONE -> throw new IllegalStateException("a runner that is done is gone");
        }
        hosts(world, who, runner, to);
    }

    private void hosts(HandoffWorld world, String who, Runner runner, Model.Steps<HandoffWorld> to) {
        HandoffState state = runner.state();
        for (HandoffSide side : HandoffSide.values()) {
            int host = (side == HandoffSide.SOURCE ? state.intent().fromSlot() : state.intent().toSlot()) - 1;
            boolean gone = !world.host(host).registered();
            boolean known = side == HandoffSide.SOURCE ? state.sourceGone() : state.targetGone();
            if (gone != known) {
                take(world, who, gone ? "misses " + HandoffWorld.name(host) : "finds " + HandoffWorld.name(host),
                        runner, gone ? new HandoffEvent.HostGone(side) : new HandoffEvent.HostBack(side), 0, to);
            }
        }
    }

    private static HandoffEvent event(Runner runner, Message message) {
        HandoffSide side = message.host() == runner.state().intent().fromSlot() - 1
                ? HandoffSide.SOURCE
                : HandoffSide.TARGET;
        return switch (message.kind()) {
            case PREPARED -> new HandoffEvent.Prepared();
            case SWITCHED -> new HandoffEvent.Switched(new HandoffReport("v", "", "", message.seq(), 0, 0, 0, 0, 0, 0,
                    0, 0, 0, 0, 0, 0, 0, message.flag() ? HandoffOutcome.COMPLETED : HandoffOutcome.TAKEN_BACK));
            case CANCELLED -> new HandoffEvent.Cancelled(side, message.flag());
            case FINISHED -> new HandoffEvent.Finished();
            case PREPARE, SWITCH, CANCEL, FINISH, OPEN_WINDOW, WINDOW_PASSED ->
                throw new IllegalStateException("not for a coordinator: " + message);
        };
    }

    private void take(HandoffWorld world, String who, String what, Runner runner, HandoffEvent event, long nowNs,
            Model.Steps<HandoffWorld> to) {
        HandoffDraft draft = new HandoffDraft(world);
        enter(draft, runner.term(), orchestrate(runner.state(), event, nowNs), runner, nowNs);
        to.step(who, what, draft.world());
    }

    /// The transaction that closes an intent checks the term.
    private void close(HandoffWorld world, String who, Runner runner, Model.Steps<HandoffWorld> to) {
        Runner tried = new Runner(runner.term(), runner.state(), null);
        HandoffDraft draft = new HandoffDraft(world);
        if (runner.term() != world.leaders().term()) {
            enter(draft, runner.term(), orchestrate(runner.state(), new HandoffEvent.TermEnded(), 0), tried, 0);
            to.step(who, "may not close the intent any more", draft.world());
            return;
        }
        if (draft.leaders.intent() != null && draft.leaders.intent().seq() == runner.state().intent().seq()) {
            draft.leaders = draft.leaders.closed();
        }
        HandoffWorld closed = draft.world();
        enter(draft, runner.term(), orchestrate(runner.state(), new HandoffEvent.Closed(), 0), tried, 0);
        to.step(who, "closes the intent", draft.world());
        if (world.budget().faults() > 0) {
            HandoffDraft lost = new HandoffDraft(closed);
            lost.budget = lost.budget.fault();
            enter(lost, runner.term(), orchestrate(runner.state(), new HandoffEvent.CloseFailed(WHY), 0), tried, 0);
            to.fault(who, "closes the intent and does not hear of it", lost.world());
        }
    }

    /// Carries out what the core asks for. The owner word is read and judged at once: what follows from an old reading
    /// is a message that comes late or a close that is tried late.
    private void enter(HandoffDraft draft, long term, HandoffOrchestration.Step step, Runner was, long nowNs) {
        HandoffEffect.Close closing = was == null ? null : was.closing();
        HandoffState state = step.state();
        HandoffEvent.OwnerRead read = null;
        place(draft, new Runner(term, canonical(state), null));
        for (HandoffEffect effect : step.effects()) {
            switch (effect) {
                case HandoffEffect.SendPrepare _ -> request(draft, Kind.PREPARE, term, state, true);
                case HandoffEffect.SendSwitch _ -> {
                    if (draft.hosts[state.intent().toSlot() - 1].registered()) {
                        request(draft, Kind.SWITCH, term, state, false);
                    }
                }
                case HandoffEffect.SendCancel(HandoffSide side) ->
                    request(draft, Kind.CANCEL, term, state, side == HandoffSide.TARGET);
                case HandoffEffect.SendFinish _ -> request(draft, Kind.FINISH, term, state, false);
                case HandoffEffect.ReadOwner(long ticket) -> {
                    long owner = draft.region.owner();
                    read = new HandoffEvent.OwnerRead(ticket, new OwnerSnapshot(OwnerWord.state(owner),
                            OwnerWord.slot(owner), OwnerWord.epoch(owner)));
                }
                case HandoffEffect.Close close -> closing = close;
                case HandoffEffect.Note _,HandoffEffect.Report _ -> {
                    // For people.
                }
            }
        }
        boolean closes = state.phase() == HandoffState.Phase.CLOSING;
        Runner now = new Runner(term, canonical(state), closes ? closing : null);
        if (state.phase() == HandoffState.Phase.DONE) {
            remove(draft, term);
        } else if (read != null) {
            enter(draft, term, orchestrate(state, read, nowNs), now, nowNs);
        } else {
            place(draft, now);
        }
    }

    private static void place(HandoffDraft draft, Runner runner) {
        boolean isOld = draft.leaders.old() != null && draft.leaders.old().term() == runner.term();
        draft.leaders = isOld ? draft.leaders.old(runner) : draft.leaders.current(runner);
    }

    private static void remove(HandoffDraft draft, long term) {
        boolean isOld = draft.leaders.old() != null && draft.leaders.old().term() == term;
        draft.leaders = isOld ? draft.leaders.old(null) : draft.leaders.current(null);
    }

    private static void request(HandoffDraft draft, Kind kind, long term, HandoffState state, boolean toTarget) {
        IntentRecord intent = state.intent();
        int to = (toTarget ? intent.toSlot() : intent.fromSlot()) - 1;
        int other = (toTarget ? intent.fromSlot() : intent.toSlot()) - 1;
        boolean carriesEpoch = kind == Kind.PREPARE || kind == Kind.SWITCH;
        draft.send(new Message(kind, term, intent.seq(), carriesEpoch ? intent.epoch() : 0, to,
                carriesEpoch ? other : 0, false));
    }

    /// Time is not told: a limit may pass as soon as it is set. What is only for people is left out.
    private static HandoffState canonical(HandoffState state) {
        return new HandoffState(state.intent(), state.timings(), state.phase(), 0, 0, 1, TICKET, state.disarmed(),
                state.targetReleased(), state.sourceGone(), state.targetGone(), true, "", 0, 0, 0, Optional.empty(),
                Optional.empty(), state.phase() == HandoffState.Phase.RESOLVING ? Optional.empty() : state.owner());
    }
}

package io.tombolo.chaos.explore;

import static io.tombolo.chaos.explore.HandoffDraft.slot;

import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.agent.handoff.Step;
import io.tombolo.agent.handoff.TargetCore;
import io.tombolo.chaos.explore.HandoffWorld.At;
import io.tombolo.chaos.explore.HandoffWorld.Blob;
import io.tombolo.chaos.explore.HandoffWorld.Do;
import io.tombolo.chaos.explore.HandoffWorld.Host;
import io.tombolo.chaos.explore.HandoffWorld.Hosted;
import io.tombolo.chaos.explore.HandoffWorld.Incoming;
import io.tombolo.chaos.explore.HandoffWorld.Kind;
import io.tombolo.chaos.explore.HandoffWorld.Message;
import io.tombolo.chaos.explore.HandoffWorld.Op;
import io.tombolo.chaos.explore.HandoffWorld.Right;
import io.tombolo.region.ArmedWord;
import io.tombolo.region.FromWord;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import java.util.EnumSet;
import java.util.List;

/// What the threads of one agent do, in the order in which `HostedVm`, `HandoffSource`, `HandoffTarget`, `SlotOffer`
/// and `IncomingVm` do it; every store to the region is a step of its own. The cores are the shipped ones.
class AgentSteps {
    private static final SourceCore.Bounds BOUNDS = new SourceCore.Bounds(1, 1, 1);
    private static final String WHY = "explored";
    /// What changes nothing that anybody else looks at.
    private static final EnumSet<Do> PRIVATE = EnumSet.of(Do.STORE_ARMED, Do.CLEAR_ARMED, Do.STORE_FROM, Do.SAVE,
            Do.PUBLISH, Do.PRELAUNCH, Do.CLOSE_GATE, Do.OPEN_GATE, Do.CLEAR_MARK);
    private static final EnumSet<Do> LOCAL = EnumSet.of(Do.ANSWER, Do.ASK_WINDOW, Do.CANCELLED, Do.ARMED, Do.REFUSED,
            Do.SPIN, Do.LEAVE, Do.REAP, Do.STOP_GUEST, Do.ADOPT, Do.WINDOW_PASSED);

    /// The shipped core; tests plant bugs here.
    Step<SourceCore.State, SourceCore.Effect> source(SourceCore.State state, SourceCore.Event event, long nowNs) {
        return SourceCore.step(state, event, nowNs, BOUNDS);
    }

    /// The shipped core.
    Step<TargetCore.State, TargetCore.Effect> target(TargetCore.State state, TargetCore.Event event, long nowNs) {
        return TargetCore.step(state, event, nowNs, 1);
    }

    /// Whether a right that is held again is as good as the one under which the VM was taken.
    boolean resumesByLooking() {
        return false;
    }

    /// What a compare-and-set compares.
    boolean matches(long found, long expect) {
        return found == expect;
    }

    /// Compare-and-set of the owner word.
    boolean cas(HandoffDraft draft, int host, long expect, long next) {
        if (!matches(draft.region.owner(), expect)) {
            return false;
        }
        if (!OwnerState.permits(draft.region.owner(), next)) {
            draft.region = draft.region
                    .wrong("the owner word may not go from " + OwnerWord.describe(draft.region.owner())
                            + " to "
                            + OwnerWord.describe(next));
        }
        if (draft.hosts[host].right() == Right.FENCED) {
            draft.region = draft.region.wrong("I2: " + HandoffWorld.name(host) + " is fenced and changes the owner word"
                    + " from " + OwnerWord.describe(draft.region.owner()));
        }
        draft.region = draft.region.owner(next);
        return true;
    }

    /// Whether the waiting guest acts on that word.
    boolean isOffer(int host, long word, long prepared) {
        return OwnerWord.is(word, OwnerState.OFFERED) && OwnerWord.slot(word) == slot(host)
                && OwnerWord.epoch(word) > prepared;
    }

    /// Whether the state in a metadata slot is that of the offer.
    boolean isSound(Blob blob, long offered) {
        return blob.valid() && blob.epoch() == offered;
    }

    /// Whether the host's next step is a store that nobody else can look at before a later one: what others do next can
    /// as well be done after it. Not if a guest may still be reading what an earlier offer left.
    static boolean isPrivate(HandoffWorld world, int host) {
        Hosted vm = world.host(host).vm();
        if (vm == null || vm.todo().isEmpty() || !PRIVATE.contains(vm.todo().getFirst().kind())) {
            return false;
        }
        for (int i = 0; i < HandoffWorld.HOSTS; i++) {
            Hosted other = world.host(i).vm();
            if (other != null && other.incoming() != null && other.incoming().at() != At.WAITS
                    && other.incoming().at() != At.SPINS && other.incoming().at() != At.ENDED) {
                return false;
            }
            boolean waits = other != null && other.source() != null
                    && other.source().phase() == SourceCore.Phase.WINDOW;
            if (waits && vm.todo().getFirst().kind() == Do.CLEAR_MARK) {
                return false;
            }
        }
        return true;
    }

    void steps(HandoffWorld world, int host, Model.Steps<HandoffWorld> to) {
        Host own = world.host(host);
        if (!own.alive()) {
            return;
        }
        Hosted vm = own.vm();
        String who = HandoffWorld.name(host);
        keeper(world, host, who, to);
        if (vm != null) {
            guest(world, host, who, to);
        }
        if (vm != null && !vm.todo().isEmpty()) {
            carryOut(world, host, who, to);
            return;
        }
        for (Message message : world.messages().all()) {
            if (message.forHost() && message.host() == host) {
                deliver(world, host, message, to);
            }
        }
        if (vm != null) {
            if (!vm.queue().isEmpty()) {
                HandoffDraft draft = new HandoffDraft(world);
                Op first = vm.queue().getFirst();
                draft.vm(host, vm.queue(vm.queue().subList(1, vm.queue().size())).then(first));
                run(draft, host);
                to.step(who, "takes up " + first.kind(), draft.world());
            }
            poll(world, host, who, to);
        }
    }

    // ---- the right keeper

    private void keeper(HandoffWorld world, int host, String who, Model.Steps<HandoffWorld> to) {
        Host own = world.host(host);
        Hosted vm = own.vm();
        switch (own.right()) {
            case HELD -> {
                if (!own.registered()) {
                    to.step(who, "notices that its session has ended: its right lapses", lapse(world, host).world());
                }
            }
            case LAPSED -> {
                boolean stores = vm != null && (vm.exec() || queued(vm, Do.RIGHT_LAPSED));
                if (!stores) {
                    HandoffDraft draft = new HandoffDraft(world);
                    draft.hosts[host] = own.right(vm == null ? Right.HELD : Right.RENEWING).registered(true);
                    if (vm != null) {
                        draft.vm(host, vm.enqueue(Op.of(Do.RENEW)));
                    }
                    to.step(who, "has stopped and is heard again: renews", draft.world());
                }
            }
            case FENCED -> {
                HandoffDraft draft = new HandoffDraft(world);
                draft.hosts[host] = HandoffModel.dead(own);
                to.step(who, "is fenced, and ends", draft.world());
            }
            case RENEWING -> {
                // Its renewal is queued, see RENEW, unless the VM left meanwhile.
                if (vm == null || !queued(vm, Do.RENEW)) {
                    HandoffDraft draft = new HandoffDraft(world);
                    draft.hosts[host] = own.right(Right.HELD);
                    to.step(who, "may run VMs again", draft.world());
                }
            }
        }
    }

    private static boolean queued(Hosted vm, Do kind) {
        return vm.queue().stream().anyMatch(op -> op.kind() == kind)
                || vm.todo().stream().anyMatch(op -> op.kind() == kind);
    }

    HandoffDraft lapse(HandoffWorld world, int host) {
        HandoffDraft draft = new HandoffDraft(world);
        draft.hosts[host] = draft.hosts[host].right(Right.LAPSED);
        Hosted vm = draft.vm(host);
        if (vm != null) {
            draft.vm(host, vm.guest(vm.version(), vm.runEpoch(), true).enqueue(Op.of(Do.RIGHT_LAPSED)));
        }
        return draft;
    }

    // ---- the guest's own thread

    private void guest(HandoffWorld world, int host, String who, Model.Steps<HandoffWorld> to) {
        Hosted vm = world.host(host).vm();
        if (vm.exec() && world.host(host).right() != Right.HELD) {
            HandoffDraft draft = new HandoffDraft(world);
            draft.vm(host, vm.exec(false));
            to.step(who, "the guest's check fails, it stops", draft.world());
        }
        if (vm.incoming() != null) {
            incoming(world, host, who, to);
        }
    }

    private void incoming(HandoffWorld world, int host, String who, Model.Steps<HandoffWorld> to) {
        Hosted vm = world.host(host).vm();
        Incoming in = vm.incoming();
        HandoffDraft draft = new HandoffDraft(world);
        switch (in.at()) {
            case WAITS, SPINS -> {
                boolean right = world.host(host).right() == Right.HELD;
                if (in.killed()) {
                    draft.vm(host, vm.incoming(in.at(At.ENDED)));
                    to.step(who, "the waiting guest ends", draft.world());
                } else if (right && isOffer(host, world.region().owner(), in.prepared())) {
                    draft.vm(host, vm.incoming(in.holds(At.SEEN, world.region().owner(), 0)));
                    to.step(who, "sees the offer", draft.world());
                } else if (in.at() == At.SPINS) {
                    draft.vm(host, vm.incoming(in.at(At.WAITS)).enqueue(Op.of(Do.WINDOW_PASSED)));
                    to.step(who, "its window passes", draft.world());
                } else if (in.asked()) {
                    draft.region = draft.region.spin(ArmedWord.pack(in.intent(), slot(host), in.prepared()));
                    draft.vm(host, vm.incoming(in.asked(false).at(At.SPINS)));
                    to.step(who, "spins", draft.world());
                }
            }
            case SEEN -> {
                Blob blob = world.region().blob(in.prepared() + 1);
                boolean sound = world.region().closed() && world.region().inFlight() == 0
                        && isSound(blob, in.prepared() + 1);
                draft.vm(host, vm.incoming(sound
                        ? in.holds(At.TAKEN, in.word(), blob.version())
                        : in.at(At.REFUSES)));
                to.step(who, sound ? "copies the state" : "finds the state unusable", draft.world());
                refuse(world, host, who, to);
            }
            case TAKEN -> takes(world, host, who, to);
            case CLAIMED -> {
                if (world.region().owner() != in.word()) {
                    draft.region = draft.region.wrong("I2: " + who + " loads into the memory of a VM that is "
                            + OwnerWord.describe(world.region().owner()));
                }
                runs(draft, host);
                to.step(who, "loads, and takes the VM", draft.world());
                refuse(world, host, who, to);
            }
            case REFUSES -> {
                givesBack(draft, host);
                to.step(who, "gives the VM back", draft.world());
            }
            case OWNS -> {
                draft.vm(host, vm.incoming(in.at(At.ENDED)));
                if (!in.killed()) {
                    draft.execute(host, resumesByLooking());
                    draft.vm(host, draft.vm(host).enqueue(Op.of(Do.RUNNING, in.word(), 0)));
                }
                to.step(who, in.killed() ? "the guest was discarded and does not run" : "runs the guest",
                        draft.world());
            }
            case ENDED -> {
            }
        }
    }

    private void refuse(HandoffWorld world, int host, String who, Model.Steps<HandoffWorld> to) {
        if (world.budget().faults() > 0) {
            HandoffDraft draft = new HandoffDraft(world);
            draft.budget = draft.budget.fault();
            draft.vm(host, draft.vm(host).incoming(draft.vm(host).incoming().at(At.REFUSES)));
            to.fault(who, "cannot use the state", draft.world());
        }
    }

    private void takes(HandoffWorld world, int host, String who, Model.Steps<HandoffWorld> to) {
        HandoffDraft draft = new HandoffDraft(world);
        if (!world.budget().claims()) {
            runs(draft, host);
            to.step(who, "takes the VM", draft.world());
            return;
        }
        Hosted vm = draft.vm(host);
        Incoming in = vm.incoming();
        long word = OwnerWord.pack(OwnerState.CLAIMED, slot(host), OwnerWord.epoch(in.word()));
        boolean won = cas(draft, host, in.word(), word);
        draft.vm(host, vm.incoming(won ? in.holds(At.CLAIMED, word, in.version()) : in.holds(At.WAITS, 0, 0)));
        to.step(who, won ? "claims the VM" : "cannot claim the VM", draft.world());
    }

    private void runs(HandoffDraft draft, int host) {
        Hosted vm = draft.vm(host);
        Incoming in = vm.incoming();
        long epoch = OwnerWord.epoch(in.word());
        long word = OwnerWord.pack(OwnerState.RUNNING, slot(host), epoch);
        if (cas(draft, host, in.word(), word)) {
            boolean lapsed = draft.hosts[host].right() != Right.HELD;
            draft.vm(host, vm.guest(in.version(), epoch, lapsed).incoming(in.holds(At.OWNS, word, in.version())));
        } else {
            draft.vm(host, vm.incoming(in.holds(At.WAITS, 0, 0)));
        }
    }

    private void givesBack(HandoffDraft draft, int host) {
        Hosted vm = draft.vm(host);
        long word = vm.incoming().word();
        long from = draft.region.from();
        if (FromWord.epoch(from) == OwnerWord.epoch(word)) {
            cas(draft, host, word, OwnerWord.pack(OwnerState.OFFERED, FromWord.slot(from), OwnerWord.epoch(word) + 1));
        }
        draft.vm(host, vm.incoming(vm.incoming().at(At.ENDED)).enqueue(Op.of(Do.GIVEN_BACK)));
    }

    // ---- the control thread: what comes in

    private void deliver(HandoffWorld world, int host, Message message, Model.Steps<HandoffWorld> to) {
        HandoffDraft draft = new HandoffDraft(world);
        draft.messages = draft.messages.minus(message);
        Hosted vm = draft.vm(host);
        if (message.isRequest() && message.kind() != Kind.OPEN_WINDOW) {
            if (message.term() < draft.hosts[host].term()) {
                to.step(HandoffWorld.name(host), "refuses an old term's order", draft.world());
                return;
            }
            draft.hosts[host] = draft.hosts[host].term(message.term());
        }
        switch (message.kind()) {
            case PREPARE -> prepare(draft, host, message);
            case SWITCH -> {
                boolean arriving = vm != null && vm.source() == null && vm.target() != null
                        && OwnerWord.is(draft.region.owner(), OwnerState.RUNNING)
                        && OwnerWord.slot(draft.region.owner()) == slot(host);
                if (arriving) {
                    return;
                }
                switchOver(draft, host, message);
            }
            case CANCEL -> cancel(draft, host, message);
            case FINISH -> finish(draft, host, message);
            case OPEN_WINDOW -> openWindow(draft, host, message);
            case WINDOW_PASSED -> feedSource(draft, host, new SourceCore.Event.WindowPassed(message.seq()), 0);
            case PREPARED, SWITCHED, CANCELLED, FINISHED ->
                throw new IllegalStateException("not for a host: " + message);
        }
        settle(draft, host);
        to.step(HandoffWorld.name(host), "hears " + message.kind(), draft.world());
    }

    private void prepare(HandoffDraft draft, int host, Message order) {
        Host own = draft.hosts[host];
        boolean offered = isOffer(host, draft.region.owner(), order.epoch());
        Hosted vm = own.vm() == null ? Hosted.NOTHING : own.vm();
        boolean refused = order.seq() <= own.cancelled() && !offered || own.right() != Right.HELD
                || vm.source() != null || vm.target() != null && vm.target().phase() != TargetCore.Phase.IDLE
                        && vm.target().intentSeq() != order.seq();
        if (refused) {
            return;
        }
        if (vm.target() == null) {
            vm = vm.target(TargetCore.State.idle(slot(host)));
        }
        draft.vm(host, vm.answerTo(vm.orderTerm(), order.term(), vm.windowSeq()));
        feedTarget(draft, host, new TargetCore.Event.Prepare(order.seq(), order.epoch(), slot(order.other())), 0);
    }

    private void switchOver(HandoffDraft draft, int host, Message order) {
        Hosted vm = draft.vm(host);
        boolean refused = vm == null || vm.source() == null || order.seq() <= vm.cancelled()
                || vm.source().phase() != SourceCore.Phase.IDLE && vm.source().intentSeq() != order.seq();
        if (refused) {
            return;
        }
        if (vm.source().phase() == SourceCore.Phase.IDLE) {
            draft.vm(host, vm.answerTo(order.term(), vm.prepareTerm(), vm.windowSeq()));
            feedSource(draft, host, new SourceCore.Event.Order(order.seq(), order.epoch(), slot(order.other())), 0);
        }
    }

    private void cancel(HandoffDraft draft, int host, Message order) {
        draft.hosts[host] = draft.hosts[host].cancelled(order.seq());
        Hosted vm = draft.vm(host);
        if (vm == null) {
            draft.answer(Kind.CANCELLED, order.term(), order.seq(), host, false);
            return;
        }
        draft.vm(host, vm.cancelled(order.seq()));
        if (vm.source() != null) {
            feedSource(draft, host, new SourceCore.Event.Abort(order.seq()), 0);
        } else if (vm.target() != null && isCalledOff(vm)) {
            feedTarget(draft, host, new TargetCore.Event.Cancel(order.seq(), draft.region.owner()), 0);
        }
        draft.vm(host, draft.vm(host).then(Op.of(Do.CANCELLED, order.term(), order.seq())));
    }

    /// Whether the control thread has the waiting thread's word that it acts on no offer from now on.
    boolean isCalledOff(Hosted vm) {
        return vm.incoming() == null || vm.incoming().at() == At.WAITS || vm.incoming().at() == At.SPINS;
    }

    /// Whether it has it before it looks at the owner word.
    boolean callsOffFirst() {
        return true;
    }

    private static void finish(HandoffDraft draft, int host, Message order) {
        Hosted vm = draft.vm(host);
        boolean hosted = vm != null && vm.source() != null;
        if (hosted && OwnerWord.slot(draft.region.owner()) == slot(host)) {
            return;
        }
        if (hosted) {
            draft.vm(host, null);
        }
        draft.answer(Kind.FINISHED, order.term(), order.seq(), host, false);
    }

    private void openWindow(HandoffDraft draft, int host, Message asked) {
        Hosted vm = draft.vm(host);
        boolean stale = vm == null || vm.target() == null || vm.target().phase() == TargetCore.Phase.ARMED
                && vm.target().epoch() != asked.epoch();
        if (stale) {
            return;
        }
        draft.vm(host, vm.answerTo(vm.orderTerm(), vm.prepareTerm(), asked.seq()));
        feedTarget(draft, host, new TargetCore.Event.OpenWindow(asked.seq()), 0);
    }

    private void poll(HandoffWorld world, int host, String who, Model.Steps<HandoffWorld> to) {
        Hosted vm = world.host(host).vm();
        if (vm.source() != null) {
            SourceCore.State state = vm.source();
            if (state.phase() == SourceCore.Phase.WINDOW && world.region().inFlight() == 0 && world.region()
                    .spin() == ArmedWord.pack(state.intentSeq(), state.target(), state.epoch())) {
                fed(world, host, who, "sees the target spin", new SourceCore.Event.TargetSpins(state.intentSeq()), 0,
                        to);
            }
            if (state.phase() == SourceCore.Phase.OFFERED) {
                fed(world, host, who, "looks at the owner word",
                        new SourceCore.Event.OwnerSeen(world.region().owner()), 0, to);
            }
            if (state.phase() == SourceCore.Phase.OFFERED || state.phase() == SourceCore.Phase.WINDOW) {
                fed(world, host, who, "its bound passes", new SourceCore.Event.Tick(), 2, to);
            }
        } else if (vm.target() != null && vm.target().phase() == TargetCore.Phase.ARMED && isCalledOff(vm)) {
            HandoffDraft draft = new HandoffDraft(world);
            feedTarget(draft, host, new TargetCore.Event.Tick(world.region().owner()), 2);
            settle(draft, host);
            to.step(who, "its preparation outlives itself", draft.world());
        }
    }

    private void fed(HandoffWorld world, int host, String who, String what, SourceCore.Event event, long nowNs,
            Model.Steps<HandoffWorld> to) {
        HandoffDraft draft = new HandoffDraft(world);
        feedSource(draft, host, event, nowNs);
        settle(draft, host);
        to.step(who, what, draft.world());
    }

    // ---- the control thread: what the cores ask for

    private void feedSource(HandoffDraft draft, int host, SourceCore.Event event, long nowNs) {
        Hosted vm = draft.vm(host);
        if (vm == null || vm.source() == null) {
            return;
        }
        Step<SourceCore.State, SourceCore.Effect> step = source(vm.source(), event, nowNs);
        Hosted next = vm.source(step.state());
        for (SourceCore.Effect effect : step.effects()) {
            next = switch (effect) {
                case SourceCore.Effect.WriteArmed armed -> next.then(Op.of(Do.CLOSE_GATE)).then(Op.of(Do.STORE_ARMED,
                        ArmedWord.pack(armed.intentSeq(), armed.target(), step.state().epoch()), 0));
                case SourceCore.Effect.ClearArmed _ -> next.then(Op.of(Do.CLEAR_ARMED)).then(Op.of(Do.OPEN_GATE));
                case SourceCore.Effect.OpenWindow open ->
                    next.then(Op.of(Do.ASK_WINDOW, open.intentSeq(), open.epoch()));
                case SourceCore.Effect.BeginCopy _,SourceCore.Effect.EndCopy _ ->
                    throw new IllegalStateException("nothing is copied here");
                case SourceCore.Effect.Quiesce quiesce ->
                    next.then(Op.of(Do.STORE_FROM, quiesce.epoch(), quiesce.target()));
                case SourceCore.Effect.Resume resume -> next.then(Op.of(Do.RESUME, resume.epoch(), 0));
                case SourceCore.Effect.TakeBack back ->
                    next.then(Op.of(Do.TAKE_BACK, back.expect(), back.epoch()));
                case SourceCore.Effect.Reap _ -> next.then(Op.of(Do.REAP));
                case SourceCore.Effect.Answer answer -> next.then(Op.of(Do.ANSWER, answer.intentSeq(),
                        answer.outcome().ordinal()));
            };
        }
        draft.vm(host, next);
    }

    private void feedTarget(HandoffDraft draft, int host, TargetCore.Event event, long nowNs) {
        Hosted vm = draft.vm(host);
        if (vm == null || vm.target() == null) {
            return;
        }
        Step<TargetCore.State, TargetCore.Effect> step = target(vm.target(), event, nowNs);
        Hosted next = vm.target(step.state());
        for (TargetCore.Effect effect : step.effects()) {
            next = switch (effect) {
                case TargetCore.Effect.Prelaunch prelaunch ->
                    next.then(Op.of(Do.PRELAUNCH, prelaunch.intentSeq(), prelaunch.epoch()));
                case TargetCore.Effect.AnswerArmed armed -> next.then(Op.of(Do.ARMED, armed.intentSeq(), 0));
                case TargetCore.Effect.AnswerRefused refused -> next.then(Op.of(Do.REFUSED, refused.intentSeq(), 0));
                case TargetCore.Effect.Spin _ -> next.then(Op.of(Do.SPIN));
                case TargetCore.Effect.Discard _ -> next.incoming(next.incoming() == null || !callsOffFirst()
                        ? next.incoming()
                        : next.incoming().kill()).then(Op.of(Do.DISCARD)).then(Op.of(Do.CLEAR_MARK));
                case TargetCore.Effect.Adopt adopt -> next.then(Op.of(Do.CLEAR_MARK)).then(Op.of(Do.OPEN_GATE))
                        .then(Op.of(Do.ADOPT, adopt.epoch(), 0));
            };
        }
        draft.vm(host, next);
    }

    /// Nothing is left of a VM whose preparation has ended.
    private static void tidy(HandoffDraft draft, int host) {
        Hosted vm = draft.vm(host);
        boolean idle = vm != null && vm.source() == null && vm.todo().isEmpty() && vm.incoming() == null
                && (vm.target() == null || vm.target().phase() == TargetCore.Phase.IDLE);
        if (idle) {
            draft.vm(host, null);
        }
    }

    private void carryOut(HandoffWorld world, int host, String who, Model.Steps<HandoffWorld> to) {
        Hosted vm = world.host(host).vm();
        Op op = vm.todo().getFirst();
        if (op.kind() == Do.DISCARD && vm.incoming() != null && vm.incoming().killed()
                && vm.incoming().at() != At.ENDED) {
            return;
        }
        if (op.kind() == Do.SAVE && world.budget().faults() > 0) {
            HandoffDraft draft = new HandoffDraft(world);
            draft.budget = draft.budget.fault();
            draft.vm(host, vm.todo(vm.todo().subList(1, vm.todo().size())).exec(false));
            feedSource(draft, host, new SourceCore.Event.SaveFailed(WHY, true), 0);
            settle(draft, host);
            to.fault(who, "cannot save the state", draft.world());
        }
        if (op.kind() == Do.PRELAUNCH && world.budget().faults() > 0) {
            HandoffDraft draft = new HandoffDraft(world);
            draft.budget = draft.budget.fault();
            draft.vm(host, vm.todo(vm.todo().subList(1, vm.todo().size())));
            feedTarget(draft, host, new TargetCore.Event.PrelaunchFailed(WHY), 0);
            settle(draft, host);
            to.fault(who, "cannot prepare", draft.world());
        }
        HandoffDraft draft = new HandoffDraft(world);
        run(draft, host);
        to.step(who, "does " + op.kind(), draft.world());
    }

    /// Carries out the first thing that is to be done, and what follows without touching the region. A message that is
    /// sent in between may be under way for ever, which is as good as a death before it was sent.
    private void run(HandoffDraft draft, int host) {
        one(draft, host);
        settle(draft, host);
    }

    private void settle(HandoffDraft draft, int host) {
        while (draft.vm(host) != null && !draft.vm(host).todo().isEmpty()
                && LOCAL.contains(draft.vm(host).todo().getFirst().kind())) {
            one(draft, host);
        }
        tidy(draft, host);
    }

    private void one(HandoffDraft draft, int host) {
        Hosted vm = draft.vm(host);
        Op op = vm.todo().getFirst();
        vm = vm.todo(vm.todo().subList(1, vm.todo().size()));
        draft.vm(host, vm);
        switch (op.kind()) {
            case CLOSE_GATE -> {
                draft.storesAs(host, "gate");
                draft.region = draft.region.gate(true, draft.region.inFlight());
            }
            case OPEN_GATE -> {
                draft.storesAs(host, "gate");
                draft.region = draft.region.gate(false, draft.region.inFlight());
            }
            case STORE_ARMED, CLEAR_ARMED -> {
                draft.storesAs(host, "armed word");
                draft.region = draft.region.armed(op.a());
            }
            case STORE_FROM -> {
                draft.storesAs(host, "from word");
                draft.region = draft.region.from(FromWord.pack(slot(host), op.a() + 1));
                draft.vm(host, vm.todo(prepend(vm.todo(), Op.of(Do.SAVE, op.a(), op.b()))));
            }
            case SAVE -> save(draft, host, op);
            case PUBLISH -> {
                draft.storesAs(host, "state");
                draft.region = draft.region.blob(op.a() + 1, new Blob(op.a() + 1, true, vm.version()));
                draft.vm(host, vm.todo(prepend(vm.todo(), Op.of(Do.OFFER, op.a(), op.b()))));
            }
            case OFFER -> {
                long offered = OwnerWord.pack(OwnerState.OFFERED, (int) op.b(), op.a() + 1);
                boolean won = cas(draft, host, OwnerWord.pack(OwnerState.RUNNING, slot(host), op.a()), offered);
                feedSource(draft, host, won
                        ? new SourceCore.Event.OfferWon(offered)
                        : new SourceCore.Event.OfferLost(draft.region.owner()), 0);
            }
            case RESUME -> {
                draft.vm(host, vm.guest(vm.version(), op.a(), vm.lapsed()));
                draft.execute(host, resumesByLooking());
            }
            case TAKE_BACK -> {
                if (cas(draft, host, op.a(), OwnerWord.pack(OwnerState.RUNNING, slot(host), op.b()))) {
                    vm = vm.guest(vm.version(), op.b(), draft.hosts[host].right() != Right.HELD);
                }
                draft.vm(host, vm.todo(prepend(vm.todo(), Op.of(Do.LOOK))));
            }
            case LOOK -> feedSource(draft, host, new SourceCore.Event.OwnerSeen(draft.region.owner()), 0);
            case REAP -> draft.vm(host, vm.exec(false).then(Op.of(Do.LEAVE)));
            case LEAVE -> draft.vm(host, null);
            case STOP_GUEST -> draft.vm(host,
                    vm.source() != null && vm.source().phase() == SourceCore.Phase.IDLE ? vm.exec(false) : vm);
            case ANSWER -> answer(draft, host, op);
            case ASK_WINDOW -> draft.send(new Message(Kind.OPEN_WINDOW, 0, op.a(), op.b(), vm.source().target() - 1,
                    host, false));
            case CANCELLED -> {
                boolean armed = vm.source() != null && vm.source().intentSeq() == op.b()
                        && vm.source().phase() != SourceCore.Phase.IDLE;
                draft.answer(Kind.CANCELLED, op.a(), op.b(), host, armed);
            }
            case PRELAUNCH, ARMED, REFUSED, SPIN, DISCARD, CLEAR_MARK, ADOPT, WINDOW_PASSED, RUNNING, GIVEN_BACK ->
                runTarget(draft, host, op);
            case RIGHT_LAPSED -> {
                feedSource(draft, host, new SourceCore.Event.RightLapsed(), 0);
                draft.vm(host, draft.vm(host).then(Op.of(Do.STOP_GUEST)));
            }
            case RENEW -> {
                renew(draft, host);
                // The keeper hears of it and lets VMs run; that they are run is a task of its own.
                if (draft.hosts[host].right() == Right.RENEWING) {
                    draft.hosts[host] = draft.hosts[host].right(Right.HELD);
                }
                if (draft.vm(host) != null) {
                    draft.vm(host, draft.vm(host).enqueue(Op.of(Do.RUN_RENEWED)));
                }
            }
            case RUN_RENEWED -> {
                boolean idle = vm.source() != null && runsIn(vm.source().phase()) && !vm.exec();
                if (idle && vm.lapsed() && draft.hosts[host].right() == Right.HELD) {
                    draft.vm(host, vm.todo(prepend(vm.todo(), Op.of(Do.RUN_RENEWED))));
                    renew(draft, host);
                } else if (idle) {
                    draft.execute(host, resumesByLooking());
                }
            }
        }
    }

    /// The phases in which the guest is to run.
    boolean runsIn(SourceCore.Phase phase) {
        return phase == SourceCore.Phase.IDLE || phase == SourceCore.Phase.WINDOW;
    }

    private static List<Op> prepend(List<Op> ops, Op first) {
        List<Op> all = new java.util.ArrayList<>();
        all.add(first);
        all.addAll(ops);
        return all;
    }

    /// A guest that does not run cannot be stopped for a switch.
    private void save(HandoffDraft draft, int host, Op op) {
        Hosted vm = draft.vm(host);
        if (!vm.exec()) {
            feedSource(draft, host, new SourceCore.Event.SaveFailed(WHY, true), 0);
            return;
        }
        draft.storesAs(host, "state");
        draft.region = draft.region.blob(op.a() + 1, new Blob(op.a() + 1, false, 0));
        draft.vm(host, vm.exec(false).todo(prepend(vm.todo(), Op.of(Do.PUBLISH, op.a(), op.b()))));
    }

    private static void answer(HandoffDraft draft, int host, Op op) {
        SourceCore.Outcome outcome = SourceCore.Outcome.values()[(int) op.b()];
        Hosted vm = draft.vm(host);
        if (outcome != SourceCore.Outcome.STAYED && outcome != SourceCore.Outcome.REFUSED) {
            draft.answer(Kind.SWITCHED, vm.orderTerm(), op.a(), host, outcome == SourceCore.Outcome.HANDED_OVER);
        }
        draft.vm(host, vm.answerTo(0, vm.prepareTerm(), vm.windowSeq()));
    }

    private void runTarget(HandoffDraft draft, int host, Op op) {
        Hosted vm = draft.vm(host);
        switch (op.kind()) {
            case PRELAUNCH -> {
                draft.vm(host, vm.incoming(new Incoming(At.WAITS, op.a(), op.b(), 0, 0, false, false)));
                feedTarget(draft, host, new TargetCore.Event.Prelaunched(), 0);
            }
            case ARMED -> {
                draft.answer(Kind.PREPARED, vm.prepareTerm(), op.a(), host, false);
                draft.vm(host, vm.answerTo(vm.orderTerm(), 0, vm.windowSeq()));
            }
            case REFUSED -> draft.vm(host, vm.answerTo(vm.orderTerm(), 0, 0));
            case SPIN -> draft.vm(host, vm.incoming() == null ? vm : vm.incoming(vm.incoming().asked(true)));
            case DISCARD -> {
                if (vm.incoming() == null || vm.incoming().at() == At.ENDED) {
                    draft.vm(host, vm.incoming(null).queue(List.of()));
                } else {
                    draft.vm(host, vm.incoming(vm.incoming().kill()).todo(prepend(vm.todo(), op)));
                }
            }
            case CLEAR_MARK -> {
                if (ArmedWord.target(draft.region.spin()) == slot(host)) {
                    draft.region = draft.region.spin(ArmedWord.NONE);
                }
            }
            case ADOPT -> draft.vm(host, vm.target(null).incoming(null)
                    .source(SourceCore.State.running(slot(host), op.a())).then(Op.of(Do.RUN_RENEWED)));
            case WINDOW_PASSED -> {
                windowPassed(draft, host);
                draft.vm(host, draft.vm(host).then(Op.of(Do.CLEAR_MARK)));
            }
            case RUNNING -> feedTarget(draft, host, new TargetCore.Event.Running(op.a()), 0);
            case GIVEN_BACK -> feedTarget(draft, host, new TargetCore.Event.Refused(WHY), 0);
            default -> throw new IllegalStateException("not the target's: " + op);
        }
    }

    private static void windowPassed(HandoffDraft draft, int host) {
        Hosted vm = draft.vm(host);
        int source = sourceOf(draft, vm.windowSeq());
        draft.vm(host, vm.answerTo(vm.orderTerm(), vm.prepareTerm(), 0));
        if (source >= 0) {
            draft.send(new Message(Kind.WINDOW_PASSED, 0, vm.windowSeq(), 0, source, host, false));
        }
    }

    /// Who asked for that intent's window, if it still waits.
    private static int sourceOf(HandoffDraft draft, long seq) {
        for (int i = 0; i < HandoffWorld.HOSTS; i++) {
            Hosted vm = draft.vm(i);
            if (vm != null && vm.source() != null && vm.source().intentSeq() == seq) {
                return i;
            }
        }
        return -1;
    }

    /// `HostedVm.renew`.
    void renew(HandoffDraft draft, int host) {
        if (draft.vm(host).source() == null) {
            return;
        }
        feedSource(draft, host, new SourceCore.Event.RightFresh(), 0);
        Hosted vm = draft.vm(host);
        if (vm.source().phase() != SourceCore.Phase.IDLE) {
            return;
        }
        vm = vm.exec(false);
        long word = draft.region.owner();
        long epoch = OwnerWord.epoch(word) + 1;
        if (!draft.runsHere(host, vm.runEpoch())
                || !cas(draft, host, word, OwnerWord.pack(OwnerState.RUNNING, slot(host), epoch))) {
            draft.vm(host, null);
            return;
        }
        draft.vm(host, vm.guest(vm.version(), epoch, false));
        feedSource(draft, host, new SourceCore.Event.EpochMoved(epoch), 0);
    }
}

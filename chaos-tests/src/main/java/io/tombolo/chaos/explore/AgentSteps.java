package io.tombolo.chaos.explore;

import static io.tombolo.chaos.explore.HandoffDraft.slot;

import io.tombolo.agent.handoff.SourceCore;
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
/// What the threads of one agent do, in the order in which `HostedVm`, `HandoffSource`, `HandoffTarget`, `SlotOffer`
/// and `IncomingVm` do it; every store to the region is a step of its own. The cores are the shipped ones.
class AgentSteps extends ControlSteps {
    private static final EnumSet<Do> PRIVATE = EnumSet.of(Do.STORE_ARMED, Do.CLEAR_ARMED, Do.STORE_FROM, Do.SAVE,
            Do.PUBLISH, Do.PRELAUNCH, Do.CLOSE_GATE, Do.OPEN_GATE, Do.CLEAR_MARK);

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
            draft.vm(host, vm.guest(vm.version(), vm.runEpoch(), true).stale(true).enqueue(Op.of(Do.RIGHT_LAPSED)));
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
                    // It counts lapses from before it looks at its right.
                    draft.vm(host, vm.stale(false).incoming(in.holds(At.SEEN, world.region().owner(), 0)));
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
        boolean refused = (order.seq() <= own.cancelled() && !offered) || own.right() != Right.HELD
                || vm.source() != null || (vm.target() != null && vm.target().phase() != TargetCore.Phase.IDLE
                        && vm.target().intentSeq() != order.seq());
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
                || (vm.source().phase() != SourceCore.Phase.IDLE && vm.source().intentSeq() != order.seq());
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
        boolean stale = vm == null || vm.target() == null || (vm.target().phase() == TargetCore.Phase.ARMED
                && vm.target().epoch() != asked.epoch());
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
}

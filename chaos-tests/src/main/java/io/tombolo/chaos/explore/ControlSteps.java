package io.tombolo.chaos.explore;

import static io.tombolo.chaos.explore.HandoffDraft.slot;

import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.agent.handoff.Step;
import io.tombolo.agent.handoff.TargetCore;
import io.tombolo.chaos.explore.HandoffWorld.At;
import io.tombolo.chaos.explore.HandoffWorld.Blob;
import io.tombolo.chaos.explore.HandoffWorld.Do;
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
/// What the control thread of a VM does: it feeds the shipped cores and carries out what they ask for, store by store,
/// in the order in which `HandoffSource`, `SlotOffer`, `HandoffTarget` and `HostedVm` do it. Tests plant bugs in what
/// they override.
class ControlSteps {
    private static final List<SourceCore.Outcome> OUTCOMES = List.of(SourceCore.Outcome.values());
    private static final SourceCore.Bounds BOUNDS = new SourceCore.Bounds(1, 1, 1);
    static final String WHY = "explored";
    /// What changes nothing that anybody else looks at.
    private static final EnumSet<Do> LOCAL = EnumSet.of(Do.ANSWER, Do.ASK_WINDOW, Do.CANCELLED, Do.ARMED, Do.REFUSED,
            Do.SPIN, Do.LEAVE, Do.REAP, Do.STOP_GUEST, Do.ADOPT, Do.WINDOW_PASSED, Do.TELL_PASSED);

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

    /// Whether the source uses the offer's metadata slot again before it has the VM back.
    boolean reusesStateEarly() {
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
    /// Whether it has it before it looks at the owner word.
    boolean callsOffFirst() {
        return true;
    }

    void feedSource(HandoffDraft draft, int host, SourceCore.Event event, long nowNs) {
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
                        OUTCOMES.indexOf(answer.outcome())));
            };
        }
        draft.vm(host, next);
    }

    void feedTarget(HandoffDraft draft, int host, TargetCore.Event event, long nowNs) {
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
    static void tidy(HandoffDraft draft, int host) {
        Hosted vm = draft.vm(host);
        boolean idle = vm != null && vm.source() == null && vm.todo().isEmpty() && vm.incoming() == null
                && (vm.target() == null || vm.target().phase() == TargetCore.Phase.IDLE);
        if (idle) {
            draft.vm(host, null);
        }
    }

    void carryOut(HandoffWorld world, int host, String who, Model.Steps<HandoffWorld> to) {
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
    void run(HandoffDraft draft, int host) {
        one(draft, host);
        settle(draft, host);
    }

    void settle(HandoffDraft draft, int host) {
        while (draft.vm(host) != null && !draft.vm(host).todo().isEmpty()
                && LOCAL.contains(draft.vm(host).todo().getFirst().kind())) {
            one(draft, host);
        }
        tidy(draft, host);
    }

    void one(HandoffDraft draft, int host) {
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
                // It counts lapses from here on; a gate that is closed opens after a renewal only.
                draft.vm(host, vm.guest(vm.version(), op.a(), vm.lapsed()).stale(false));
                draft.execute(host, resumesByLooking());
            }
            case TAKE_BACK -> {
                if (reusesStateEarly()) {
                    draft.region = draft.region.blob(OwnerWord.epoch(op.a()), Blob.NONE);
                }
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
            case PRELAUNCH, ARMED, REFUSED, SPIN, DISCARD, CLEAR_MARK, ADOPT, WINDOW_PASSED, TELL_PASSED, RUNNING,
                    GIVEN_BACK ->
                runTarget(draft, host, op);
            case RIGHT_LAPSED -> {
                feedSource(draft, host, new SourceCore.Event.RightLapsed(), 0);
                draft.vm(host, draft.vm(host).then(Op.of(Do.STOP_GUEST)));
            }
            case RENEW -> renewed(draft, host);
            case RUN_RENEWED -> runRenewed(draft, host);
        }
    }

    /// The keeper hears of it and lets VMs run; that they are run is a task of its own.
    private void renewed(HandoffDraft draft, int host) {
        renew(draft, host);
        if (draft.hosts[host].right() == Right.RENEWING) {
            draft.hosts[host] = draft.hosts[host].right(Right.HELD);
        }
        if (draft.vm(host) != null) {
            draft.vm(host, draft.vm(host).enqueue(Op.of(Do.RUN_RENEWED)));
        }
    }

    /// `HostedVm.runAgain`.
    private void runRenewed(HandoffDraft draft, int host) {
        Hosted vm = draft.vm(host);
        if (vm.source() == null) {
            return;
        }
        boolean renews = vm.stale() && draft.hosts[host].right() == Right.HELD
                && vm.source().phase() == SourceCore.Phase.IDLE;
        if (renews) {
            draft.vm(host, vm.todo(prepend(vm.todo(), Op.of(Do.RUN_RENEWED))));
            renew(draft, host);
        } else if (runsIn(vm.source().phase()) && !vm.exec()) {
            draft.execute(host, resumesByLooking());
        }
    }

    /// The phases in which the guest is to run.
    boolean runsIn(SourceCore.Phase phase) {
        return phase == SourceCore.Phase.IDLE || phase == SourceCore.Phase.WINDOW;
    }

    static List<Op> prepend(List<Op> ops, Op first) {
        List<Op> all = new java.util.ArrayList<>();
        all.add(first);
        all.addAll(ops);
        return all;
    }

    /// A guest that does not run cannot be stopped for a switch.
    void save(HandoffDraft draft, int host, Op op) {
        Hosted vm = draft.vm(host);
        if (!vm.exec()) {
            feedSource(draft, host, new SourceCore.Event.SaveFailed(WHY, true), 0);
            return;
        }
        draft.storesAs(host, "state");
        draft.region = draft.region.blob(op.a() + 1, new Blob(op.a() + 1, false, 0));
        draft.vm(host, vm.exec(false).todo(prepend(vm.todo(), Op.of(Do.PUBLISH, op.a(), op.b()))));
    }

    static void answer(HandoffDraft draft, int host, Op op) {
        SourceCore.Outcome outcome = OUTCOMES.get((int) op.b());
        Hosted vm = draft.vm(host);
        if (outcome != SourceCore.Outcome.STAYED && outcome != SourceCore.Outcome.REFUSED) {
            draft.answer(Kind.SWITCHED, vm.orderTerm(), op.a(), host, outcome == SourceCore.Outcome.HANDED_OVER);
        }
        draft.vm(host, vm.answerTo(0, vm.prepareTerm(), vm.windowSeq()));
    }

    void runTarget(HandoffDraft draft, int host, Op op) {
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
            case ADOPT -> {
                Hosted adopted = vm.target(null).incoming(null)
                        .source(SourceCore.State.running(slot(host), op.a()));
                draft.vm(host, adopted.stale() ? adopted.then(Op.of(Do.RUN_RENEWED)) : adopted);
            }
            case WINDOW_PASSED -> draft.vm(host, vm.then(Op.of(Do.CLEAR_MARK)).then(Op.of(Do.TELL_PASSED)));
            case TELL_PASSED -> windowPassed(draft, host);
            case RUNNING -> feedTarget(draft, host, new TargetCore.Event.Running(op.a()), 0);
            case GIVEN_BACK -> feedTarget(draft, host, new TargetCore.Event.Refused(WHY), 0);
            default -> throw new IllegalStateException("not the target's: " + op);
        }
    }

    static void windowPassed(HandoffDraft draft, int host) {
        Hosted vm = draft.vm(host);
        int source = sourceOf(draft, vm.windowSeq());
        draft.vm(host, vm.answerTo(vm.orderTerm(), vm.prepareTerm(), 0));
        if (source >= 0) {
            draft.send(new Message(Kind.WINDOW_PASSED, 0, vm.windowSeq(), 0, source, host, false));
        }
    }

    /// Who asked for that intent's window, if it still waits.
    static int sourceOf(HandoffDraft draft, long seq) {
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
        draft.vm(host, vm.guest(vm.version(), epoch, false).stale(false));
        feedSource(draft, host, new SourceCore.Event.EpochMoved(epoch), 0);
    }
}

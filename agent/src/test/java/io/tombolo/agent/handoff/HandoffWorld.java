package io.tombolo.agent.handoff;

import io.tombolo.region.FromWord;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;

/// A whole hand-off as one value: two hosts, the region's words, what is in flight. Every enabled step of anybody is
/// one transition, so a breadth-first walk meets every interleaving, every crash between two steps and every late
/// message.
///
/// Time is not modelled: a deadline may pass as soon as it is armed. The cores are the shipped ones; only their edges
/// are replaced, one effect per transition.
///
/// @param owner the owner word
/// @param from the take-back right
/// @param spin whether the target says that it spins
/// @param a source core, `aAlive` its process, `aExec` whether its vCPU executes, `aTodo` effects not yet carried out
/// @param aSaved the vCPU is stopped and the state published, the CAS is next
/// @param b target core, `bSeen` the offer its thread acts on (0 none), `bClaimed` whether it claimed it
/// @param window a window request is on its way
/// @param orders orders and preparations the coordinator still sends
/// @param faults crashes and lapses still allowed
/// @param claims whether the driver claims before it loads
/// @param mayRefuse whether the target may still find the state unusable
/// @param copies whether the order says to send the pages first
record HandoffWorld(long owner, long from, boolean spin, SourceCore.State a, boolean aAlive, boolean aExec,
        List<SourceCore.Effect> aTodo, boolean aSaved, TargetCore.State b, boolean bAlive, boolean bExec,
        boolean bRight,
        long bSeen, boolean bClaimed, boolean window, int orders, int faults, boolean claims, boolean mayRefuse,
        boolean copies) {
    static final int A = 1;
    static final int B = 2;
    static final long INTENT = 7;
    private static final long EPOCH = 10;
    private static final SourceCore.Bounds BOUNDS = new SourceCore.Bounds(1, 1, 1);

    static HandoffWorld start(int faults, boolean claims, boolean mayRefuse, boolean copies) {
        return new HandoffWorld(OwnerWord.pack(OwnerState.RUNNING, A, EPOCH), FromWord.NONE, false,
                SourceCore.State.running(A, EPOCH), true, true, List.of(), false, TargetCore.State.idle(B), true, false,
                true, 0, false, false, 2, faults, claims, mayRefuse, copies);
    }

    /// What is wrong with this world, if anything.
    Optional<String> violation() {
        if (aAlive && aExec && bAlive && bExec) {
            return Optional.of("two runners");
        }
        if (aAlive && aExec && owner != OwnerWord.pack(OwnerState.RUNNING, A, a.epoch())) {
            return Optional
                    .of("A executes at epoch " + a.epoch() + " but the owner word is " + OwnerWord.describe(owner));
        }
        if (bAlive && bExec && (OwnerWord.state(owner) != OwnerState.RUNNING || OwnerWord.slot(owner) != B)) {
            return Optional.of("B executes but the owner word is " + OwnerWord.describe(owner));
        }
        return Optional.empty();
    }

    /// Whether a world in which nothing more happens by itself is one of the ends that the case table allows.
    Optional<String> badEnd() {
        boolean namesA = OwnerWord.slot(owner) == A;
        boolean namedAlive = namesA ? aAlive : bAlive;
        boolean runs = namesA ? aExec : bExec;
        if (OwnerWord.state(owner) == OwnerState.RUNNING) {
            return runs || !namedAlive
                    ? Optional.empty()
                    : Optional.of("owner " + OwnerWord.describe(owner) + " is alive and does not run the VM");
        }
        // Offered or claimed for good only if whoever could act is dead.
        boolean sourceCanAct = OwnerWord.state(owner) == OwnerState.OFFERED && FromWord.allows(from, A, owner)
                && aAlive;
        return namedAlive || sourceCanAct ? Optional.of("stuck at " + OwnerWord.describe(owner)) : Optional.empty();
    }

    /// Every step that anybody can take from here, with a name for the trace.
    void steps(BiConsumer<String, HandoffWorld> to) {
        coordinator(to);
        if (aAlive) {
            source(to);
        }
        if (bAlive) {
            target(to);
        }
        faults(to);
    }

    private void coordinator(BiConsumer<String, HandoffWorld> to) {
        if (orders > 0 && bAlive) {
            to.accept("K prepares B",
                    feedB(new TargetCore.Event.Prepare(INTENT, EPOCH, A)).with(w -> w.orders = orders - 1));
        }
        if (bAlive && b.phase() == TargetCore.Phase.IDLE && OwnerWord.state(owner) == OwnerState.OFFERED
                && OwnerWord.slot(owner) == B) {
            // The offer came after the preparation had been given up; the intent is open until somebody runs the VM.
            to.accept("K prepares B again", feedB(new TargetCore.Event.Prepare(INTENT, EPOCH, A)));
        }
        if (orders > 0 && aAlive && aTodo.isEmpty() && b.phase() == TargetCore.Phase.ARMED) {
            // The order may be a late or repeated one: the core must cope.
            to.accept("K orders A",
                    feedA(new SourceCore.Event.Order(INTENT, EPOCH, B, copies)).with(w -> w.orders = orders - 1));
        }
        boolean mayAbort = a.phase() == SourceCore.Phase.WINDOW || a.phase() == SourceCore.Phase.COPYING;
        if (aAlive && aTodo.isEmpty() && mayAbort) {
            to.accept("K aborts at A", feedA(new SourceCore.Event.Abort(INTENT)).with(w -> w.orders = 0));
        }
        boolean cancelIsDue = a.phase() == SourceCore.Phase.IDLE || !aAlive;
        if (bAlive && cancelIsDue && b.phase() == TargetCore.Phase.ARMED) {
            to.accept("K cancels B", feedB(new TargetCore.Event.Cancel(INTENT, owner)).with(w -> w.orders = 0));
        }
    }

    private void source(BiConsumer<String, HandoffWorld> to) {
        if (!aTodo.isEmpty()) {
            carryOut(to);
            return;
        }
        switch (a.phase()) {
            case WINDOW -> {
                if (spin) {
                    to.accept("A sees B spin", feedA(new SourceCore.Event.TargetSpins(INTENT)));
                } else if (!window) {
                    to.accept("A hears that B's window passed", feedA(new SourceCore.Event.WindowPassed(INTENT)));
                    to.accept("A hears that B does not spin",
                            feedA(new SourceCore.Event.WindowRefused(INTENT, "test")));
                }
                to.accept("A's window passes", feedA(new SourceCore.Event.Tick()));
            }
            case COPYING -> {
                to.accept("A has sent its pages", feedA(new SourceCore.Event.Copied(INTENT)));
                to.accept("A cannot send its pages", feedA(new SourceCore.Event.CopyEnded(INTENT, "test")));
            }
            case OFFERED -> {
                HandoffWorld seen = feedA(new SourceCore.Event.OwnerSeen(owner));
                if (!seen.equals(this)) {
                    to.accept("A looks", seen);
                }
                HandoffWorld late = feedA(new SourceCore.Event.Tick());
                if (!late.equals(this)) {
                    to.accept("A's take-back bound passes", late);
                }
            }
            case IDLE, QUIESCING, GONE -> {
            }
        }
        if (!a.rightFresh()) {
            to.accept("A's right is fresh", renewA());
        }
    }

    private HandoffWorld renewA() {
        HandoffWorld fresh = feedA(new SourceCore.Event.RightFresh());
        boolean ours = a.phase() == SourceCore.Phase.IDLE && OwnerWord.slot(owner) == A
                && OwnerWord.state(owner) == OwnerState.RUNNING;
        if (!ours) {
            return fresh;
        }
        long epoch = OwnerWord.epoch(owner) + 1;
        return fresh.with(w -> w.owner = OwnerWord.pack(OwnerState.RUNNING, A, epoch))
                .feedA(new SourceCore.Event.EpochMoved(epoch)).with(w -> w.aExec = true);
    }

    private void carryOut(BiConsumer<String, HandoffWorld> to) {
        SourceCore.Effect effect = aTodo.getFirst();
        HandoffWorld done = with(w -> w.aTodo = aTodo.subList(1, aTodo.size()));
        switch (effect) {
            case SourceCore.Effect.WriteArmed _,SourceCore.Effect.ClearArmed _,SourceCore.Effect.Answer _ ->
                to.accept("A: " + effect, done);
            case SourceCore.Effect.BeginCopy _ -> to.accept("A begins to send pages", done);
            case SourceCore.Effect.EndCopy _ -> to.accept("A sends no more pages", done);
            case SourceCore.Effect.OpenWindow _ -> to.accept("A asks B to spin", done.with(w -> w.window = true));
            case SourceCore.Effect.Resume _ -> to.accept("A runs the guest", done.with(w -> w.aExec = true));
            case SourceCore.Effect.Reap _ -> to.accept("A reaps its guest", done.with(w -> w.aExec = false));
            case SourceCore.Effect.TakeBack back -> {
                boolean won = owner == back.expect();
                long word = won ? OwnerWord.pack(OwnerState.RUNNING, A, back.epoch()) : owner;
                to.accept(won ? "A takes back" : "A fails to take back",
                        done.with(w -> w.owner = word).feedA(new SourceCore.Event.OwnerSeen(word)));
            }
            case SourceCore.Effect.Quiesce quiesce -> {
                if (!aSaved) {
                    to.accept("A stops and saves", with(w -> {
                        w.aExec = false;
                        w.aSaved = true;
                        w.from = FromWord.pack(A, quiesce.epoch() + 1);
                    }));
                    to.accept("A cannot save",
                            done.with(w -> w.aExec = false).feedA(new SourceCore.Event.SaveFailed("test", true)));
                    return;
                }
                boolean won = owner == OwnerWord.pack(OwnerState.RUNNING, A, quiesce.epoch());
                long word = won ? OwnerWord.pack(OwnerState.OFFERED, quiesce.target(), quiesce.epoch() + 1) : owner;
                to.accept(won ? "A offers" : "A's offer loses", done.with(w -> {
                    w.owner = word;
                    w.aSaved = false;
                }).feedA(won ? new SourceCore.Event.OfferWon(word) : new SourceCore.Event.OfferLost(word)));
            }
        }
    }

    private void target(BiConsumer<String, HandoffWorld> to) {
        if (!bRight) {
            to.accept("B's right is fresh", with(w -> w.bRight = true));
        }
        if (b.phase() == TargetCore.Phase.PREPARING) {
            to.accept("B is armed", feedB(new TargetCore.Event.Prelaunched()));
            to.accept("B cannot prepare", feedB(new TargetCore.Event.PrelaunchFailed("test")).with(w -> w.orders = 0));
        }
        if (window) {
            to.accept("B opens its window", feedB(new TargetCore.Event.OpenWindow(INTENT))
                    .with(w -> {
                        w.window = false;
                        w.spin = b.phase() == TargetCore.Phase.ARMED;
                    }));
        }
        if (b.phase() != TargetCore.Phase.ARMED) {
            return;
        }
        if (spin) {
            to.accept("B's window passes", with(w -> w.spin = false));
        }
        boolean offered = OwnerWord.state(owner) == OwnerState.OFFERED && OwnerWord.slot(owner) == B
                && OwnerWord.epoch(owner) > EPOCH;
        if (bSeen == 0) {
            if (offered && bRight) {
                to.accept("B sees the offer", with(w -> w.bSeen = owner));
            }
            HandoffWorld late = feedB(new TargetCore.Event.Tick(owner));
            if (!late.equals(this)) {
                to.accept("B's preparation outlives itself", late.with(w -> w.orders = 0));
            }
            return;
        }
        if (mayRefuse) {
            boolean given = owner == bSeen && OwnerWord.epoch(from) == OwnerWord.epoch(owner);
            to.accept("B refuses the state", feedB(new TargetCore.Event.Refused("test")).with(w -> {
                w.owner = given
                        ? OwnerWord.pack(OwnerState.OFFERED, FromWord.slot(from), OwnerWord.epoch(owner) + 1)
                        : owner;
                w.bSeen = 0;
                w.mayRefuse = false;
            }));
        }
        OwnerState next = claims && !bClaimed ? OwnerState.CLAIMED : OwnerState.RUNNING;
        long word = OwnerWord.pack(next, B, OwnerWord.epoch(bSeen));
        if (owner != bSeen) {
            to.accept("B's CAS loses", with(w -> w.bSeen = 0));
        } else if (next == OwnerState.CLAIMED) {
            to.accept("B claims", with(w -> {
                w.owner = word;
                w.bSeen = word;
                w.bClaimed = true;
            }));
        } else {
            to.accept("B runs", with(w -> {
                w.owner = word;
                w.bExec = true;
                w.bSeen = 0;
            }).feedB(new TargetCore.Event.Running(word)));
        }
    }

    private void faults(BiConsumer<String, HandoffWorld> to) {
        if (faults == 0) {
            return;
        }
        if (aAlive) {
            to.accept("A dies", with(w -> {
                w.aAlive = false;
                w.aExec = false;
                w.aTodo = List.of();
                w.faults = faults - 1;
            }));
            if (a.rightFresh() && aTodo.isEmpty()) {
                // What the agent does at a lapse: the guest of a VM that is not leaving stops at once.
                to.accept("A's right lapses", feedA(new SourceCore.Event.RightLapsed()).with(w -> {
                    w.faults = faults - 1;
                    w.aExec = false;
                }));
            }
        }
        if (bAlive) {
            to.accept("B dies", with(w -> {
                w.bAlive = false;
                w.bExec = false;
                w.bSeen = 0;
                w.spin = false;
                w.faults = faults - 1;
            }));
            if (bRight) {
                to.accept("B's right lapses", with(w -> {
                    w.bRight = false;
                    w.faults = faults - 1;
                }));
            }
        }
    }

    private HandoffWorld feedA(SourceCore.Event event) {
        long now = event instanceof SourceCore.Event.Tick ? 2 : 0;
        Step<SourceCore.State, SourceCore.Effect> step = SourceCore.step(a, event, now, BOUNDS);
        List<SourceCore.Effect> todo = new ArrayList<>(aTodo);
        todo.addAll(step.effects());
        return with(w -> {
            w.a = step.state();
            w.aTodo = List.copyOf(todo);
        });
    }

    private HandoffWorld feedB(TargetCore.Event event) {
        long now = event instanceof TargetCore.Event.Tick ? 2 : 0;
        return with(w -> w.b = TargetCore.step(b, event, now, 1).state());
    }

    private HandoffWorld with(java.util.function.Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.world();
    }

    /// The fields that change, for one transition.
    private static final class Draft {
        private final HandoffWorld was;
        private long owner;
        private long from;
        private boolean spin;
        private SourceCore.State a;
        private boolean aAlive;
        private boolean aExec;
        private List<SourceCore.Effect> aTodo;
        private boolean aSaved;
        private TargetCore.State b;
        private boolean bAlive;
        private boolean bExec;
        private boolean bRight;
        private long bSeen;
        private boolean bClaimed;
        private boolean window;
        private int orders;
        private int faults;
        private boolean mayRefuse;

        Draft(HandoffWorld w) {
            was = w;
            owner = w.owner;
            from = w.from;
            spin = w.spin;
            a = w.a;
            aAlive = w.aAlive;
            aExec = w.aExec;
            aTodo = w.aTodo;
            aSaved = w.aSaved;
            b = w.b;
            bAlive = w.bAlive;
            bExec = w.bExec;
            bRight = w.bRight;
            bSeen = w.bSeen;
            bClaimed = w.bClaimed;
            window = w.window;
            orders = w.orders;
            faults = w.faults;
            mayRefuse = w.mayRefuse;
        }

        HandoffWorld world() {
            return new HandoffWorld(owner, from, spin, a, aAlive, aExec, aTodo, aSaved, b, bAlive, bExec, bRight, bSeen,
                    bClaimed, window, orders, faults, was.claims, mayRefuse,
                    was.copies);
        }
    }
}

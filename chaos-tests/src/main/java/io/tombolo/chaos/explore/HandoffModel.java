package io.tombolo.chaos.explore;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.chaos.explore.HandoffWorld.Blob;
import io.tombolo.chaos.explore.HandoffWorld.Budget;
import io.tombolo.chaos.explore.HandoffWorld.Host;
import io.tombolo.chaos.explore.HandoffWorld.Hosted;
import io.tombolo.chaos.explore.HandoffWorld.Leaders;
import io.tombolo.chaos.explore.HandoffWorld.Message;
import io.tombolo.chaos.explore.HandoffWorld.Messages;
import io.tombolo.chaos.explore.HandoffWorld.Region;
import io.tombolo.chaos.explore.HandoffWorld.Right;
import io.tombolo.chaos.explore.HandoffWorld.Runner;
import io.tombolo.region.FromWord;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Hand-offs of one VM between three hosts: the agents' cores and edges, the leader and one that has been replaced.
final class HandoffModel implements Model<HandoffWorld> {
    private static final long EPOCH = 10;

    private final AgentSteps agents;
    private final LeaderSteps leaders;
    private final int faults;
    private final int moves;
    private final boolean early;
    private final boolean claims;

    /// @param early whether something may go wrong before the first hand-off was begun
    HandoffModel(AgentSteps agents, LeaderSteps leaders, int faults, int moves, boolean early,
            boolean claims) {
        this.agents = requireNonNull(agents, "agents is null");
        this.leaders = requireNonNull(leaders, "leaders is null");
        this.faults = faults;
        this.moves = moves;
        this.early = early;
        this.claims = claims;
    }

    @Override
    public String name() {
        return "hand-off";
    }

    @Override
    public List<String> bounds() {
        return List.of(HandoffWorld.HOSTS + " hosts, 1 VM, a driver that "
                + (claims ? "claims it before it loads" : "only reads before it runs"),
                moves + (moves == 1 ? " hand-off" : " hand-offs") + ", begun one after the other",
                faults + (faults == 1 ? " fault" : " faults")
                        + " after the first was begun: death of a host, fencing of"
                        + " a host, session of a host that ends, which its right keeper notices at some time, leader replaced while it goes on, message"
                        + " lost, outcome of a close unheard, guest that cannot be prepared, state that cannot be saved"
                        + " or used",
                "any limit may pass at any time; of two equal messages under way one is kept");
    }

    @Override
    public List<HandoffWorld> starts() {
        Region region = new Region(OwnerWord.pack(OwnerState.RUNNING, 1, EPOCH), FromWord.NONE, 0, 0, false, 0,
                Blob.NONE, Blob.NONE, EPOCH, null);
        Host idle = new Host(true, true, Right.HELD, 0, 0, null);
        Hosted running = Hosted.NOTHING.source(SourceCore.State.running(1, EPOCH)).exec(true)
                .guest(EPOCH, EPOCH, false);
        return List.of(new HandoffWorld(region, idle.vm(running), idle, idle,
                new Leaders(1, null, null, null, 0, moves), Messages.NONE, new Budget(faults, claims)));
    }

    @Override
    public void steps(HandoffWorld world, Steps<HandoffWorld> to) {
        for (int host = 0; host < HandoffWorld.HOSTS; host++) {
            if (AgentSteps.isPrivate(world, host)) {
                agents.steps(world, host, to);
                if (world.budget().faults() > 0) {
                    faults(world, host, to);
                }
                return;
            }
        }
        leaders.steps(world, to);
        for (int host = 0; host < HandoffWorld.HOSTS; host++) {
            agents.steps(world, host, to);
            if (!world.host(host).alive() && world.host(host).registered()) {
                HandoffDraft draft = new HandoffDraft(world);
                draft.hosts[host] = world.host(host).registered(false);
                to.step("ZooKeeper", "ends the session of " + HandoffWorld.name(host), draft.world());
            }
        }
        if (world.budget().faults() > 0 && (early || world.leaders().seq() > 0)) {
            faults(world, to);
        }
    }

    private void faults(HandoffWorld world, Steps<HandoffWorld> to) {
        for (int host = 0; host < HandoffWorld.HOSTS; host++) {
            faults(world, host, to);
        }
        if (world.leaders().intent() != null && world.leaders().current() != null) {
            HandoffDraft draft = new HandoffDraft(world);
            Leaders was = draft.leaders;
            draft.leaders = new Leaders(was.term() + 1, null, was.current(), was.intent(), was.seq(), was.moves());
            to.fault("K", "is replaced, and does not know", faulty(draft));
        }
        for (Message message : world.messages().all()) {
            HandoffDraft draft = new HandoffDraft(world);
            draft.messages = draft.messages.minus(message);
            to.fault("network", "loses " + message.kind(), faulty(draft));
        }
    }

    private void faults(HandoffWorld world, int host, Steps<HandoffWorld> to) {
        Host own = world.host(host);
        // A host that has no part in anything can do no harm by failing.
        if (!own.alive() || (own.vm() == null && !isNamed(world, host))) {
            return;
        }
        String who = HandoffWorld.name(host);
        HandoffDraft dead = new HandoffDraft(world);
        dead.hosts[host] = dead(own);
        to.fault(who, "dies", faulty(dead));
        fence(world, host, to);
        // Its right lapses when it notices; a lapse for another reason is the same to everybody else.
        if (own.right() == Right.HELD && own.registered()) {
            HandoffDraft silent = new HandoffDraft(world);
            silent.hosts[host] = own.registered(false);
            to.fault(who, "its session ends, and it does not know", faulty(silent));
        }
    }

    static Host dead(Host host) {
        return new Host(false, host.registered(), Right.HELD, 0, 0, null);
    }

    /// Whoever fences a host takes its right to take VMs back in the same go: `Recovery.withdrawTakeBack`.
    private static void fence(HandoffWorld world, int host, Steps<HandoffWorld> to) {
        long owner = world.region().owner();
        if (FromWord.allows(world.region().from(), HandoffDraft.slot(host), owner)
                && world.host(host).right() != Right.FENCED) {
            HandoffDraft draft = new HandoffDraft(world);
            draft.hosts[host] = world.host(host).right(Right.FENCED);
            draft.region = draft.region.owner(
                    OwnerWord.pack(OwnerState.OFFERED, OwnerWord.slot(owner), OwnerWord.epoch(owner) + 1));
            to.fault(HandoffWorld.name(host), "is fenced", faulty(draft));
        }
    }

    private static HandoffWorld faulty(HandoffDraft draft) {
        draft.budget = draft.budget.fault();
        return draft.world();
    }

    private static boolean isNamed(HandoffWorld world, int host) {
        int slot = HandoffDraft.slot(host);
        boolean byIntent = world.leaders().intent() != null
                && (world.leaders().intent().fromSlot() == slot || world.leaders().intent().toSlot() == slot);
        return byIntent || OwnerWord.slot(world.region().owner()) == slot;
    }

    @Override
    public Optional<String> violation(HandoffWorld world) {
        if (world.region().wrong() != null) {
            return Optional.of(world.region().wrong());
        }
        if (isStateLost(world.region())) {
            return Optional.of("I5: the VM is " + HandoffFacts.owner(world.region().owner())
                    + ", and its state is not in the region");
        }
        int runners = 0;
        for (int host = 0; host < HandoffWorld.HOSTS; host++) {
            Hosted vm = world.host(host).vm();
            if (vm == null || !vm.exec()) {
                continue;
            }
            runners++;
            if (world.region().owner() != OwnerWord.pack(OwnerState.RUNNING, host + 1, vm.runEpoch())) {
                return Optional.of("I1: " + HandoffWorld.name(host) + " executes at epoch " + vm.runEpoch()
                        + " though the owner word is " + OwnerWord.describe(world.region().owner()));
            }
        }
        return runners > 1 ? Optional.of("I1: two runners") : Optional.empty();
    }

    /// Until the VM runs again, whoever has to go on with it finds the state that was offered.
    private static boolean isStateLost(Region region) {
        long owner = region.owner();
        long offered = FromWord.epoch(region.from());
        boolean onItsWay = (OwnerWord.is(owner, OwnerState.OFFERED) || OwnerWord.is(owner, OwnerState.CLAIMED))
                && OwnerWord.slot(owner) != FromWord.slot(region.from());
        // Fencing raises the epoch of an offer by one.
        boolean same = OwnerWord.epoch(owner) == offered || OwnerWord.epoch(owner) == offered + 1;
        return onItsWay && same && !(region.blob(offered).valid() && region.blob(offered).epoch() == offered);
    }

    /// The guest runs and no intent is open; or whoever could act is dead, as rows 4, 11 and 13 of the case table have
    /// it.
    @Override
    public boolean isGood(HandoffWorld world) {
        long owner = world.region().owner();
        int named = OwnerWord.slot(owner) - 1;
        Host host = world.host(named);
        if (OwnerWord.is(owner, OwnerState.RUNNING)) {
            return host.alive() ? host.vm() != null && host.vm().exec() && isQuiet(world) : true;
        }
        int from = FromWord.slot(world.region().from()) - 1;
        boolean sourceCanAct = OwnerWord.is(owner, OwnerState.OFFERED) && from >= 0
                && FromWord.allows(world.region().from(), from + 1, owner) && world.host(from).alive();
        // The source was fenced, and the target cannot load what it has claimed: nobody may be given the VM.
        boolean refusedForGood = OwnerWord.is(owner, OwnerState.CLAIMED) && !loads(host)
                && FromWord.epoch(world.region().from()) != OwnerWord.epoch(owner);
        return refusedForGood || (!host.alive() && !sourceCanAct);
    }

    private static boolean loads(Host host) {
        HandoffWorld.Incoming in = host.vm() == null ? null : host.vm().incoming();
        return in != null && (in.at() == HandoffWorld.At.CLAIMED || in.at() == HandoffWorld.At.REFUSES);
    }

    private static boolean isQuiet(HandoffWorld world) {
        Leaders leaders = world.leaders();
        return leaders.intent() == null && isOver(leaders.current());
    }

    private static boolean isOver(Runner runner) {
        return runner == null;
    }

    @Override
    public Map<String, String> facts(HandoffWorld world) {
        return HandoffFacts.of(world);
    }

    @Override
    public Object[] parts(HandoffWorld world) {
        return new Object[]{world.region(), world.a(), world.b(), world.c(), world.leaders(), world.messages(),
                world.budget()};
    }

    @Override
    public HandoffWorld of(Object[] parts) {
        return new HandoffWorld((Region) parts[0], (Host) parts[1], (Host) parts[2], (Host) parts[3],
                (Leaders) parts[4], (Messages) parts[5], (Budget) parts[6]);
    }
}

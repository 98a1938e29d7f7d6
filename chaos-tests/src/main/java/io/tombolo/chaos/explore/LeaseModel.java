package io.tombolo.chaos.explore;

import io.tombolo.agent.right.RightEffect;
import io.tombolo.agent.right.RightEvent;
import io.tombolo.agent.right.RightKeeper;
import io.tombolo.agent.right.RightPhase;
import io.tombolo.agent.right.RightState;
import io.tombolo.agent.right.Timings;
import io.tombolo.chaos.explore.LeaseWorld.Around;
import io.tombolo.chaos.explore.LeaseWorld.Guest;
import io.tombolo.chaos.explore.LeaseWorld.Keeper;
import io.tombolo.chaos.explore.LeaseWorld.Takeover;
import io.tombolo.chaos.explore.LeaseWorld.Task;
import io.tombolo.chaos.explore.LeaseWorld.Vcpu;
import io.tombolo.chaos.explore.LeaseWorld.Words;
import io.tombolo.region.HostState;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.SlotWord;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Keeping the right to run: the shipped right keeper with its loop, the check board, the VM's control thread and its
/// vCPU, in the order in which `RightLoop`, `CheckBoard`, `Agent` and `HostedVm` do it; and another host that fences
/// this one and takes the VM over when it is confirmed stopped.
class LeaseModel implements Model<LeaseWorld> {
    private static final Timings TIMINGS = new Timings(Timings.MIN_BASE_MS);
    private static final long STEP_NS = TIMINGS.baseMs() * 1_000_000L;
    private static final long NOW = LeaseWorld.NOW_NS;
    /// What is older is as good as older still.
    private static final long OLD = NOW - 8 * STEP_NS;
    private static final long EPOCH = 10;
    private static final int A = 1;
    private static final int C = 3;
    private static final long LIVE = SlotWord.pack(HostState.LIVE, 4);

    private final RightKeeper core = new RightKeeper(TIMINGS, LIVE, true);
    private final int faults;

    LeaseModel(int faults) {
        this.faults = faults;
    }

    @Override
    public String name() {
        return "lease";
    }

    @Override
    public List<String> bounds() {
        return List.of(
                "2 hosts, 1 VM with 1 vCPU; time in steps of " + TIMINGS.baseMs() + " ms, deadline 3 steps after a"
                        + " heartbeat was sent, watchdog 2 steps after the oldest check",
                faults + (faults == 1 ? " fault" : " faults")
                        + ": deadline passed, vCPU thread that stands still, BOOTTIME jump, session lost, supervisor"
                        + " lost, host fenced, host dies",
                "one heartbeat under way at a time; what is 8 steps old is as good as older");
    }

    @Override
    public List<LeaseWorld> starts() {
        return List.of(new LeaseWorld(new Words(OwnerWord.pack(OwnerState.RUNNING, A, EPOCH), LIVE, null),
                new Keeper(canonical(core.initial(NOW)), Long.MIN_VALUE, List.of(), 0),
                new Guest(Vcpu.STOPPED, 0, false, EPOCH, true, true),
                new Around(true, true, 0, Takeover.NONE, faults)));
    }

    /// One world while a step changes it.
    private static final class Draft {
        Words words;
        Keeper keeper;
        Guest guest;
        Around around;

        Draft(LeaseWorld was) {
            words = was.words();
            keeper = was.keeper();
            guest = was.guest();
            around = was.around();
        }

        LeaseWorld world() {
            return new LeaseWorld(words, keeper, guest, around);
        }
    }

    @Override
    public void steps(LeaseWorld world, Steps<LeaseWorld> to) {
        if (world.around().alive()) {
            keeper(world, to);
            control(world, to);
            vcpu(world, to);
            environment(world, to);
        }
        takeover(world, to);
        time(world, to);
    }

    // ---- the right keeper's thread: RightLoop

    private void keeper(LeaseWorld world, Steps<LeaseWorld> to) {
        RightState state = world.keeper().state();
        if (state.phase() == RightPhase.ENDED) {
            return;
        }
        take(world, "looks at the slot word", new RightEvent.SlotWordSeen(world.words().slot()), to);
        boolean stopping = state.phase() == RightPhase.STOPPING || state.phase() == RightPhase.ENDING;
        if (stopping && allStopped(world.guest())) {
            take(world, "finds that nothing stores any more",
                    new RightEvent.StoringStopped(state.phase() == RightPhase.ENDING && guestsGone(world.guest())), to);
        }
        if (world.keeper().renewDone() != 0) {
            Draft draft = new Draft(world);
            draft.keeper = draft.keeper.renewDone(0);
            take(draft.world(), "hears that the VM is renewed",
                    new RightEvent.RenewDone(world.keeper().renewDone()), to);
        }
        take(world, world.around().supervisor() ? "pets" : "cannot pet", world.around().supervisor()
                ? new RightEvent.SupervisorSeen()
                : new RightEvent.SupervisorLost(), to);
        if (world.around().heartbeatNs() != 0) {
            Draft draft = new Draft(world);
            draft.around = draft.around.heartbeat(0);
            take(draft.world(), "hears of its heartbeat",
                    new RightEvent.HeartbeatConfirmed(world.around().heartbeatNs(), TIMINGS.sessionMs()), to);
        }
    }

    /// Whether no registered thread stores, as the board shows it.
    boolean allStopped(Guest guest) {
        return guest.vcpu() == Vcpu.STOPPED;
    }

    boolean guestsGone(Guest guest) {
        return !guest.here();
    }

    private void take(LeaseWorld world, String what, RightEvent event, Steps<LeaseWorld> to) {
        LeaseWorld after = fed(world, event);
        if (!after.equals(world)) {
            to.step("keeper", what, after);
        }
    }

    private LeaseWorld fed(LeaseWorld world, RightEvent event) {
        Draft draft = new Draft(world);
        RightKeeper.Step step = core.step(world.keeper().state(), event, NOW);
        if (world.keeper().state().held() && !step.state().held()) {
            draft.guest = draft.guest.lapse();
        }
        draft.keeper = draft.keeper.state(canonical(step.state()));
        for (RightEffect effect : step.effects()) {
            perform(draft, effect, step.state());
        }
        if (step.state().held()) {
            draft.keeper = draft.keeper.gate(step.state().deadlineNs());
        }
        return draft.world();
    }

    private void perform(Draft draft, RightEffect effect, RightState state) {
        switch (effect) {
            case RightEffect.Warn _ -> {
                // For people.
            }
            case RightEffect.PauseAll pause -> draft.keeper = draft.keeper.gate(Long.MIN_VALUE)
                    .then(pause.terminal() ? Task.KILL : Task.STOP, 0);
            case RightEffect.RenewAll(long generation) -> draft.keeper = draft.keeper.then(Task.RENEW, generation);
            case RightEffect.ResumeAll _ -> draft.keeper = draft.keeper.gate(state.deadlineNs()).then(Task.RUN, 0);
            case RightEffect.StopVm _ -> draft.keeper = draft.keeper.then(Task.KILL, 0);
            case RightEffect.SayStopped _ -> {
                HostState found = SlotWord.state(draft.words.slot());
                if (found == HostState.LIVE || found == HostState.FENCING) {
                    draft.words = draft.words.slot(SlotWord.pack(HostState.STOPPED, 4));
                    if (draft.guest.vcpu() != Vcpu.STOPPED) {
                        draft.words = draft.words.wrong("I2: A says that it has stopped, and its vCPU has not");
                    }
                }
            }
            case RightEffect.Exit _ -> die(draft);
        }
    }

    private static void die(Draft draft) {
        draft.around = draft.around.dead();
        draft.guest = draft.guest.gone();
        draft.keeper = new Keeper(draft.keeper.state(), Long.MIN_VALUE, List.of(), 0);
    }

    /// Only the order of old instants counts, and only as far as a rule compares them.
    private static RightState canonical(RightState s) {
        long lapsed = Math.max(s.lapsedAtNs(), OLD);
        long heartbeat = s.heartbeatSentNs() >= s.lapsedAtNs()
                ? Math.max(s.heartbeatSentNs(), OLD)
                : Math.max(s.heartbeatSentNs(), OLD - 1);
        long slot = s.slotLiveSeenNs() >= s.lapsedAtNs()
                ? Math.max(s.slotLiveSeenNs(), OLD)
                : Math.max(s.slotLiveSeenNs(), OLD - 1);
        return new RightState(s.phase(), s.reason(), s.warned(), NOW, lapsed, heartbeat,
                Math.max(s.deadlineNs(), OLD), Math.max(s.warnAtNs(), OLD), slot, s.supervisor(),
                s.supervisor() ? NOW : Math.max(s.supervisorLostNs(), OLD), s.generation(), s.maySayStopped(),
                s.endByNs());
    }

    // ---- the VM's control thread

    private void control(LeaseWorld world, Steps<LeaseWorld> to) {
        if (world.keeper().tasks().isEmpty()) {
            return;
        }
        LeaseWorld.Job job = world.keeper().tasks().getFirst();
        Task task = job.task();
        // Stopping, killing and renewing ask the vCPU's thread to stop and wait for it.
        if (task != Task.RUN && world.guest().vcpu() != Vcpu.STOPPED) {
            if (world.guest().wanted()) {
                Draft asked = new Draft(world);
                asked.guest = asked.guest.wanted(false);
                to.step("control", "asks the vCPU to stop", asked.world());
            }
            return;
        }
        Draft draft = new Draft(world);
        draft.keeper = draft.keeper.taken();
        switch (task) {
            case STOP -> draft.guest = draft.guest.wanted(false);
            case KILL -> draft.guest = draft.guest.gone();
            case RENEW -> renew(draft, job.generation());
            case RUN -> draft.guest = draft.guest.wanted(draft.guest.here());
        }
        to.step("control", "does " + task, draft.world());
    }

    private void renew(Draft draft, long generation) {
        draft.keeper = draft.keeper.renewDone(generation);
        if (!draft.guest.here()) {
            return;
        }
        draft.guest = draft.guest.wanted(false);
        long expect = OwnerWord.pack(OwnerState.RUNNING, A, draft.guest.runEpoch());
        if (resumesByLooking() && draft.words.owner() == expect) {
            return;
        }
        if (draft.words.owner() != expect) {
            draft.guest = draft.guest.gone();
            return;
        }
        long epoch = draft.guest.runEpoch() + 1;
        draft.words = draft.words.owner(OwnerWord.pack(OwnerState.RUNNING, A, epoch));
        draft.guest = draft.guest.runs(epoch);
    }

    /// Whether a lapse is mended by looking at the owner word instead of by a compare-and-set.
    boolean resumesByLooking() {
        return false;
    }

    // ---- the vCPU's thread: CheckBoard.Checker

    private void vcpu(LeaseWorld world, Steps<LeaseWorld> to) {
        Guest guest = world.guest();
        switch (guest.vcpu()) {
            case STOPPED -> {
                if (guest.wanted()) {
                    Draft draft = new Draft(world);
                    draft.guest = guest.vcpu(Vcpu.STARTING, NOW);
                    to.step("vCPU", "writes its cell", draft.world());
                }
            }
            case STARTING, RUNNING -> {
                Draft draft = new Draft(world);
                boolean holds = guest.wanted() && holds(world);
                if (holds) {
                    draft.guest = guest.vcpu(Vcpu.RUNNING, NOW);
                    runs(draft);
                } else {
                    draft.guest = guest.vcpu(Vcpu.STOPPED, 0).wanted(false);
                }
                if (!draft.world().equals(world)) {
                    to.step("vCPU", holds ? "checks, and runs" : "finds its right gone, and stops", draft.world());
                }
            }
        }
        if (guest.vcpu() == Vcpu.RUNNING) {
            Draft draft = new Draft(world);
            stores(draft);
            if (!draft.world().equals(world)) {
                to.step("vCPU", "stores", draft.world());
            }
        }
    }

    /// The check: the gate is open, the slot word is its own, the owner word is the one expected.
    boolean holds(LeaseWorld world) {
        return NOW < world.keeper().gateUntilNs() && world.words().slot() == LIVE
                && world.words().owner() == OwnerWord.pack(OwnerState.RUNNING, A, world.guest().runEpoch());
    }

    private static void runs(Draft draft) {
        if (draft.guest.lapsed()) {
            draft.words = draft.words.wrong("I1: A runs after a lapse of its right without a new epoch, at "
                    + draft.guest.runEpoch());
        }
    }

    private static void stores(Draft draft) {
        if (draft.around.takeover() == Takeover.CONFIRMED || draft.around.takeover() == Takeover.RUNS) {
            draft.words = draft.words.wrong("I2: A stores to the VM's memory after it was confirmed stopped");
        }
    }

    // ---- what is round it

    private void environment(LeaseWorld world, Steps<LeaseWorld> to) {
        Around around = world.around();
        if (around.heartbeatNs() != NOW && world.keeper().state().phase() != RightPhase.ENDED) {
            Draft draft = new Draft(world);
            draft.around = around.heartbeat(NOW);
            to.step("heartbeat", "is sent", draft.world());
        }
        if (!around.supervisor()) {
            Draft draft = new Draft(world);
            draft.around = around.supervisor(true);
            to.step("supervisor", "answers again", draft.world());
        }
        if (around.faults() == 0) {
            return;
        }
        RightPhase phase = world.keeper().state().phase();
        if (phase != RightPhase.ENDED) {
            fault(new Draft(world), new RightEvent.BoottimeJump(1), "machine", "slept", to);
            fault(new Draft(world), new RightEvent.SessionLost(), "session", "is lost", to);
        }
        if (around.supervisor()) {
            Draft draft = new Draft(world);
            draft.around = around.supervisor(false).fault();
            to.fault("supervisor", "goes away", draft.world());
        }
        Draft dead = new Draft(world);
        dead.around = around.fault();
        die(dead);
        to.fault("A", "dies", dead.world());
        if (world.words().slot() == LIVE && around.takeover() == Takeover.NONE) {
            Draft fenced = new Draft(world);
            fenced.around = around.fault().takeover(Takeover.FENCED);
            fenced.words = fenced.words.slot(SlotWord.pack(HostState.FENCING, 4));
            to.fault("C", "fences A", fenced.world());
        }
    }

    private void fault(Draft draft, RightEvent event, String who, String what, Steps<LeaseWorld> to) {
        draft.around = draft.around.fault();
        to.fault(who, what, fed(draft.world(), event));
    }

    // ---- another host

    private void takeover(LeaseWorld world, Steps<LeaseWorld> to) {
        Draft draft = new Draft(world);
        long owner = world.words().owner();
        switch (world.around().takeover()) {
            case NONE -> {
                if (!world.around().alive()) {
                    draft.around = draft.around.takeover(Takeover.FENCED);
                    to.step("C", "finds A dead", draft.world());
                }
            }
            case FENCED -> {
                draft.words = draft.words.owner(
                        OwnerWord.pack(OwnerState.RECOVERING, C, OwnerWord.epoch(owner) + 1));
                draft.around = draft.around.takeover(Takeover.TAKEN);
                to.step("C", "takes the owner word", draft.world());
            }
            case TAKEN -> {
                if (isConfirmed(world)) {
                    draft.around = draft.around.takeover(Takeover.CONFIRMED);
                    to.step("C", "has A confirmed stopped", draft.world());
                }
            }
            case CONFIRMED -> {
                draft.words = draft.words.owner(
                        OwnerWord.pack(OwnerState.RUNNING, C, OwnerWord.epoch(owner)));
                draft.around = draft.around.takeover(Takeover.RUNS);
                to.step("C", "runs the VM", draft.world());
            }
            case RUNS -> {
            }
        }
    }

    /// Its own mark, or reaped.
    boolean isConfirmed(LeaseWorld world) {
        return !world.around().alive() || SlotWord.state(world.words().slot()) == HostState.STOPPED;
    }

    // ---- time

    /// Time may pass at any moment. A thread that runs checks within a step, a keeper that holds its right hears of a
    /// heartbeat before its deadline, and it looks at the clock: anything else is a fault.
    private void time(LeaseWorld world, Steps<LeaseWorld> to) {
        if (!world.around().alive()) {
            return;
        }
        Guest guest = world.guest();
        long age = guest.vcpu() == Vcpu.STOPPED ? 0 : NOW - guest.checkedNs();
        if (age >= 2 * STEP_NS && world.around().supervisor()) {
            Draft draft = new Draft(world);
            die(draft);
            to.step("supervisor", "kills A: its oldest check is too old", draft.world());
        }
        RightState state = world.keeper().state();
        boolean stalls = age >= STEP_NS;
        boolean held = state.phase() == RightPhase.HELD || state.phase() == RightPhase.RENEWING;
        boolean passes = held && state.deadlineNs() - STEP_NS <= NOW;
        Draft draft = new Draft(world);
        draft.keeper = new Keeper(shift(state),
                world.keeper().gateUntilNs() == Long.MIN_VALUE
                        ? Long.MIN_VALUE
                        : Math.max(world.keeper().gateUntilNs() - STEP_NS, OLD),
                world.keeper().tasks(), world.keeper().renewDone());
        draft.guest = guest.vcpu() == Vcpu.STOPPED
                ? guest
                : guest.vcpu(guest.vcpu(), Math.max(guest.checkedNs() - STEP_NS, OLD));
        long sent = world.around().heartbeatNs();
        draft.around = world.around().heartbeat(sent == 0 || sent - STEP_NS < OLD ? 0 : sent - STEP_NS);
        if (!stalls && !passes) {
            // The keeper ticks at every step.
            to.step("time", "passes", fed(draft.world(), new RightEvent.Tick()));
        } else if (world.around().faults() > 0) {
            draft.around = draft.around.fault();
            to.fault("time", stalls ? "passes, the vCPU's thread stands still" : "passes, and no heartbeat is heard of",
                    draft.world());
        }
    }

    private static RightState shift(RightState s) {
        return canonical(new RightState(s.phase(), s.reason(), s.warned(), NOW, back(s.lapsedAtNs()),
                back(s.heartbeatSentNs()), back(s.deadlineNs()), back(s.warnAtNs()), back(s.slotLiveSeenNs()),
                s.supervisor(), back(s.supervisorLostNs()), s.generation(), s.maySayStopped(),
                s.endByNs() == Long.MAX_VALUE ? Long.MAX_VALUE : Math.max(s.endByNs() - STEP_NS, OLD)));
    }

    private static long back(long atNs) {
        return atNs == Long.MIN_VALUE ? atNs : atNs - STEP_NS;
    }

    @Override
    public Optional<String> violation(LeaseWorld world) {
        if (world.words().wrong() != null) {
            return Optional.of(world.words().wrong());
        }
        return world.around().takeover() == Takeover.RUNS && world.guest().vcpu() == Vcpu.RUNNING
                ? Optional.of("I1: A and C both run")
                : Optional.empty();
    }

    /// The VM runs at A with its right, or at C.
    @Override
    public boolean isGood(LeaseWorld world) {
        return world.around().takeover() == Takeover.RUNS
                || (world.guest().vcpu() == Vcpu.RUNNING && world.keeper().state().held()
                        && world.keeper().tasks().isEmpty());
    }

    @Override
    public Map<String, String> facts(LeaseWorld world) {
        return LeaseFacts.of(world, STEP_NS);
    }

    @Override
    public Object[] parts(LeaseWorld world) {
        return new Object[]{world.words(), world.keeper(), world.guest(), world.around()};
    }

    @Override
    public LeaseWorld of(Object[] parts) {
        return new LeaseWorld((Words) parts[0], (Keeper) parts[1], (Guest) parts[2], (Around) parts[3]);
    }
}

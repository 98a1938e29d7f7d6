package io.tombolo.chaos.explore;

import io.tombolo.agent.right.CheckBoard;
import io.tombolo.agent.right.LapseReason;
import io.tombolo.agent.right.PetMode;
import io.tombolo.agent.right.RightEffect;
import io.tombolo.agent.right.RightEvent;
import io.tombolo.agent.right.RightKeeper;
import io.tombolo.agent.right.RightPhase;
import io.tombolo.agent.right.RightState;
import io.tombolo.agent.right.Timings;
import io.tombolo.agent.right.WatchdogPetter;
import io.tombolo.chaos.explore.LeaseWorld.Around;
import io.tombolo.chaos.explore.LeaseWorld.Guest;
import io.tombolo.chaos.explore.LeaseWorld.Keeper;
import io.tombolo.chaos.explore.LeaseWorld.Still;
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

/// Keeping the right to run: the shipped right keeper with its loop, the check board, the shipped rule of the petter, a
/// watchdog, the VM's control thread and its vCPU, in the order in which `RightLoop`, `CheckBoard`, `RunRight`,
/// `WatchdogPetter`, `PetWatch`, `HostActions` and `HostedVm` do it; and another host that fences this one and takes
/// the VM over when it is confirmed stopped.
class LeaseModel implements Model<LeaseWorld> {
    private static final Timings TIMINGS = new Timings(Timings.MIN_BASE_MS);
    private static final long STEP_NS = TIMINGS.baseMs() * 1_000_000L;
    private static final long NOW = LeaseWorld.NOW_NS;
    private static final long WATCHDOG_NS = TIMINGS.watchdogNs();
    /// What is older is as good as older still: a heartbeat of that age gives no right any more, and the watchdog is
    /// due.
    private static final long OLD = NOW - 4 * STEP_NS;
    private static final long EPOCH = 10;
    private static final long INCARNATION = 4;
    private static final int A = 1;
    private static final int C = 3;
    private static final long LIVE = SlotWord.pack(HostState.LIVE, INCARNATION);

    private static final RightState NOBODYS = canonical(new RightKeeper(TIMINGS, LIVE, true).initial(NOW));

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
                        + " heartbeat was sent, watchdog " + WATCHDOG_NS / STEP_NS + " steps after the oldest check",
                faults + (faults == 1 ? " fault" : " faults")
                        + ": deadline passed, vCPU thread or whole host that stands still for any time, petter that"
                        + " does, BOOTTIME jump, session lost, supervisor lost, host fenced, host dies",
                "one heartbeat and one pet under way at a time; what is 4 steps old is as good as older; epochs and"
                        + " renewals are told apart, not counted");
    }

    @Override
    public List<LeaseWorld> starts() {
        return List.of(new LeaseWorld(new Words(OwnerWord.pack(OwnerState.RUNNING, A, EPOCH), LIVE, null),
                new Keeper(canonical(core.initial(NOW)), Long.MIN_VALUE, List.of(), 0),
                new Guest(Vcpu.STOPPED, 0, false, EPOCH, true, true, true),
                new Around(true, Still.NOTHING, true, 0, NOW, 0, Takeover.NONE, faults)));
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
            return new LeaseWorld(words, keeper.canonical(), guest, around);
        }
    }

    @Override
    public void steps(LeaseWorld world, Steps<LeaseWorld> to) {
        if (world.around().alive()) {
            if (world.around().still() != Still.ALL) {
                keeper(world, to);
                petter(world, to);
                control(world, to);
                heartbeat(world, to);
            }
            if (world.around().still() == Still.NOTHING) {
                vcpu(world, to);
            } else {
                Draft draft = new Draft(world);
                draft.around = draft.around.still(Still.NOTHING);
                to.step(world.around().still() == Still.ALL ? "A" : "vCPU", "goes on", draft.world());
            }
            watchdog(world, to);
            if (world.around().faults() > 0) {
                faults(world, to);
            }
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
            take(world, draft, "hears that the VM is renewed",
                    new RightEvent.RenewDone(world.keeper().renewDone()), to);
        }
        if (world.around().heartbeatNs() != 0) {
            Draft draft = new Draft(world);
            draft.around = draft.around.heartbeat(0);
            take(world, draft, "hears of its heartbeat",
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
        take(world, new Draft(world), what, event, to);
    }

    /// The same after what the draft has changed already.
    private void take(LeaseWorld world, Draft draft, String what, RightEvent event, Steps<LeaseWorld> to) {
        LeaseWorld after = fed(draft.world(), event);
        if (!after.equals(world)) {
            to.step("keeper", what, after);
        }
    }

    private LeaseWorld fed(LeaseWorld world, RightEvent event) {
        Draft draft = new Draft(world);
        RightKeeper.Step step = core.step(world.keeper().state(), event, NOW);
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
            case RightEffect.PauseAll pause -> {
                draft.keeper = draft.keeper.gate(Long.MIN_VALUE).then(pause.terminal() ? Task.KILL : Task.STOP, 0);
                draft.guest = draft.guest.here() ? draft.guest.lapse() : draft.guest;
            }
            case RightEffect.RenewAll(long generation) -> draft.keeper = draft.keeper.then(Task.RENEW, generation);
            case RightEffect.ResumeAll _ -> draft.keeper = draft.keeper.gate(state.deadlineNs()).then(Task.RUN, 0);
            case RightEffect.StopVm _ -> draft.keeper = draft.keeper.then(Task.KILL, 0);
            case RightEffect.SayStopped _ -> {
                HostState found = SlotWord.state(draft.words.slot());
                boolean own = SlotWord.incarnation(draft.words.slot()) == INCARNATION;
                if (own && (found == HostState.LIVE || found == HostState.FENCING)) {
                    draft.words = draft.words.slot(SlotWord.pack(HostState.STOPPED, INCARNATION));
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
        draft.keeper = new Keeper(NOBODYS, Long.MIN_VALUE, List.of(), 0);
    }

    /// Only what a rule compares: the order of instants, and whether one is the present. What is only for people is
    /// left out.
    private static RightState canonical(RightState s) {
        long lapsed = Math.max(s.lapsedAtNs(), OLD);
        long heartbeat = s.heartbeatSentNs() >= s.lapsedAtNs()
                ? Math.max(s.heartbeatSentNs(), OLD)
                : Math.max(s.heartbeatSentNs(), OLD - 1);
        // A later lapse makes it old unless it comes in this very instant.
        long slot = s.slotLiveSeenNs() == NOW ? NOW : s.slotLiveSeenNs() >= s.lapsedAtNs() ? lapsed : OLD - 1;
        return new RightState(s.phase(), LapseReason.STARTING, true, NOW, lapsed, heartbeat,
                Math.max(s.deadlineNs(), OLD), Long.MAX_VALUE, slot, s.supervisor(),
                s.supervisor() ? NOW : Math.max(s.supervisorLostNs(), OLD), s.generation(), s.maySayStopped(),
                s.endByNs());
    }

    // ---- the petter's thread, and the watchdog: WatchdogPetter, PetWatch

    private void petter(LeaseWorld world, Steps<LeaseWorld> to) {
        if (world.keeper().state().phase() == RightPhase.ENDED || world.around().petNs() != 0) {
            return;
        }
        if (pets(world) instanceof WatchdogPetter.Decision.Pet(long checkedNs)) {
            Draft draft = new Draft(world);
            if (world.around().supervisor()) {
                draft.around = draft.around.watchdog(Math.max(checkedNs, OLD), draft.around.armedNs());
            }
            take(world, draft, world.around().supervisor() ? "pets" : "cannot pet", world.around().supervisor()
                    ? new RightEvent.SupervisorSeen()
                    : new RightEvent.SupervisorLost(), to);
        }
    }

    /// The shipped rule; tests plant bugs here.
    WatchdogPetter.Decision pets(LeaseWorld world) {
        long oldestNs = world.guest().vcpu() == Vcpu.STOPPED ? CheckBoard.STOPPED : world.guest().checkedNs();
        return WatchdogPetter.decide(NOW, oldestNs, world.keeper().state().held(), PetMode.TIMESTAMPED, 0);
    }

    private void watchdog(LeaseWorld world, Steps<LeaseWorld> to) {
        Around around = world.around();
        Draft draft = new Draft(world);
        if (!around.supervisor()) {
            draft.around = around.supervisor(true);
            if (isDue(around)) {
                die(draft);
            }
            to.step("supervisor", isDue(around) ? "answers again, and kills A" : "answers again", draft.world());
        } else if (around.petNs() != 0) {
            draft.around = around.watchdog(0, armedBy(around.petNs()));
            to.step("supervisor", "hears of a pet", draft.world());
        } else if (isDue(around)) {
            // It judges when it has heard of all pets.
            die(draft);
            to.step("supervisor", "kills A: the oldest check that it knows of is too old", draft.world());
        }
    }

    private static boolean isDue(Around around) {
        return NOW - around.armedNs() >= WATCHDOG_NS;
    }

    /// From when the watchdog counts after a pet with that time.
    long armedBy(long checkedNs) {
        return checkedNs;
    }

    // ---- the VM's control thread

    private void control(LeaseWorld world, Steps<LeaseWorld> to) {
        if (world.keeper().tasks().isEmpty()) {
            return;
        }
        LeaseWorld.Job job = world.keeper().tasks().getFirst();
        Task task = job.task();
        // Stopping, killing and renewing ask the vCPU's thread to stop and wait for it.
        boolean renews = task == Task.RUN && world.guest().stale() && world.keeper().state().held();
        if ((task != Task.RUN || renews) && world.guest().vcpu() != Vcpu.STOPPED) {
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
            case RENEW -> {
                draft.keeper = draft.keeper.renewDone(job.generation());
                renew(draft);
            }
            case RUN -> {
                if (renews) {
                    renew(draft);
                }
                draft.guest = draft.guest.wanted(draft.guest.here());
            }
        }
        to.step("control", "does " + task, draft.world());
    }

    private void renew(Draft draft) {
        if (!draft.guest.here()) {
            return;
        }
        draft.guest = draft.guest.wanted(false);
        boolean ours = draft.words.owner() == OwnerWord.pack(OwnerState.RUNNING, A, draft.guest.runEpoch());
        if (resumesByLooking() && ours) {
            draft.guest = draft.guest.stale(false);
        } else if (ours) {
            // The next epoch: it is compared with nothing but itself, and so keeps its number here.
            draft.guest = draft.guest.runs(draft.guest.runEpoch());
        } else {
            draft.guest = draft.guest.gone();
        }
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

    /// The check: the gate is open, the slot word is its own, the owner word is the one expected, and it was written
    /// under this very right.
    boolean holds(LeaseWorld world) {
        return !world.guest().stale() && NOW < world.keeper().gateUntilNs() && world.words().slot() == LIVE
                && world.words().owner() == OwnerWord.pack(OwnerState.RUNNING, A, world.guest().runEpoch());
    }

    private static void runs(Draft draft) {
        if (draft.guest.lapsed()) {
            draft.words = draft.words.wrong("I1: A runs after a lapse of its right without a new epoch");
        }
    }

    private static void stores(Draft draft) {
        if (draft.around.takeover() == Takeover.CONFIRMED || draft.around.takeover() == Takeover.RUNS) {
            draft.words = draft.words.wrong("I2: A stores to the VM's memory after it was confirmed stopped");
        }
        if (SlotWord.incarnation(draft.words.slot()) != INCARNATION) {
            draft.words = draft.words.wrong("I2: A stores to the VM's memory though its slot is another incarnation's");
        }
        if (draft.around.supervisor() && NOW - draft.guest.checkedNs() > WATCHDOG_NS) {
            draft.words = draft.words.wrong("I2: A stores to the VM's memory longer after its last check than its"
                    + " watchdog allows");
        }
    }

    // ---- what is round it

    private static void heartbeat(LeaseWorld world, Steps<LeaseWorld> to) {
        if (world.around().heartbeatNs() != NOW && world.keeper().state().phase() != RightPhase.ENDED) {
            Draft draft = new Draft(world);
            draft.around = draft.around.heartbeat(NOW);
            to.step("heartbeat", "is sent", draft.world());
        }
    }

    private void faults(LeaseWorld world, Steps<LeaseWorld> to) {
        Around around = world.around();
        if (around.still() != Still.ALL) {
            if (world.keeper().state().phase() != RightPhase.ENDED) {
                fault(new Draft(world), new RightEvent.BoottimeJump(1), "machine", "slept", to);
                fault(new Draft(world), new RightEvent.SessionLost(), "session", "is lost", to);
            }
            Draft stopped = new Draft(world);
            stopped.around = around.still(Still.ALL).fault();
            to.fault("A", "stands still", stopped.world());
            if (around.still() == Still.NOTHING && world.guest().vcpu() != Vcpu.STOPPED) {
                Draft stuck = new Draft(world);
                stuck.around = around.still(Still.VCPU).fault();
                to.fault("vCPU", "stands still", stuck.world());
            }
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
            fenced.words = fenced.words.slot(SlotWord.pack(HostState.FENCING, INCARNATION));
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
        if (maySlotBeReused(world) && SlotWord.incarnation(world.words().slot()) == INCARNATION) {
            Draft reused = new Draft(world);
            reused.words = reused.words.slot(SlotWord.pack(HostState.LIVE, INCARNATION + 1));
            to.step("a new host", "takes A's slot", reused.world());
        }
    }

    /// Whether A's slot is free for another incarnation.
    boolean maySlotBeReused(LeaseWorld world) {
        return world.around().takeover() == Takeover.CONFIRMED || world.around().takeover() == Takeover.RUNS;
    }

    /// Its own mark, or reaped.
    boolean isConfirmed(LeaseWorld world) {
        return !world.around().alive() || SlotWord.state(world.words().slot()) == HostState.STOPPED;
    }

    // ---- time

    /// Time may pass at any moment. A thread that runs and does not stand still checks within a step, a keeper that
    /// holds its right hears of a heartbeat before its deadline, a petter pets in time, and a watchdog that is due
    /// kills: anything else is a fault, or does not happen.
    private void time(LeaseWorld world, Steps<LeaseWorld> to) {
        Around around = world.around();
        Guest guest = world.guest();
        long age = guest.vcpu() == Vcpu.STOPPED ? 0 : NOW - guest.checkedNs();
        boolean late = around.still() == Still.NOTHING && age >= STEP_NS;
        if (!around.alive() || late || (around.supervisor() && isDue(around))) {
            return;
        }
        RightState state = world.keeper().state();
        boolean runs = around.still() != Still.ALL;
        boolean held = state.phase() == RightPhase.HELD || state.phase() == RightPhase.RENEWING;
        boolean passes = runs && held && state.deadlineNs() - STEP_NS <= NOW;
        boolean unpetted = runs && around.supervisor() && around.petNs() == 0
                && NOW - around.armedNs() + STEP_NS >= WATCHDOG_NS
                && pets(world) instanceof WatchdogPetter.Decision.Pet(long checkedNs)
                && NOW - checkedNs + STEP_NS < WATCHDOG_NS;
        Draft draft = new Draft(world);
        draft.keeper = new Keeper(shift(state),
                world.keeper().gateUntilNs() == Long.MIN_VALUE
                        ? Long.MIN_VALUE
                        : Math.max(world.keeper().gateUntilNs() - STEP_NS, OLD),
                world.keeper().tasks(), world.keeper().renewDone());
        draft.guest = guest.vcpu() == Vcpu.STOPPED
                ? guest
                : guest.vcpu(guest.vcpu(), Math.max(guest.checkedNs() - STEP_NS, OLD));
        long sent = around.heartbeatNs();
        draft.around = around.heartbeat(sent == 0 || sent - STEP_NS < OLD ? 0 : sent - STEP_NS)
                .watchdog(around.petNs() == 0 ? 0 : Math.max(around.petNs() - STEP_NS, OLD),
                        Math.max(around.armedNs() - STEP_NS, OLD));
        if (!passes && !unpetted) {
            // The keeper ticks at every step, if it can.
            LeaseWorld after = runs ? fed(draft.world(), new RightEvent.Tick()) : draft.world();
            if (!after.equals(world)) {
                to.step("time", "passes", after);
            }
        } else if (around.faults() > 0) {
            draft.around = draft.around.fault();
            to.fault("time", passes ? "passes, and no heartbeat is heard of" : "passes, and the petter stands still",
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

package io.tombolo.chaos.sim;

import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.coordinator.zk.LeaderWrites;
import io.tombolo.coordinator.zk.Versioned;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.coordinator.zk.ZkConnection;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Superblock;
import io.tombolo.region.Tier;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmIdentity;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;

/// One simulated cluster: everything of one schedule. One thread has the baton at any moment; see [Scheduler].
final class World {
    static final long RPC_TIMEOUT_NS = 100_000_000;
    private static final long MS = 1_000_000;
    /// Those of a simulated guest at a small base figure. What is waited for differs from the shipped figures, the
    /// order of the waits does not.
    static final HandoffBounds BOUNDS = new HandoffBounds(new SourceCore.Bounds(8 * MS, 20 * MS, 5 * MS), 60 * MS,
            1 * MS, 100_000, 5 * MS);
    static final FormatOptions FORMAT = new FormatOptions(new UUID(7, 7), 12, Plan.MAX_VMS, 1, 4096, false, false);
    private static final long MAX_STEPS = 60_000;

    private final long seed;
    private final Plan plan;
    private final Wiring wiring;
    private final SimMemory memory;
    private final Oracle oracle;
    private final Scheduler scheduler;
    private final SimProcess physics = new SimProcess("world");
    private final Network network;
    private final SimEnsemble ensemble;
    private final LeaderWrites tree;
    private final Machines machines;
    private final Troubles troubles;
    private final User user;
    private final List<SimCoordinator> coordinators = new ArrayList<>();
    private final Rng guestRng;
    private final Rng faultRng;
    private final MemorySegment[] locals;
    private final long[] tableFrames = new long[Plan.MAX_VMS];
    private final List<String> trace;
    private int coordinatorCount;
    private long pagesMoved;
    private long values;
    private String violation;
    private Throwable cause;

    /// @param memory reset by this
    /// @param trace where readable steps go; null if nobody reads them
    World(long seed, Plan plan, Wiring wiring, SimMemory memory, MemorySegment[] locals, Superblock layout,
            List<String> trace) {
        this.locals = locals;
        Rng rng = new Rng(seed ^ 0x5EED_5EED_5EEDL);
        this.seed = seed;
        this.plan = plan;
        this.wiring = wiring;
        this.memory = memory;
        this.trace = trace;
        memory.reset(plan.kind());
        this.guestRng = rng.split();
        this.faultRng = rng.split();
        this.scheduler = new Scheduler(rng.split(), plan.switchPerMille(), plan.loseCoreIn(), MAX_STEPS, this::failed);
        this.oracle = new Oracle(this, memory, layout, Plan.MAX_VMS, Plan.MAX_PAGES);
        this.troubles = new Troubles(this, plan);
        this.machines = new Machines(this, faultRng, plan.hosts());
        this.network = new Network(this, rng.split(), physics);
        this.ensemble = new SimEnsemble(this, rng.split(), physics);
        this.tree = new LeaderWrites(ZkConnection.over(new TreeView(ensemble), SimEnsemble.PATHS));
        this.user = new User(this, faultRng);
    }

    /// Runs the schedule to its end.
    void run() {
        scheduler.spawn(physics, "user", user::use);
        scheduler.run();
    }

    String violation() {
        return violation;
    }

    Throwable cause() {
        return cause;
    }

    Plan plan() {
        return plan;
    }

    Machines machines() {
        return machines;
    }

    Troubles troubles() {
        return troubles;
    }

    User user() {
        return user;
    }

    Wiring wiring() {
        return wiring;
    }

    SimMemory memory() {
        return memory;
    }

    Oracle oracle() {
        return oracle;
    }

    Scheduler scheduler() {
        return scheduler;
    }

    Network network() {
        return network;
    }

    SimEnsemble ensemble() {
        return ensemble;
    }

    /// What dies with nobody, and stands still never.
    SimProcess physics() {
        return physics;
    }

    Rng guestRng() {
        return guestRng;
    }

    long freshValue() {
        return ++values;
    }

    int lossPerMille() {
        return troubles.may() ? plan.lossPerMille() : 0;
    }

    int duplicatePerMille() {
        return troubles.may() ? plan.duplicatePerMille() : 0;
    }

    boolean refusesBlob() {
        return !troubles.healed() && faultRng.perMille(plan.refusePerMille());
    }

    void refused(SimHost host, int vm, TomboloException why) {
        trace(() -> host + ": state refused: " + why.getMessage());
        long word = oracle.owner(vm);
        boolean offered = OwnerWord.is(word, OwnerState.OFFERED) && OwnerWord.slot(word) == host.slot();
        if (offered && plan.faults().isEmpty()) {
            violation("I6: a state is refused though nothing went wrong: " + why.getMessage());
        }
    }

    VmSpec spec(int vm) {
        return new VmSpec("vm" + vm, new UUID(3, vm), "simulated", plan.pages() * 4096L, plan.vcpus(), "dirty", 0,
                "uniform", 0);
    }

    void allocated(int vm, VmIdentity identity) {
        tableFrames[vm] = identity.tableFirstFrame();
    }

    long tableFrame(int vm) {
        return tableFrames[vm];
    }

    /// A host's own memory, as large as a tier can be small.
    MemorySegment localMemory(int host) {
        return locals[host];
    }

    void moved(int[] status, Tier to) {
        for (int each : status) {
            pagesMoved += each == to.code() ? 1 : 0;
        }
    }

    long pagesMoved() {
        return pagesMoved;
    }

    /// A step of a process.
    void step(SimProcess process) {
        scheduler.step();
        troubles.step(process);
    }

    /// One access of a vCPU, with the check that it may be made at this very step.
    void guestAccess(SimHost host, int vm, Oracle.Stretch stretch, Runnable access) {
        step(host);
        oracle.execute(host, vm, stretch);
        access.run();
    }

    // ---- coordinators

    /// Hosts, coordinators and supervisors begin.
    void start() {
        for (int i = 0; i < plan.hosts(); i++) {
            machines.boot(i, 1);
        }
        for (int i = 0; i < 2; i++) {
            coordinators.add(new SimCoordinator(this, ++coordinatorCount));
        }
        scheduler.spawn(physics, "watchdog", machines::supervise);
    }

    /// The coordinator that leads with the newest term, as it believes; null when none does.
    SimCoordinator leader() {
        SimCoordinator leader = null;
        for (SimCoordinator one : coordinators) {
            if (one.term() > 0 && (leader == null || one.term() > leader.term())) {
                leader = one;
            }
        }
        return leader;
    }

    /// A coordinator dies, and another one is started.
    void dies(SimCoordinator coordinator) {
        coordinator.kill();
        coordinators.remove(coordinator);
        coordinators.add(new SimCoordinator(this, ++coordinatorCount));
    }

    boolean anyIntent() {
        return !ensemble.node(SimEnsemble.PATHS.intents()).children().isEmpty();
    }

    /// Records of VMs, as of the newest transaction.
    List<VmRecord> records() {
        return tree.vms();
    }

    /// Open intents, as of the newest transaction.
    List<IntentRecord> intents() {
        return anyIntent() ? tree.intents().stream().map(Versioned::value).toList() : List.of();
    }

    void heal() {
        troubles.heal();
        machines.heal();
        for (SimCoordinator coordinator : coordinators) {
            coordinator.pauseUntil(0);
            coordinator.cutFromCoordination(0);
        }
    }

    // ---- what went wrong

    void violation(String what) {
        violation(what, null);
    }

    void violation(String what, Throwable why) {
        if (violation == null && !scheduler.isOver()) {
            violation = what;
            cause = why;
            trace(() -> "VIOLATION " + what);
        }
        scheduler.end();
        throw new Scheduler.Gone();
    }

    private void failed(Scheduler.Actor actor, Throwable failure) {
        if (violation == null) {
            violation = "X: " + actor + " ends with " + failure;
            cause = failure;
            trace(() -> "VIOLATION " + violation);
        }
        scheduler.end();
    }

    boolean tracing() {
        return trace != null;
    }

    void trace(Supplier<String> line) {
        if (trace != null) {
            trace.add("%6d %10.3f ms  %s".formatted(scheduler.steps(), scheduler.nowNs() / 1e6, line.get()));
        }
    }

    @Override
    public String toString() {
        return "seed " + seed + ": " + plan;
    }
}

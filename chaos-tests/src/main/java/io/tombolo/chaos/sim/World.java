package io.tombolo.chaos.sim;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.agent.handoff.HostPorts.HandoffBounds;
import io.tombolo.agent.handoff.SourceCore;
import io.tombolo.chaos.sim.Plan.Fault;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.Superblock;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.Tier;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.EnumMap;
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
    private static final long SETTLE_NS = 3_000 * MS;
    private final long seed;
    private final Plan plan;
    private final Wiring wiring;
    private final SimMemory memory;
    private final Oracle oracle;
    private final Scheduler scheduler;
    private final SimProcess physics = new SimProcess("world");
    private final Network network;
    private final SimCoordination coordination;
    private final List<SimHost> incarnations = new ArrayList<>();
    private final SimHost[] hosts;
    private final List<SimCoordinator> coordinators = new ArrayList<>();
    private final List<Fault> faults;
    private final Map<HandoffPoint, Integer> occurrences = new EnumMap<>(HandoffPoint.class);
    private final Rng guestRng;
    private final Rng faultRng;
    private final MemorySegment[] locals;
    private final boolean[] wantsShared = new boolean[Plan.MAX_VMS];
    private final boolean[] lostWithHost = new boolean[Plan.MAX_VMS];
    private long pagesMoved;
    private final long[] tableFrames = new long[Plan.MAX_VMS];
    private final long[] cutUntilNs = new long[Plan.MAX_HOSTS];
    private final long[] deafUntilNs = new long[Plan.MAX_HOSTS];
    private final int[] incarnationCount = new int[Plan.MAX_HOSTS];
    private final List<String> trace;
    private final List<SimHost> ended = new ArrayList<>();
    private boolean healed;
    private boolean resting;
    private final Rest rest = new Rest(this);
    private boolean set;
    private long values;
    private long nextFaultStep;
    private long start;
    private String violation;
    private Throwable cause;
    private int handoffs;

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
        this.faults = new ArrayList<>(plan.faults());
        this.scheduler = new Scheduler(rng.split(), plan.switchPerMille(), plan.loseCoreIn(), MAX_STEPS, this::failed);
        this.oracle = new Oracle(this, memory, layout, Plan.MAX_VMS, Plan.MAX_PAGES);
        this.hosts = new SimHost[plan.hosts()];
        this.network = new Network(this, rng.split(), physics);
        this.coordination = new SimCoordination(this, physics);
    }

    /// Runs the schedule to its end.
    void run() {
        scheduler.spawn(physics, "user", this::use);
        scheduler.run();
    }

    String violation() {
        return violation;
    }

    Throwable cause() {
        return cause;
    }

    int handoffs() {
        return handoffs;
    }

    Plan plan() {
        return plan;
    }

    SimHost[] hosts() {
        return hosts;
    }

    /// Every process that was ever a host.
    List<SimHost> incarnations() {
        return incarnations;
    }

    /// Whether the VM ran on a host that died with its caches.
    boolean lostWithHost(int vm) {
        return lostWithHost[vm];
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

    SimCoordination coordination() {
        return coordination;
    }

    Rng guestRng() {
        return guestRng;
    }

    long freshValue() {
        return ++values;
    }

    int lossPerMille() {
        return set && !healed ? plan.lossPerMille() : 0;
    }

    int duplicatePerMille() {
        return set && !healed ? plan.duplicatePerMille() : 0;
    }

    boolean refusesBlob() {
        return !healed && faultRng.perMille(plan.refusePerMille());
    }

    void refused(SimHost host, int vm, TomboloException why) {
        trace(() -> host + ": state refused: " + why.getMessage());
        long word = oracle.owner(vm);
        boolean offered = OwnerWord.is(word, OwnerState.OFFERED) && OwnerWord.slot(word) == host.slot();
        if (offered && plan.faults().isEmpty()) {
            violation("I6: a state is refused though nothing went wrong: " + why.getMessage());
        }
    }

    Scheduler.Loop loopOf(SimProcess process) {
        return switch (process) {
            case SimHost host -> host.net();
            case SimCoordinator coordinator -> coordinator.net();
            default -> throw new IllegalArgumentException("no loop: " + process);
        };
    }

    SimHost liveHost(String name) {
        SimHost host = hosts[Integer.parseInt(name.substring(1))];
        return host != null && host.alive() && host.started() ? host : null;
    }

    SimHost liveHost(int slot) {
        for (SimHost host : hosts) {
            if (host != null && host.alive() && host.started() && host.slot() == slot) {
                return host;
            }
        }
        return null;
    }

    /// Whether a thread of that incarnation may still store.
    boolean storing(int slot, long incarnation) {
        for (SimHost host : incarnations) {
            if (host.slot() == slot && host.incarnation() == incarnation) {
                return host.storing();
            }
        }
        return false;
    }

    boolean cut(SimProcess one, SimProcess other) {
        return deaf(one) || deaf(other);
    }

    private boolean deaf(SimProcess process) {
        return process instanceof SimHost host && deafUntilNs[host.number()] > scheduler.nowNs();
    }

    boolean cutFromCoordination(SimProcess process) {
        return process instanceof SimHost host && cutUntilNs[host.number()] > scheduler.nowNs();
    }

    HostIdentity identity(SimHost host) {
        return new HostIdentity(new UUID(1, host.number()), "h" + host.number(), new UUID(2, host.bootId()),
                1000L + incarnations.indexOf(host), SimHost.TIMINGS.watchdogBound(
                        io.tombolo.agent.right.PetMode.TIMESTAMPED, false));
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

    /// Whether the VM is about to be handed over, so that its pages must be shared.
    boolean wantsShared(int vm) {
        return wantsShared[vm];
    }

    void moved(int[] status, Tier to) {
        for (int each : status) {
            pagesMoved += each == to.code() ? 1 : 0;
        }
    }

    long pagesMoved() {
        return pagesMoved;
    }

    /// One access of a vCPU, with the check that it may be made at this very step.
    void guestAccess(SimHost host, int vm, Oracle.Stretch stretch, Runnable access) {
        step(host);
        oracle.execute(host, vm, stretch);
        access.run();
    }

    // ---- steps and faults

    /// A step of a process.
    void step(SimProcess process) {
        scheduler.step();
        if (set && !healed && process instanceof SimHost host && scheduler.steps() >= nextFaultStep) {
            strikeAtStep(host);
        }
    }

    private void strikeAtStep(SimHost host) {
        nextFaultStep = Long.MAX_VALUE;
        for (int i = 0; i < faults.size(); i++) {
            Fault fault = faults.get(i);
            if (fault.point() == null && scheduler.steps() >= start + fault.step()) {
                faults.remove(i--);
                strike(host, fault);
            }
        }
        armSteps();
    }

    private void armSteps() {
        nextFaultStep = Long.MAX_VALUE;
        for (Fault fault : faults) {
            if (fault.point() == null) {
                nextFaultStep = Math.min(nextFaultStep, start + fault.step());
            }
        }
    }

    /// A named moment of a hand-off.
    void at(SimHost host, HandoffPoint point) {
        trace(() -> host + ": " + point);
        if (point == HandoffPoint.TARGET_RUNNING) {
            handoffs++;
        }
        int before = occurrences.merge(point, 1, Integer::sum) - 1;
        if (!set || healed) {
            return;
        }
        for (int i = 0; i < faults.size(); i++) {
            Fault fault = faults.get(i);
            if (fault.point() == point && fault.occurrence() <= before) {
                faults.remove(i--);
                strike(host, fault);
            }
        }
    }

    private void strike(SimHost host, Fault fault) {
        trace(() -> "FAULT " + fault.trouble() + " at " + host
                + (fault.durationNs() > 0 ? " for " + fault.durationNs() / 1000 + " us" : ""));
        long until = scheduler.nowNs() + fault.durationNs();
        switch (fault.trouble()) {
            case PROCESS_DEATH -> die(host, false);
            case HOST_DEATH -> die(host, true);
            case FENCE -> {
                if (host.started()) {
                    scheduler.spawn(physics, "fence", () -> HostSlots.fence(
                            Region.over(wiring.memory(this, physics), Path.of("simulated")), host.slot(),
                            host.incarnation()));
                }
            }
            case PAUSE -> {
                host.pauseUntil(until);
                if (!wiring.reapsFirst()) {
                    bury(host, false);
                }
                scheduler.yieldNow();
            }
            case STALL -> scheduler.sleep(fault.durationNs());
            case SESSION_LOSS -> coordination.expireNow(host);
            case CUT_FROM_COORDINATION -> cutUntilNs[host.number()] = until;
            case CUT_FROM_HOSTS -> deafUntilNs[host.number()] = until;
            case LEADER_DEATH -> leaderDies();
            case LEADER_PAUSE -> {
                if (coordination.leader() != null) {
                    coordination.leader().pauseUntil(until);
                }
            }
            case CANCEL -> {
                if (coordination.leader() != null) {
                    coordination.leader().cancelAll();
                }
            }
        }
    }

    private void leaderDies() {
        SimCoordinator leader = coordination.leader();
        if (leader != null) {
            leader.kill();
            coordinators.remove(leader);
            coordinators.add(new SimCoordinator(this, coordinators.size() + 10));
        }
    }

    /// The process dies, or its host with its caches; the supervisor, or the next boot, does what they do.
    private void die(SimHost host, boolean wholeHost) {
        host.kill();
        if (wholeHost) {
            // What a guest itself stores is taken to reach the memory: nothing in the protocols persists it.
            for (int vm = 0; vm < plan.vms(); vm++) {
                long word = oracle.owner(vm);
                lostWithHost[vm] |= OwnerWord.is(word, OwnerState.RUNNING) && OwnerWord.slot(word) == host.slot();
            }
            int lost = memory.lose(host, faultRng, oracle::isGuestData);
            trace(() -> host + " loses " + lost + " cache lines");
        }
        bury(host, wholeHost);
        if (scheduler.current() != null && scheduler.current().process == host) {
            throw new Scheduler.Gone();
        }
    }

    private void bury(SimHost host, boolean wholeHost) {
        long boot = wholeHost ? host.bootId() + 1 : host.bootId();
        scheduler.spawn(physics, "supervisor of " + host, () -> {
            scheduler.sleep(faultRng.between(1 * MS, 40 * MS));
            restart(host, boot);
        });
    }

    /// The incarnation ends, by itself or not.
    void ended(SimHost host) {
        if (!ended.contains(host)) {
            ended.add(host);
        }
    }

    private void restart(SimHost old, long boot) {
        boolean confirmed = HostSlots.confirmReaped(Region.over(wiring.memory(this, physics), Path.of("simulated")),
                identity(old).pid(), identity(old).bootId());
        trace(() -> "supervisor: " + old + " is reaped" + (confirmed ? " and confirmed stopped" : ""));
        if (faultRng.oneIn(4)) {
            return;
        }
        scheduler.sleep(faultRng.between(1 * MS, 20 * MS));
        boot(old.number(), boot);
    }

    private void boot(int number, long bootId) {
        SimHost host = new SimHost(this, number, ++incarnationCount[number], bootId);
        incarnations.add(host);
        hosts[number] = host;
        scheduler.spawn(host, host + "/start", () -> {
            try {
                host.start();
                trace(() -> host + " starts in slot " + host.slot());
            } catch (TomboloException e) {
                trace(() -> host + " cannot start: " + e.getMessage());
                host.kill();
            }
        });
    }

    /// Kills what does not pet, as the supervisor of every machine does, and starts what has ended by itself.
    private void supervise() {
        long limit = SimHost.TIMINGS.watchdogNs() + SimHost.TIMINGS.scanMs() * MS;
        while (true) {
            scheduler.sleep(20 * MS);
            for (SimHost host : hosts) {
                if (host == null || !host.started()) {
                    continue;
                }
                if (host.alive() && scheduler.nowNs() - host.petNs() > limit) {
                    trace(() -> "watchdog kills " + host);
                    die(host, false);
                } else if (!host.alive() && ended.remove(host) && !healed) {
                    bury(host, false);
                }
            }
        }
    }

    // ---- the scenario

    private void use() {
        for (int i = 0; i < plan.hosts(); i++) {
            boot(i, 1);
        }
        coordinators.add(new SimCoordinator(this, 1));
        coordinators.add(new SimCoordinator(this, 2));
        scheduler.spawn(physics, "watchdog", this::supervise);
        await(() -> {
            for (SimHost host : hosts) {
                if (!host.started() || !host.held()) {
                    return false;
                }
            }
            return coordination.leader() != null;
        }, SETTLE_NS, "the hosts do not start");
        for (int vm = 0; vm < plan.vms(); vm++) {
            create(vm, hosts[vm % hosts.length]);
        }
        set = true;
        start = scheduler.steps();
        armSteps();
        for (int i = 0; i < plan.migrations(); i++) {
            migrate();
        }
        heal();
        settle();
        resting = true;
        await(() -> movers() == 0, SETTLE_NS, "a page move does not end");
        rest.check();
        scheduler.end();
    }

    private void create(int vm, SimHost host) {
        var created = host.serve(new AgentRequest.CreateVm(1, vm, spec(vm)));
        await(() -> created.isDone() && oracle.executes(vm), SETTLE_NS, "vm " + vm + " is not created");
    }

    private void await(java.util.function.BooleanSupplier until, long limitNs, String what) {
        long from = scheduler.nowNs();
        while (!until.getAsBoolean()) {
            if (scheduler.nowNs() - from > limitNs) {
                violation("L: " + what + " within " + limitNs / MS + " ms: " + rest.standing());
                return;
            }
            scheduler.sleep(1 * MS);
        }
    }

    private void migrate() {
        int vm = faultRng.below(plan.vms());
        SimCoordinator leader = coordination.leader();
        SimHost to = hosts[faultRng.below(hosts.length)];
        boolean transit = plan.moves() > 0 && !faultRng.oneIn(4);
        if (transit) {
            wantsShared[vm] = true;
            for (int i = 0; i < 30 && oracle.localPages(vm) > 0; i++) {
                scheduler.sleep(1 * MS);
            }
        }
        if (leader != null && leader.alive() && to.alive() && to.started()) {
            trace(() -> "user asks " + leader + ": vm" + vm + " to " + to);
            leader.migrate(vm, to.slot());
        }
        scheduler.sleep(1 * MS);
        long from = scheduler.nowNs();
        long patience = faultRng.between(2 * MS, 60 * MS);
        while (coordination.anyIntent() && scheduler.nowNs() - from < patience) {
            scheduler.sleep(1 * MS);
        }
        wantsShared[vm] = false;
        scheduler.sleep(faultRng.between(100_000, 3 * MS));
    }

    private void heal() {
        trace(() -> "faults end");
        healed = true;
        for (int i = 0; i < hosts.length; i++) {
            cutUntilNs[i] = 0;
            deafUntilNs[i] = 0;
            hosts[i].pauseUntil(0);
        }
        coordinators.forEach(coordinator -> coordinator.pauseUntil(0));
    }

    /// What is left to do is done: no intent is open but of hosts that are dead, and every VM whose owner lives runs.
    private void settle() {
        await(rest::settled, SETTLE_NS, "it does not come to rest");
    }

    /// Whether the VMs are there and faults may come.
    boolean set() {
        return set;
    }

    boolean resting() {
        return resting;
    }

    private int movers() {
        int count = 0;
        for (SimHost host : hosts) {
            count += host.alive() ? host.moving() : 0;
        }
        return count;
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

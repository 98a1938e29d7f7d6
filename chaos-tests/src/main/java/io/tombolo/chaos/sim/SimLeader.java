package io.tombolo.chaos.sim;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.HandoffOrchestration;
import io.tombolo.coordinator.HandoffTimings;
import io.tombolo.coordinator.OwnerSnapshot;
import io.tombolo.coordinator.Placement;
import io.tombolo.coordinator.PlacementConfig;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.coordinator.zk.Versioned;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.region.OwnerState;
import io.tombolo.region.TomboloException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// One term of leading, after the coordinator's LeaderSession: the same reads, checks and writes in the same order,
/// with actors for its threads. What is read and written, and how, is shipped.
final class SimLeader {
    private static final HandoffTimings TIMINGS = SimCoordinator.TIMINGS;
    private static final long MS = 1_000_000;
    private static final long LOCK_NS = 100_000;

    private final World world;
    private final SimCoordinator coordinator;
    private final long term;
    private final Map<String, SimHandoff> runners = new TreeMap<>();
    private final Map<String, SimTransit> transits = new TreeMap<>();
    private final Set<String> migrations = new HashSet<>();
    private final Set<String> locked = new HashSet<>();
    private boolean ended;

    SimLeader(World world, SimCoordinator coordinator, long term) {
        this.world = world;
        this.coordinator = coordinator;
        this.term = term;
    }

    long term() {
        return term;
    }

    void start() {
        world.scheduler().spawn(coordinator, coordinator + "/reconcile" + term, this::reconcileForEver);
    }

    void close() {
        ended = true;
        List.copyOf(transits.values()).forEach(SimTransit::termEnded);
        List.copyOf(runners.values()).forEach(SimHandoff::termEnded);
    }

    void cancelAll() {
        List.copyOf(transits.values()).forEach(SimTransit::cancel);
        runners.forEach((vm, runner) -> {
            if (!transits.containsKey(vm)) {
                runner.cancel();
            }
        });
    }

    private void trace(String what) {
        world.trace(() -> coordinator + ": " + what);
    }

    // ---- reconciliation

    private void reconcileForEver() {
        while (!ended) {
            try {
                reconcile();
            } catch (TomboloException e) {
                trace("reconciliation is put off: " + e.getMessage());
            }
            // Twice the base figure, and that is a quarter of a session as hosts have it.
            world.scheduler().sleep(SimHost.TIMINGS.sessionMs() / 2 * MS);
        }
    }

    private void reconcile() {
        Set<String> open = new HashSet<>();
        for (Versioned<IntentRecord> intent : coordinator.writes().intents()) {
            open.add(intent.value().vm());
            resume(intent);
        }
        List<HostRecord> live = coordinator.membership().hosts();
        for (VmRecord vm : coordinator.writes().vms()) {
            String name = vm.spec().name();
            if (ended || open.contains(name) || !locked.add(name)) {
                continue;
            }
            try {
                if (!runners.containsKey(name)) {
                    coordinator.records().reconcile(term, name, live);
                }
            } finally {
                locked.remove(name);
            }
        }
    }

    private void resume(Versioned<IntentRecord> intent) {
        String vm = intent.value().vm();
        if (runners.containsKey(vm) || !locked.add(vm)) {
            return;
        }
        try {
            boolean still = coordinator.writes().intent(vm).filter(i -> i.value().equals(intent.value())).isPresent();
            if (still && !runners.containsKey(vm)) {
                trace("intent " + intent.value().seq() + " is resumed");
                run(new SimHandoff(world, coordinator, term,
                        HandoffOrchestration.resume(intent.value(), TIMINGS, world.scheduler().nowNs())));
            }
        } finally {
            locked.remove(vm);
        }
    }

    private void run(SimHandoff runner) {
        String vm = runner.intent().vm();
        runners.put(vm, runner);
        if (ended) {
            runner.termEnded();
        }
        runner.start(() -> runners.remove(vm, runner));
    }

    /// Requests of one VM are carried out one after the other.
    private void alone(String vm, Runnable action) {
        while (!locked.add(vm)) {
            world.scheduler().sleep(LOCK_NS);
        }
        try {
            action.run();
        } finally {
            locked.remove(vm);
        }
    }

    // ---- requests

    void create(VmSpec spec, String hostName) {
        alone(spec.name(), () -> {
            List<HostRecord> live = coordinator.membership().hosts();
            HostRecord host = Placement.require(hostName, spec, live, Set.of(hostName), Map.of(),
                    new PlacementConfig(PlacementConfig.DEFAULT_MAX_VMS_PER_HOST));
            int slot = setAside(spec, host);
            try {
                coordinator.await(host.name(), new AgentRequest.CreateVm(term, slot, spec), TIMINGS.prepareMs());
                coordinator.records().reconcile(term, spec.name(), live);
            } catch (TomboloException e) {
                undoCreate(spec.name(), e);
                throw e;
            }
        });
    }

    private int setAside(VmSpec spec, HostRecord host) {
        Set<Integer> used = new HashSet<>();
        coordinator.writes().vms().forEach(vm -> used.add(vm.slot()));
        for (int slot = 0; slot < coordinator.region().vmSlots(); slot++) {
            OwnerSnapshot owner = coordinator.region().owner(slot);
            if (owner.state() == OwnerState.FREE && !used.contains(slot)) {
                coordinator.writes().createVm(term, new VmRecord(spec, slot, host.name(), owner.epoch(),
                        CoordinatorError.VM_CREATING.name(), "its agent was told to create it"));
                return slot;
            }
        }
        throw refused(CoordinatorError.VM_SLOTS_EXHAUSTED, spec.name());
    }

    private void undoCreate(String vm, TomboloException why) {
        boolean maybe = why.code() == CoordinatorError.RPC_TIMEOUT
                || why.code() == CoordinatorError.RPC_CONNECTION_LOST;
        Versioned<VmRecord> record = coordinator.records().require(vm);
        if (!maybe && coordinator.region().owner(record.value().slot()).state() == OwnerState.FREE) {
            coordinator.writes().deleteVm(term, record);
        }
    }

    void destroy(String vm) {
        alone(vm, () -> {
            Versioned<VmRecord> record = coordinator.records().require(vm);
            if (migrations.contains(vm)) {
                throw refused(CoordinatorError.MIGRATION_IN_PROGRESS, vm);
            }
            requireNoIntent(vm);
            int slot = record.value().slot();
            if (coordinator.region().owner(slot).state() != OwnerState.FREE) {
                HostRecord owner = requireOwner(record.value());
                coordinator.await(owner.name(), new AgentRequest.DestroyVm(term, vm, slot), TIMINGS.prepareMs());
            }
            coordinator.writes().deleteVm(term, coordinator.records().require(vm));
        });
    }

    void migrate(String vm, String toHost) {
        during(vm, () -> handOver(vm, toHost).await());
    }

    void transit(String vm, String toHost) {
        Route route = preflight(vm, toHost);
        during(vm, () -> {
            SimTransit transit = new SimTransit(world, coordinator,
                    SimTransit.plan(vm, route.from().name(), route.to().name(), route.record().value().spec()
                            .pageBytes()),
                    started -> {
                        SimHandoff handoff = handOver(vm, toHost);
                        started.accept(handoff);
                        return handoff.await().orElseGet(() -> unmeasured(handoff.intent()));
                    });
            transits.put(vm, transit);
            if (ended) {
                transit.termEnded();
            }
            try {
                transit.run();
            } finally {
                transits.remove(vm);
            }
        });
    }

    private static HandoffReport unmeasured(IntentRecord intent) {
        return new HandoffReport(intent.vm(), intent.from(), intent.to(), intent.seq(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                0, intent.epoch(), intent.epoch() + 1, HandoffOutcome.COMPLETED);
    }

    private void during(String vm, Runnable action) {
        coordinator.records().require(vm);
        if (!migrations.add(vm)) {
            throw refused(CoordinatorError.MIGRATION_IN_PROGRESS, vm);
        }
        try {
            action.run();
        } finally {
            migrations.remove(vm);
        }
    }

    private SimHandoff handOver(String vm, String toHost) {
        SimHandoff[] runner = new SimHandoff[1];
        alone(vm, () -> {
            IntentRecord intent = openIntent(vm, toHost);
            runner[0] = new SimHandoff(world, coordinator, term,
                    HandoffOrchestration.start(intent, TIMINGS, world.scheduler().nowNs()));
            run(runner[0]);
        });
        return runner[0];
    }

    private IntentRecord openIntent(String vm, String toHost) {
        Route route = preflight(vm, toHost);
        VmRecord read = route.record().value();
        if (coordinator.region().localPages(read.slot()) > 0) {
            throw refused(CoordinatorError.VM_HAS_LOCAL_PAGES, vm);
        }
        return opened(route.record(), new IntentRecord(vm, read.slot(), route.from().name(), route.from().slot(),
                route.to().name(), route.to().slot(), route.owner().epoch(), term, 0, world.freshValue()));
    }

    private record Route(Versioned<VmRecord> record, OwnerSnapshot owner, HostRecord from, HostRecord to) {
    }

    private Route preflight(String vm, String toHost) {
        Versioned<VmRecord> record = coordinator.records().require(vm);
        VmRecord read = record.value();
        requireNoIntent(vm);
        List<HostRecord> live = coordinator.membership().hosts();
        OwnerSnapshot owner = coordinator.region().owner(read.slot());
        if (owner.epoch() < read.epoch()) {
            throw refused(CoordinatorError.REGION_BEHIND_ZOOKEEPER, vm);
        }
        if (owner.state() != OwnerState.RUNNING) {
            throw refused(CoordinatorError.VM_NOT_RUNNING, vm);
        }
        HostRecord from = requireOwner(read);
        if (from.name().equals(toHost)) {
            throw refused(CoordinatorError.VM_ALREADY_THERE, vm);
        }
        HostRecord to = Placement.require(toHost, read.spec(), live, Set.of(toHost), Map.of(),
                new PlacementConfig(PlacementConfig.DEFAULT_MAX_VMS_PER_HOST));
        return new Route(record, owner, from, to);
    }

    /// One at a time: two would refuse each other by the sequence number.
    private IntentRecord opened(Versioned<VmRecord> record, IntentRecord draft) {
        IntentRecord[] intent = new IntentRecord[1];
        alone("", () -> intent[0] = coordinator.writes().openIntent(term, record, draft));
        return intent[0];
    }

    private HostRecord requireOwner(VmRecord vm) {
        OwnerSnapshot owner = coordinator.region().owner(vm.slot());
        if (owner.state() == OwnerState.FREE) {
            throw refused(CoordinatorError.VM_NOT_IN_REGION, vm.spec().name());
        }
        return coordinator.membership().hosts().stream().filter(host -> host.slot() == owner.slot()).findFirst()
                .orElseThrow(() -> refused(CoordinatorError.OWNER_HOST_DEAD, vm.spec().name()));
    }

    private void requireNoIntent(String vm) {
        if (runners.containsKey(vm) || coordinator.writes().intent(vm).isPresent()) {
            throw refused(CoordinatorError.MIGRATION_IN_PROGRESS, vm);
        }
    }

    static TomboloException refused(CoordinatorError why, String vm) {
        return TomboloException.error(why, "refused").fact("vm", vm).next("nothing").build();
    }
}

package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.MigratePhase;
import io.tombolo.coordinator.wire.MoveReport;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.RemoteException;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.WireLimits;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.coordinator.zk.Versioned;
import io.tombolo.region.OwnerState;
import io.tombolo.region.TomboloException;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One term of leading: carries out the requests that change something, and keeps ZooKeeper in line with the region.
/// Requests block their (virtual) thread. Requests of one VM run one after the other. Thread safe.
final class LeaderSession implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderSession.class);

    private final HandoffRunner.Ports ports;
    private final ClusterView view;
    private final HandoffTimings timings;
    private final PlacementConfig limits;
    private final long term;
    private final Map<String, HandoffRunner> runners = new ConcurrentHashMap<>();
    private final Map<String, ActiveMigration> migrations = new ConcurrentHashMap<>();
    private final Map<String, ReentrantLock> locks = new ConcurrentHashMap<>();
    private final Map<String, List<String>> suspectLeases = new HashMap<>();
    private final SecureRandom nonces = new SecureRandom();
    private final Thread reconciler;
    private final FailureWatch watch;
    private final FailureRequests failures;
    private final RegionAhead ahead;
    private volatile boolean ended;

    LeaderSession(HandoffRunner.Ports ports, ClusterView view, CoordinatorConfig config, long term) {
        this.ports = ports;
        this.view = view;
        this.timings = config.handoff();
        this.limits = config.placement();
        this.term = term;
        this.watch = new FailureWatch(ports, config, term);
        this.ahead = new RegionAhead(ports, timings, term);
        this.failures = new FailureRequests(ports, view, config, this, watch, ahead);
        this.reconciler = Thread.ofPlatform().daemon().name("reconcile-" + term).unstarted(this::reconcileForEver);
    }

    /// Takes over what the leader before left, and goes on reconciling.
    void start() {
        ahead.look();
        reconciler.start();
        watch.start();
    }

    FailureWatch watch() {
        return watch;
    }

    /// Requests about hosts that fail, and VMs that outlive them.
    FailureRequests failures() {
        return failures;
    }

    long term() {
        return term;
    }

    /// Ends the term: runners stop where they are, and the next leader resumes their intents.
    @Override
    public void close() {
        ended = true;
        reconciler.interrupt();
        watch.close();
        migrations.values().forEach(ActiveMigration::termEnded);
        runners.values().forEach(HandoffRunner::termEnded);
    }

    private void reconcileForEver() {
        while (!ended) {
            try {
                reconcile();
            } catch (TomboloException e) {
                if (!ended) {
                    LOG.warn("reconciliation is put off: {}", e.getMessage());
                }
                // A bug must not end reconciliation for the whole term.
            } catch (RuntimeException e) {
                LOG.error("reconciliation failed", e);
            }
            try {
                Thread.sleep(2L * timings.retryMs());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /// One round: open intents that nobody carries out are resumed, records and leases are brought into line.
    private void reconcile() {
        Set<String> open = new HashSet<>();
        for (Versioned<IntentRecord> intent : ports.writes().intents()) {
            open.add(intent.value().vm());
            resume(intent);
        }
        List<HostRecord> live = ports.membership().hosts();
        for (VmRecord vm : ports.writes().vms()) {
            String name = vm.spec().name();
            ReentrantLock lock = lock(name);
            if (ended || open.contains(name) || !lock.tryLock()) {
                continue;
            }
            try {
                if (!runners.containsKey(name)) {
                    ports.records().reconcile(term, name, live);
                    protectionInLine(vm);
                    suspectLeases.put(name,
                            ports.records().reconcileLease(name, suspectLeases.getOrDefault(name, List.of())));
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /// A leader may have died between the agent's answer and the record. A record that promises more than the region
    /// has is left: who asked for protection is told of it by `vm show`, and must not lose the wish.
    private void protectionInLine(VmRecord vm) {
        int us = ports.region().checkpointUs(vm.slot());
        boolean runs = ports.region().owner(vm.slot()).state() == OwnerState.RUNNING;
        if (runs && us > 0 && us != vm.spec().checkpointUs()) {
            ports.records().respec(term, vm.spec().name(), spec -> spec.withProtection(us));
        }
    }

    private void resume(Versioned<IntentRecord> intent) {
        String vm = intent.value().vm();
        ReentrantLock lock = lock(vm);
        if (runners.containsKey(vm) || !lock.tryLock()) {
            return;
        }
        try {
            boolean still = ports.writes().intent(vm).filter(i -> i.value().equals(intent.value())).isPresent();
            if (still && !runners.containsKey(vm)) {
                LOG.info("intent {} of {} is resumed", intent.value().seq(), vm);
                run(HandoffRunner.resume(ports, term, intent.value(), timings));
            }
        } finally {
            lock.unlock();
        }
    }

    private void run(HandoffRunner runner) {
        String vm = runner.intent().vm();
        runners.put(vm, runner);
        if (ended) {
            runner.termEnded();
        }
        Thread.ofVirtual().name("handoff-" + vm).start(() -> {
            try {
                runner.run();
            } finally {
                runners.remove(vm, runner);
                runner.ended();
            }
        });
    }

    private ReentrantLock lock(String vm) {
        return locks.computeIfAbsent(vm, _ -> new ReentrantLock());
    }

    <T> T alone(String vm, Supplier<T> action) {
        ReentrantLock lock = lock(vm);
        lock.lock();
        try {
            return action.get();
        } finally {
            lock.unlock();
        }
    }

    // ---- requests

    Reply create(CoordinatorRequest.VmCreate request) {
        VmSpec spec = request.spec().checked();
        ahead.requireInLine();
        return alone(spec.name(), () -> {
            List<HostRecord> live = ports.membership().hosts();
            Map<String, Integer> owned = view.ownedVms();
            HostRecord host = request.host().isEmpty()
                    ? Placement.choose(spec, undrained(live), owned, limits)
                    : Placement.require(request.host(), spec, live, view.knownHosts(), owned, limits);
            requireUndrained(host.name());
            int slot = setAside(spec, host);
            try {
                Reply.VmReply reply = await(ports.agents().call(host, new AgentRequest.CreateVm(term, slot, spec),
                        Reply.VmReply.class, timings.prepareMs()));
                ports.records().reconcile(term, spec.name(), live);
                return reply;
            } catch (TomboloException e) {
                undoCreate(spec.name(), e);
                throw e;
            }
        });
    }

    /// Hosts on which a VM may be placed.
    List<HostRecord> undrained(List<HostRecord> live) {
        return live.stream().filter(host -> !watch.drained().contains(host.name())).toList();
    }

    private void requireUndrained(String host) {
        if (watch.drained().contains(host)) {
            throw TomboloException.error(CoordinatorError.HOST_DRAINED, "no VM is placed on a host that is drained")
                    .fact("host", host).next("choose another host, or: tombolo host undrain " + host).build();
        }
    }

    /// Chooses a VM slot that neither the region nor any record uses, and writes the VM's record. One at a time, so
    /// that two creations do not choose the same.
    private synchronized int setAside(VmSpec spec, HostRecord host) {
        Set<Integer> used = new HashSet<>();
        ports.writes().vms().forEach(vm -> used.add(vm.slot()));
        for (int slot = 0; slot < ports.region().vmSlots(); slot++) {
            OwnerSnapshot owner = ports.region().owner(slot);
            if (owner.state() == OwnerState.FREE && !used.contains(slot)) {
                ports.writes().createVm(term, new VmRecord(spec, slot, host.name(), owner.epoch(),
                        CoordinatorError.VM_CREATING.name(), "its agent was told to create it"));
                return slot;
            }
        }
        throw TomboloException.error(CoordinatorError.VM_SLOTS_EXHAUSTED, "the region has no free VM slot")
                .fact("vm", spec.name()).fact("slots", ports.region().vmSlots())
                .next("destroy a VM, or format a region with more VM slots").build();
    }

    /// Removes the record of a VM that was certainly not created; one that may come into being yet keeps its record,
    /// and reconciliation or `vm destroy` deals with it.
    private void undoCreate(String vm, TomboloException why) {
        boolean maybe = why.code() == CoordinatorError.RPC_TIMEOUT
                || why.code() == CoordinatorError.RPC_CONNECTION_LOST;
        Versioned<VmRecord> record = ports.records().require(vm);
        if (!maybe && ports.region().owner(record.value().slot()).state() == OwnerState.FREE) {
            ports.writes().deleteVm(term, record);
        }
    }

    Reply destroy(CoordinatorRequest.VmDestroy request) {
        ahead.requireInLine();
        return alone(request.vm(), () -> {
            Versioned<VmRecord> record = ports.records().require(request.vm());
            requireNoMigration(request.vm());
            int slot = record.value().slot();
            OwnerState state = ports.region().owner(slot).state();
            if (state == OwnerState.LOST) {
                destroyLost(record.value());
            } else if (state != OwnerState.FREE) {
                destroyAt(view.requireOwner(record.value()), record.value());
            }
            ports.writes().deleteVm(term, ports.records().require(request.vm()));
            return new Reply.Ack();
        });
    }

    private void destroyAt(HostRecord host, VmRecord vm) {
        await(ports.agents().call(host, new AgentRequest.DestroyVm(term, vm.spec().name(), vm.slot()), Reply.Ack.class,
                timings.prepareMs()));
    }

    /// What is LOST nobody runs: any host may give its memory back. The record of one that has just died is still
    /// there.
    private void destroyLost(VmRecord vm) {
        TomboloException last = null;
        for (HostRecord host : ports.membership().hosts()) {
            if (!host.drivers().contains(vm.spec().driver())) {
                continue;
            }
            try {
                destroyAt(host, vm);
                return;
            } catch (TomboloException e) {
                if (e.code() != CoordinatorError.RPC_UNREACHABLE) {
                    throw e;
                }
                last = e;
            }
        }
        throw last != null
                ? last
                : TomboloException.error(CoordinatorError.NO_HOST_AVAILABLE, "no live host has the VM's driver")
                        .fact("vm", vm.spec().name()).fact("driver", vm.spec().driver()).next("tombolo host list")
                        .build();
    }

    Reply pause(CoordinatorRequest.VmPause request) {
        VmRecord vm = ports.records().require(request.vm()).value();
        OwnerSnapshot owner = ports.region().owner(vm.slot());
        if (owner.state() == OwnerState.PAUSED) {
            throw TomboloException.error(CoordinatorError.VM_NOT_RUNNING, "the VM is paused already")
                    .fact("vm", request.vm()).fact("owner", owner.describe())
                    .next("tombolo vm resume " + request.vm()).build();
        }
        return atOwner(request.vm(), slot -> new AgentRequest.PauseVm(term, request.vm(), slot));
    }

    Reply resume(CoordinatorRequest.VmResume request) {
        return atOwner(request.vm(), slot -> new AgentRequest.ResumeVm(term, request.vm(), slot));
    }

    Reply.VmReply atOwner(String vm, IntFunction<AgentRequest> request) {
        ahead.requireInLine();
        return alone(vm, () -> {
            VmRecord record = ports.records().require(vm).value();
            requireNoMigration(vm);
            HostRecord owner = view.requireOwner(record);
            Reply.VmReply reply = await(ports.agents().call(owner, request.apply(record.slot()), Reply.VmReply.class,
                    timings.finishMs()));
            ports.records().reconcile(term, vm, ports.membership().hosts());
            return reply;
        });
    }

    private void requireNoIntent(String vm) {
        if (runners.containsKey(vm) || ports.writes().intent(vm).isPresent()) {
            throw inProgress(vm);
        }
    }

    private void requireNoMigration(String vm) {
        if (migrations.containsKey(vm)) {
            throw inProgress(vm);
        }
        requireNoIntent(vm);
    }

    /// Moves a VM in one of the modes, and blocks until that has ended one way or the other.
    Reply migrate(CoordinatorRequest.VmMigrate request) {
        ahead.requireInLine();
        return switch (request.mode()) {
            case HANDOFF -> handOff(request);
            case TRANSIT -> {
                Route route = preflight(request);
                requireUnprotected(route);
                if (route.record().value().spec().driver().equals("qemu")) {
                    // Its pages are in a segment file of the region and cannot be anywhere else.
                    yield handOff(request);
                }
                TransitRunner transit = new TransitRunner(plan(request, route), ports.agents(),
                        started -> handOver(request, started), timings.finishMs());
                yield during(request.vm(), transit, () -> {
                    TransitState done = transit.run();
                    return migrated(request.vm(), done.report().orElseThrow(), done.moveReport());
                });
            }
            case COPY -> {
                Route route = preflight(request);
                requireUnprotected(route);
                CopyMigration copy = new CopyMigration(route, request.downtimeLimitMs(), request.moveTimeoutMs(),
                        ports.region().localPages(route.record().value().slot()), ports.agents(), timings.finishMs());
                yield during(request.vm(), copy, () -> {
                    CopyMigration.Result done = copy.run((how, started) -> handOver(request, started,
                            () -> HandoffRunner.start(ports, term, openIntent(request, true), timings, how)));
                    return migrated(request.vm(), done.report(), done.move());
                });
            }
        };
    }

    private void requireUnprotected(Route route) {
        VmRecord vm = route.record().value();
        if (ports.region().isProtected(vm.slot()) || vm.spec().checkpointUs() > 0) {
            String name = vm.spec().name();
            throw TomboloException
                    .error(CoordinatorError.VM_PROTECTED, "the pages of a protected VM stay in the shared tier")
                    .fact("vm", name).next("migrate it with --mode handoff, or: tombolo vm unprotect " + name)
                    .build();
        }
    }

    private Reply handOff(CoordinatorRequest.VmMigrate request) {
        ActiveMigration.Handoff active = new ActiveMigration.Handoff();
        return during(request.vm(), active,
                () -> migrated(request.vm(), handOver(request, active::started), MoveReport.handoff()));
    }

    /// At most one migration of a VM at a time, known by its name while it is under way.
    private Reply during(String vm, ActiveMigration migration, Supplier<Reply> action) {
        ports.records().require(vm);
        if (migrations.putIfAbsent(vm, migration) != null) {
            throw inProgress(vm);
        }
        boolean cancelled = false;
        try {
            if (ended) {
                migration.termEnded();
            }
            return action.get();
        } catch (TomboloException e) {
            cancelled = e.code() == CoordinatorError.MIGRATION_CANCELLED;
            throw e;
        } finally {
            migrations.remove(vm, migration);
            migration.ended().complete(cancelled);
        }
    }

    private Reply migrated(String vm, HandoffReport report, MoveReport move) {
        return new Reply.Migrated(report, move, view.status(ports.records().require(vm).value()));
    }

    private TransitPlan plan(CoordinatorRequest.VmMigrate request, Route route) {
        return new TransitPlan(request.vm(), route.from().name(), route.to().name(),
                route.record().value().spec().pageBytes(), WireLimits.MAX_PAGE_BYTES, TransitPlan.BUDGET_MS,
                TimeUnit.MILLISECONDS.toNanos(timings.retryMs()), TimeUnit.MILLISECONDS.toNanos(timings.switchMs()),
                request.moveTimeoutMs() > 0
                        ? TimeUnit.MILLISECONDS.toNanos(request.moveTimeoutMs())
                        : TransitPlan.DEFAULT_MOVE_NS);
    }

    Reply progress(CoordinatorRequest.VmMigrateProgress request) {
        ports.records().require(request.vm());
        ActiveMigration migration = migrations.get(request.vm());
        if (migration != null) {
            return migration.progress();
        }
        if (runners.containsKey(request.vm())) {
            return new Reply.MigrateProgress(MigratePhase.HANDOFF, 0, 0, 0);
        }
        throw notRunning(request.vm());
    }

    /// Ends a migration, also one of an earlier leader or one whose caller was told that it is undecided.
    Reply cancel(CoordinatorRequest.VmMigrateCancel request) {
        VmRecord record = ports.records().require(request.vm()).value();
        ActiveMigration migration = migrations.get(request.vm());
        HandoffRunner runner = runners.get(request.vm());
        MigratePhase phase;
        CompletableFuture<Boolean> end;
        if (migration != null) {
            phase = migration.progress().phase();
            end = migration.ended();
            migration.cancel();
        } else if (runner != null) {
            phase = MigratePhase.HANDOFF;
            end = runner.outcome().thenApply(outcome -> !outcome.result().succeeded());
            runner.cancel();
        } else {
            throw notRunning(request.vm());
        }
        boolean cancelled = await(end);
        return new Reply.MigrateCancelled(phase, cancelled, view.status(record));
    }

    private static TomboloException notRunning(String vm) {
        return TomboloException.error(CoordinatorError.MIGRATION_NOT_RUNNING, "no migration of this VM is under way")
                .fact("vm", vm).next("tombolo vm show " + vm).build();
    }

    private static TomboloException inProgress(String vm) {
        return TomboloException.error(CoordinatorError.MIGRATION_IN_PROGRESS, "a migration of this VM is under way")
                .fact("vm", vm).next("wait for it, or end it: tombolo vm migrate " + vm + " --cancel").build();
    }

    /// The hand-off alone. Blocks until it has ended.
    ///
    /// @param started told of the runner when the preflight is over
    private HandoffReport handOver(CoordinatorRequest.VmMigrate request, Consumer<HandoffRunner> started) {
        return handOver(request, started,
                () -> HandoffRunner.start(ports, term, openIntent(request, false), timings));
    }

    private HandoffReport handOver(CoordinatorRequest.VmMigrate request, Consumer<HandoffRunner> started,
            Supplier<HandoffRunner> start) {
        HandoffRunner runner = alone(request.vm(), () -> {
            HandoffRunner fresh = start.get();
            run(fresh);
            return fresh;
        });
        started.accept(runner);
        HandoffRunner.Outcome outcome = await(runner.outcome());
        IntentRecord intent = runner.intent();
        if (!outcome.result().succeeded()) {
            throw TomboloException
                    .error(CoordinatorError.valueOf(outcome.result().code()), outcome.result().text())
                    .fact("vm", intent.vm()).fact("from", intent.from()).fact("to", intent.to())
                    .fact("intent", intent.seq())
                    .fact("owner", ports.region().owner(intent.vmSlot()).describe())
                    .next("tombolo vm show " + intent.vm()).build();
        }
        return outcome.report()
                .orElseGet(() -> unmeasured(intent, ports.records().require(intent.vm()).value()));
    }

    private static HandoffReport unmeasured(IntentRecord intent, VmRecord record) {
        return new HandoffReport(intent.vm(), intent.from(), intent.to(), intent.seq(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                intent.epoch(), record.epoch(), HandoffOutcome.COMPLETED);
    }

    /// From where to where a migration goes.
    record Route(Versioned<VmRecord> record, OwnerSnapshot owner, HostRecord from, HostRecord to) {
    }

    /// Preflight, and the intent.
    ///
    /// @param copied whether local pages are sent by the source
    private IntentRecord openIntent(CoordinatorRequest.VmMigrate request, boolean copied) {
        Route route = preflight(request);
        VmRecord vm = route.record().value();
        long localPages = ports.region().localPages(vm.slot());
        if (localPages > 0 && !copied) {
            throw TomboloException
                    .error(CoordinatorError.VM_HAS_LOCAL_PAGES,
                            "a hand-off leaves pages in the host's own memory behind")
                    .fact("vm", request.vm()).fact("host", route.from().name()).fact("localPages", localPages)
                    .next("tombolo vm migrate " + request.vm() + " --to " + request.toHost() + " --mode transit")
                    .build();
        }
        return openIntent(route.record(), new IntentRecord(request.vm(), vm.slot(), route.from().name(),
                route.from().slot(), route.to().name(), route.to().slot(), route.owner().epoch(), term, 0,
                nonces.nextLong()));
    }

    /// What every mode of migration needs, every refusal by name and before anything is changed.
    private Route preflight(CoordinatorRequest.VmMigrate request) {
        Versioned<VmRecord> record = ports.records().require(request.vm());
        VmRecord vm = record.value();
        requireNoIntent(request.vm());
        List<HostRecord> live = ports.membership().hosts();
        if (live.stream().noneMatch(host -> host.name().equals(request.toHost()))) {
            throw view.knownHosts().contains(request.toHost())
                    ? Placement.dead(request.toHost())
                    : Placement.unknown(request.toHost());
        }
        OwnerSnapshot owner = ports.region().owner(vm.slot());
        if (owner.epoch() < vm.epoch()) {
            throw TomboloException
                    .error(CoordinatorError.REGION_BEHIND_ZOOKEEPER, "the region's epoch is below the one in ZooKeeper")
                    .fact("vm", request.vm()).fact("owner", owner.describe()).fact("expectedEpoch", vm.epoch())
                    .next("find out which of the two was restored from a copy").build();
        }
        if (owner.state() != OwnerState.RUNNING) {
            throw TomboloException.error(CoordinatorError.VM_NOT_RUNNING, "only a running VM can be migrated")
                    .fact("vm", request.vm()).fact("owner", owner.describe())
                    .fact("reason", vm.reason().isEmpty() ? "none" : vm.reason())
                    .next("tombolo vm show " + request.vm()).build();
        }
        HostRecord from = view.requireOwner(vm);
        if (from.name().equals(request.toHost())) {
            throw TomboloException.error(CoordinatorError.VM_ALREADY_THERE, "the VM is on that host already")
                    .fact("vm", request.vm()).fact("host", request.toHost()).next("choose another host").build();
        }
        requireUndrained(request.toHost());
        HostRecord to = Placement.require(request.toHost(), vm.spec(), live, Set.of(), view.ownedVms(), limits);
        return new Route(record, owner, from, to);
    }

    /// One at a time: the sequence number is the version of one znode, and two at once would refuse each other.
    private synchronized IntentRecord openIntent(Versioned<VmRecord> record, IntentRecord draft) {
        return ports.writes().openIntent(term, record, draft);
    }

    static <T> T await(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            throw switch (Errors.unwrap(e)) {
                case TomboloException known -> known;
                case RemoteException remote -> remote.toTombolo();
                case Throwable other -> new IllegalStateException(other);
            };
        }
    }
}

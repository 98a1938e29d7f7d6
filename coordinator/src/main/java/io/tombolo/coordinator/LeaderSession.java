package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.RemoteException;
import io.tombolo.coordinator.wire.VmSpec;
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
import java.util.concurrent.locks.ReentrantLock;
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
    private final Map<String, ReentrantLock> locks = new ConcurrentHashMap<>();
    private final Map<String, List<String>> suspectLeases = new HashMap<>();
    private final SecureRandom nonces = new SecureRandom();
    private final Thread reconciler;
    private volatile boolean ended;

    LeaderSession(HandoffRunner.Ports ports, ClusterView view, CoordinatorConfig config, long term) {
        this.ports = ports;
        this.view = view;
        this.timings = config.handoff();
        this.limits = config.placement();
        this.term = term;
        this.reconciler = Thread.ofPlatform().daemon().name("reconcile-" + term).unstarted(this::reconcileForEver);
    }

    /// Takes over what the leader before left, and goes on reconciling.
    void start() {
        reconciler.start();
    }

    long term() {
        return term;
    }

    /// Ends the term: runners stop where they are, and the next leader resumes their intents.
    @Override
    public void close() {
        ended = true;
        reconciler.interrupt();
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
                    suspectLeases.put(name,
                            ports.records().reconcileLease(name, suspectLeases.getOrDefault(name, List.of())));
                }
            } finally {
                lock.unlock();
            }
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

    private <T> T alone(String vm, Supplier<T> action) {
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
        return alone(spec.name(), () -> {
            List<HostRecord> live = ports.membership().hosts();
            Map<String, Integer> owned = view.ownedVms();
            HostRecord host = request.host().isEmpty()
                    ? Placement.choose(spec, live, owned, limits)
                    : Placement.require(request.host(), spec, live, view.knownHosts(), owned, limits);
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
        return alone(request.vm(), () -> {
            Versioned<VmRecord> record = ports.records().require(request.vm());
            requireNoIntent(request.vm());
            int slot = record.value().slot();
            if (ports.region().owner(slot).state() != OwnerState.FREE) {
                HostRecord owner = view.requireOwner(record.value());
                await(ports.agents().call(owner, new AgentRequest.DestroyVm(term, request.vm(), slot), Reply.Ack.class,
                        timings.prepareMs()));
            }
            ports.writes().deleteVm(term, ports.records().require(request.vm()));
            return new Reply.Ack();
        });
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

    private Reply atOwner(String vm, IntFunction<AgentRequest> request) {
        return alone(vm, () -> {
            VmRecord record = ports.records().require(vm).value();
            requireNoIntent(vm);
            HostRecord owner = view.requireOwner(record);
            Reply.VmReply reply = await(ports.agents().call(owner, request.apply(record.slot()), Reply.VmReply.class,
                    timings.finishMs()));
            ports.records().reconcile(term, vm, ports.membership().hosts());
            return reply;
        });
    }

    private void requireNoIntent(String vm) {
        if (runners.containsKey(vm) || ports.writes().intent(vm).isPresent()) {
            throw TomboloException.error(CoordinatorError.MIGRATION_IN_PROGRESS, "a hand-off of this VM is under way")
                    .fact("vm", vm).next("wait for it: tombolo vm show " + vm).build();
        }
    }

    Reply migrate(CoordinatorRequest.VmMigrate request) {
        HandoffRunner runner = alone(request.vm(), () -> {
            HandoffRunner fresh = HandoffRunner.start(ports, term, openIntent(request), timings);
            run(fresh);
            return fresh;
        });
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
        VmRecord record = ports.records().require(intent.vm()).value();
        return new Reply.Migrated(outcome.report().orElseGet(() -> unmeasured(intent, record)), view.status(record));
    }

    private static HandoffReport unmeasured(IntentRecord intent, VmRecord record) {
        return new HandoffReport(intent.vm(), intent.from(), intent.to(), intent.seq(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                intent.epoch(), record.epoch(), HandoffOutcome.COMPLETED);
    }

    /// Preflight, every refusal by name and before anything is changed, and the intent.
    private IntentRecord openIntent(CoordinatorRequest.VmMigrate request) {
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
        HostRecord to = Placement.require(request.toHost(), vm.spec(), live, Set.of(), view.ownedVms(), limits);
        return openIntent(record, new IntentRecord(request.vm(), vm.slot(), from.name(), from.slot(), to.name(),
                to.slot(), owner.epoch(), term, 0, nonces.nextLong()));
    }

    /// One at a time: the sequence number is the version of one znode, and two at once would refuse each other.
    private synchronized IntentRecord openIntent(Versioned<VmRecord> record, IntentRecord draft) {
        return ports.writes().openIntent(term, record, draft);
    }

    private static <T> T await(CompletableFuture<T> future) {
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

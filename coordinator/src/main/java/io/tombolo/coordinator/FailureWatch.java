package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.TakeoverReport;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.region.HostState;
import io.tombolo.region.OwnerState;
import io.tombolo.region.TomboloException;
import io.tombolo.region.WatchdogBound;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Looks, for one term, for hosts that are gone and for VMs whose owner has been fenced or has stopped, and has them
/// fenced and taken over. It remembers nothing that the next leader would miss: slot words and owner words say all.
/// Thread safe.
final class FailureWatch implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FailureWatch.class);
    private static final int REPORTS = 1_000;

    private final HandoffRunner.Ports ports;
    private final CoordinatorConfig config;
    private final HandoffTimings timings;
    private final long term;
    private final FailureDetection detection;
    private final Map<FailureDetection.Incarnation, HostFencingRunner> fencings = new ConcurrentHashMap<>();
    private final Map<Integer, TakeoverRunner> takeovers = new ConcurrentHashMap<>();
    private final Map<String, TakeoverReport> past = new LinkedHashMap<>();
    /// When fencing began and when the slot word was seen not to be LIVE, by incarnation: the runners come and go.
    private final Map<FailureDetection.Incarnation, long[]> fencedAt = new ConcurrentHashMap<>();
    /// Where VMs are about to go.
    private final Map<Integer, String> chosen = new ConcurrentHashMap<>();
    /// Offers that stand, and since when.
    private final Map<Integer, Offer> offers = new HashMap<>();
    private final Map<Integer, Long> notBefore = new HashMap<>();
    private final Thread thread;
    private volatile Set<String> drained = Set.of();
    private volatile boolean ended;
    private long nextHostsNs;
    private long nextRecordsNs;

    private record Offer(OwnerSnapshot word, long sinceNs) {
    }

    FailureWatch(HandoffRunner.Ports ports, CoordinatorConfig config, long term) {
        this.ports = ports;
        this.config = config;
        this.timings = config.handoff();
        this.term = term;
        long nowNs = System.nanoTime();
        this.detection = new FailureDetection(nowNs,
                TimeUnit.MILLISECONDS.toNanos(config.zookeeper().sessionTimeoutMs()));
        this.nextHostsNs = nowNs;
        this.nextRecordsNs = nowNs;
        this.thread = Thread.ofPlatform().daemon().name("failures-" + term).unstarted(this::watch);
    }

    void start() {
        thread.start();
    }

    @Override
    public void close() {
        ended = true;
        LockSupport.unpark(thread);
        fencings.values().forEach(HostFencingRunner::termEnded);
        takeovers.values().forEach(TakeoverRunner::termEnded);
    }

    /// Names of hosts on which nothing is placed.
    Set<String> drained() {
        return drained;
    }

    void drainedAre(Set<String> hosts) {
        drained = Set.copyOf(hosts);
    }

    /// Takeovers of this term, the oldest first.
    List<TakeoverReport> reports() {
        List<TakeoverReport> all;
        synchronized (past) {
            all = new ArrayList<>(past.values());
        }
        takeovers.values().forEach(runner -> all.add(runner.report()));
        all.sort(Comparator.comparingLong(TakeoverReport::suspectedNs));
        return all;
    }

    private void watch() {
        while (!ended) {
            try {
                round();
            } catch (TomboloException e) {
                LOG.debug("the look for failures is put off", e);
                // A bug must not end the watch for the whole term.
            } catch (RuntimeException e) {
                LOG.error("the look for failures failed", e);
            }
            LockSupport.parkNanos(this, TimeUnit.MILLISECONDS.toNanos(timings.lookMs()));
        }
    }

    private void round() {
        long nowNs = System.nanoTime();
        if (nowNs - nextRecordsNs >= 0) {
            nextRecordsNs = nowNs + TimeUnit.MILLISECONDS.toNanos(timings.retryMs());
            drained = ports.writes().drained();
            restartLost();
        }
        if (nowNs - nextHostsNs >= 0) {
            nextHostsNs = nowNs + TimeUnit.MILLISECONDS.toNanos(timings.hostsMs());
            lookForHosts(nowNs);
        }
        lookForVms(nowNs);
    }

    private void lookForHosts(long nowNs) {
        List<HostRecord> records = ports.membership().hosts();
        boolean[] owns = new boolean[ports.region().hostSlots()];
        boolean[] worth = new boolean[owns.length];
        Map<Integer, VmSpec> specs = null;
        for (int vm = 0; vm < ports.region().vmSlots(); vm++) {
            OwnerSnapshot owner = ports.region().owner(vm);
            if (owner.state() == OwnerState.FREE || owner.state() == OwnerState.LOST) {
                continue;
            }
            owns[owner.slot()] = true;
            boolean there = records.stream().anyMatch(record -> record.slot() == owner.slot());
            if (!there && !worth[owner.slot()]) {
                specs = specs == null ? specs() : specs;
                worth[owner.slot()] = ports.region().isProtected(vm) || goesOn(specs.get(vm));
            }
        }
        List<FailureDetection.Look> slots = new ArrayList<>();
        for (int slot = 0; slot < owns.length; slot++) {
            OwnerView.HostSnapshot word = ports.region().host(slot);
            slots.add(new FailureDetection.Look(slot, word.state(), word.incarnation(), owns[slot], worth[slot]));
        }
        for (FailureDetection.Incarnation gone : detection.look(nowNs, records, slots)) {
            LOG.warn("host {} (slot {}, incarnation {}) has no record in ZooKeeper any more and owns VMs that go on: it"
                    + " is fenced", nameOf(gone.slot()), gone.slot(), gone.incarnation());
            fence(gone, "");
        }
        // What another leader began, and what a person ordered.
        for (int slot = 0; slot < owns.length; slot++) {
            OwnerView.HostSnapshot word = ports.region().host(slot);
            if (owns[slot] && (word.state() == HostState.FENCING || word.state() == HostState.FAILED)) {
                fence(new FailureDetection.Incarnation(slot, word.incarnation()), "");
            }
        }
    }

    private static boolean goesOn(VmSpec spec) {
        return spec != null && (spec.checkpointUs() > 0 || spec.onHostFailure().equals(VmSpec.RESTART));
    }

    private Map<Integer, VmSpec> specs() {
        Map<Integer, VmSpec> specs = new HashMap<>();
        ports.writes().vms().forEach(vm -> specs.put(vm.slot(), vm.spec()));
        return specs;
    }

    private String nameOf(int slot) {
        return ports.region().hostName(slot).orElse("slot-" + slot);
    }

    /// Has an incarnation fenced, or joins the fencing that is under way.
    ///
    /// @param evidence what a person knows, `operator`; else `""`
    HostFencingRunner fence(FailureDetection.Incarnation incarnation, String evidence) {
        HostFencingRunner running = fencings.get(incarnation);
        boolean adds = running != null && !evidence.isEmpty() && running.state().plan().evidence().isEmpty();
        if (running != null && !adds) {
            return running;
        }
        String host = nameOf(incarnation.slot());
        List<FenceAgentConfig> agents = config.fencing().getOrDefault(host, List.of());
        WatchdogBound bound = ports.region().bound(incarnation.slot());
        HostFencing.Plan plan = new HostFencing.Plan(host, incarnation.slot(), incarnation.incarnation(),
                agents.stream().map(agent -> new HostFencing.Agent(agent.name(), agent.trusted())).toList(),
                bound.isKnown() ? bound.boundNs() : -1, evidence, timings);
        HostFencingRunner fresh = new HostFencingRunner(ports, term, plan, agents, () -> LockSupport.unpark(thread));
        HostFencingRunner other = adds
                ? (fencings.replace(incarnation, running, fresh) ? null : fencings.get(incarnation))
                : fencings.putIfAbsent(incarnation, fresh);
        if (other != null) {
            return other;
        }
        if (adds) {
            running.termEnded();
        }
        fencedAt.putIfAbsent(incarnation, new long[]{System.nanoTime(), 0});
        var _ = fresh.fenced().thenRun(() -> fencedAt.get(incarnation)[1] = fresh.state().fencedNs());
        var _ = fresh.ended().thenRun(() -> fencings.remove(incarnation, fresh));
        if (ended) {
            fresh.termEnded();
        }
        Thread.ofVirtual().name("fence-" + host).start(fresh);
        return fresh;
    }

    private void restartLost() {
        for (VmRecord vm : ports.writes().vms()) {
            if (vm.spec().onHostFailure().equals(VmSpec.RESTART)
                    && ports.region().owner(vm.slot()).state() == OwnerState.LOST) {
                takeOver(vm, "");
            }
        }
    }

    private void lookForVms(long nowNs) {
        Map<Integer, VmRecord> records = null;
        for (int vm = 0; vm < ports.region().vmSlots(); vm++) {
            OwnerSnapshot owner = ports.region().owner(vm);
            boolean orphan = isOrphan(vm, owner, nowNs);
            // Who does a takeover may have given it up.
            boolean taken = owner.state() == OwnerState.RECOVERING || owner.state() == OwnerState.RESTORING;
            if (!(isGone(owner) || orphan || taken) || takeovers.containsKey(vm)
                    || nowNs - notBefore.getOrDefault(vm, nowNs) < 0) {
                continue;
            }
            if (records == null) {
                records = new HashMap<>();
                for (VmRecord record : ports.writes().vms()) {
                    records.put(record.slot(), record);
                }
            }
            VmRecord record = records.get(vm);
            notBefore.put(vm, nowNs + TimeUnit.MILLISECONDS.toNanos(record == null
                    ? timings.retryMs()
                    : timings.askMs()));
            if (record != null) {
                takeOver(record, "");
            }
        }
    }

    /// The slot that the owner word names is not that of a host that may run VMs.
    private boolean isGone(OwnerSnapshot owner) {
        if (owner.state() == OwnerState.FREE || owner.state() == OwnerState.LOST) {
            return false;
        }
        HostState state = ports.region().host(owner.slot()).state();
        return state != HostState.LIVE && state != HostState.CLAIMING;
    }

    /// An offer that nobody takes, and nobody takes back; or a claim that its host cannot load, and can give back to
    /// nobody.
    private boolean isOrphan(int vm, OwnerSnapshot owner, long nowNs) {
        if (owner.state() != OwnerState.OFFERED && owner.state() != OwnerState.CLAIMED) {
            offers.remove(vm);
            return false;
        }
        Offer known = offers.get(vm);
        if (known == null || !known.word().equals(owner)) {
            offers.put(vm, new Offer(owner, nowNs));
            return false;
        }
        return nowNs - known.sinceNs() >= TimeUnit.MILLISECONDS.toNanos(timings.orphanMs());
    }

    /// Has a VM taken over, or joins the takeover that is under way.
    ///
    /// @param wantHost the only host that may take it; `""` for any
    TakeoverRunner takeOver(VmRecord vm, String wantHost) {
        TakeoverRunner running = takeovers.get(vm.slot());
        if (running != null) {
            return running;
        }
        OwnerSnapshot first = ports.region().owner(vm.slot());
        boolean orphan = (first.state() == OwnerState.OFFERED || first.state() == OwnerState.CLAIMED)
                && !isGone(first);
        FailureDetection.Incarnation from = new FailureDetection.Incarnation(first.slot(),
                ports.region().host(first.slot()).incarnation());
        TakeoverOrchestration.Plan plan = new TakeoverOrchestration.Plan(vm.spec(), vm.slot(), nameOf(first.slot()),
                wantHost, timings);
        TakeoverRunner fresh = new TakeoverRunner(ports, term, plan,
                () -> looked(vm, orphan ? Optional.of(first) : Optional.empty()), report -> timed(report, from));
        TakeoverRunner other = takeovers.putIfAbsent(vm.slot(), fresh);
        if (other != null) {
            return other;
        }
        if (ended) {
            fresh.termEnded();
        }
        Thread.ofVirtual().name("takeover-" + vm.spec().name()).start(() -> {
            fresh.run();
            synchronized (past) {
                past.put(vm.spec().name() + "@" + plan.vmSlot() + "#" + fresh.report().suspectedNs(), fresh.report());
                if (past.size() > REPORTS) {
                    past.remove(past.keySet().iterator().next());
                }
            }
            takeovers.remove(vm.slot(), fresh);
            chosen.remove(vm.slot());
        });
        return fresh;
    }

    /// One at a time, so that two VMs do not choose the same empty host.
    private synchronized TakeoverOrchestration.Event.Looked looked(VmRecord vm, Optional<OwnerSnapshot> orphan) {
        OwnerSnapshot owner = ports.region().owner(vm.slot());
        boolean gone = isGone(owner) || orphan.filter(owner::equals).isPresent();
        List<String> candidates;
        try {
            candidates = candidates(vm.spec(), ports.membership().hosts());
            if (owner.state() == OwnerState.CLAIMED && !isGone(owner)) {
                // Anybody else would have to wait until that host is confirmed stopped.
                candidates = candidates.stream()
                        .filter(host -> ports.region().hostName(owner.slot()).filter(host::equals).isPresent())
                        .toList();
            }
        } catch (TomboloException e) {
            LOG.debug("hosts are not known at the moment", e);
            candidates = List.of();
        }
        if (!candidates.isEmpty()) {
            chosen.put(vm.slot(), candidates.getFirst());
        }
        return new TakeoverOrchestration.Event.Looked(owner, gone,
                owner.state() == OwnerState.FREE ? "" : ports.region().hostName(owner.slot()).orElse(""), candidates);
    }

    /// Hosts that could take the VM, the emptiest first; VMs that are being taken over count already where they go.
    private List<String> candidates(VmSpec spec, List<HostRecord> live) {
        Map<Integer, Integer> owned = new HashMap<>();
        for (int vm = 0; vm < ports.region().vmSlots(); vm++) {
            OwnerSnapshot owner = ports.region().owner(vm);
            if (owner.state() != OwnerState.FREE) {
                owned.merge(owner.slot(), 1, Integer::sum);
            }
        }
        Map<String, Integer> counts = new HashMap<>();
        for (HostRecord host : live) {
            counts.merge(host.name(), owned.getOrDefault(host.slot(), 0), Integer::sum);
        }
        chosen.forEach((vm, host) -> {
            TakeoverRunner runner = takeovers.get(vm);
            if (runner != null && runner.report().epoch() == 0) {
                counts.merge(host, 1, Integer::sum);
            }
        });
        return live.stream().filter(this::mayRun).filter(host -> !drained.contains(host.name()))
                .filter(host -> host.drivers().contains(spec.driver()))
                .filter(host -> counts.getOrDefault(host.name(), 0) < config.placement().maxVmsPerHost())
                .sorted(Comparator.<HostRecord>comparingInt(host -> counts.getOrDefault(host.name(), 0))
                        .thenComparing(HostRecord::name))
                .map(HostRecord::name).toList();
    }

    private boolean mayRun(HostRecord host) {
        OwnerView.HostSnapshot word = ports.region().host(host.slot());
        return word.state() == HostState.LIVE && word.incarnation() == host.incarnation();
    }

    private TakeoverReport timed(TakeoverReport r, FailureDetection.Incarnation from) {
        long[] at = fencedAt.get(from);
        List<String> inDoubt = r.inDoubt().stream().map(this::namedDoubt).toList();
        return new TakeoverReport(r.vm(), r.vmSlot(), r.fromHost(), r.toHost(), r.epoch(), r.phase(), r.reason(),
                r.text(), inDoubt, at == null ? r.suspectedNs() : at[0], at == null ? 0 : at[1], r.begunNs(),
                r.confirmedNs(), r.recoveredNs(), r.runningNs(), r.pagesRolledBack());
    }

    /// `slot#incarnation` to `host#incarnation`.
    private String namedDoubt(String doubt) {
        String[] parts = doubt.split("#", 2);
        if (parts.length != 2 || !parts[0].chars().allMatch(Character::isDigit) || parts[0].isEmpty()) {
            return doubt;
        }
        return nameOf(Integer.parseInt(parts[0])) + "#" + parts[1];
    }
}

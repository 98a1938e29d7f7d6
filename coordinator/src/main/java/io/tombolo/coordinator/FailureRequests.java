package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TakeoverReport;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.region.HostState;
import io.tombolo.region.OwnerState;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What people ask for about hosts that fail or leave, and about VMs that outlive them. The rules are those of
/// [FailureWatch]; a person's word that a host has stopped is one more kind of evidence. Thread safe; blocks.
final class FailureRequests {
    private static final Logger LOG = LoggerFactory.getLogger(FailureRequests.class);

    private final HandoffRunner.Ports ports;
    private final ClusterView view;
    private final CoordinatorConfig config;
    private final HandoffTimings timings;
    private final LeaderSession leader;
    private final FailureWatch watch;
    private final RegionAhead ahead;

    FailureRequests(HandoffRunner.Ports ports, ClusterView view, CoordinatorConfig config, LeaderSession leader,
            FailureWatch watch, RegionAhead ahead) {
        this.ports = ports;
        this.view = view;
        this.config = config;
        this.timings = config.handoff();
        this.leader = leader;
        this.watch = watch;
        this.ahead = ahead;
    }

    Reply protect(CoordinatorRequest.VmProtect request) {
        VmRecord vm = ports.records().require(request.vm()).value();
        vm.spec().withProtection(request.checkpointUs()).checked();
        Reply.VmReply reply = leader.atOwner(request.vm(),
                slot -> new AgentRequest.ProtectVm(leader.term(), request.vm(), slot, request.checkpointUs()));
        ports.records().respec(leader.term(), request.vm(), spec -> spec.withProtection(request.checkpointUs()));
        return reply;
    }

    Reply takeOver(CoordinatorRequest.VmTakeover request) {
        ahead.requireInLine();
        VmRecord vm = ports.records().require(request.vm()).value();
        OwnerSnapshot owner = ports.region().owner(vm.slot());
        if (owner.state() == OwnerState.FREE || owner.state() == OwnerState.LOST) {
            throw TomboloException.error(CoordinatorError.VM_NOT_RUNNING, "there is nothing to take over")
                    .fact("vm", request.vm()).fact("owner", owner.describe())
                    .fact("reason", vm.reason().isEmpty() ? "none" : vm.reason())
                    .next("tombolo vm destroy " + request.vm()).build();
        }
        if (!request.toHost().isEmpty()) {
            Placement.require(request.toHost(), vm.spec(), ports.membership().hosts(), view.knownHosts(),
                    view.ownedVms(), config.placement());
        }
        fenceOwner(request, owner);
        TakeoverRunner runner = watch.takeOver(vm, request.toHost());
        TakeoverReport report = await(runner.outcome(), timings.switchMs()) ? runner.outcome().join() : runner.report();
        return new Reply.TakenOver(report, view.status(ports.records().require(request.vm()).value()));
    }

    private void fenceOwner(CoordinatorRequest.VmTakeover request, OwnerSnapshot owner) {
        String host = ports.region().hostName(owner.slot()).orElse("slot-" + owner.slot());
        String dead = request.deadHost();
        boolean taken = owner.state() == OwnerState.RECOVERING || owner.state() == OwnerState.RESTORING;
        if (taken && !dead.isEmpty() && !dead.equals(host)) {
            // What it waits for is an owner before that.
            List<FailureDetection.Incarnation> doubts = incarnations(dead, HostState.FENCING, HostState.FAILED);
            if (doubts.isEmpty()) {
                throw mismatch(request.vm(), host, dead);
            }
            requireNoRecord(dead);
            confirm(dead, doubts);
            return;
        }
        if (!dead.isEmpty() && !dead.equals(host)) {
            throw mismatch(request.vm(), host, dead);
        }
        OwnerView.HostSnapshot word = ports.region().host(owner.slot());
        boolean mayLive = word.state() == HostState.LIVE || word.state() == HostState.CLAIMING;
        if (mayLive && taken) {
            return;
        }
        if (mayLive || !dead.isEmpty()) {
            requireNoRecord(host);
        }
        FailureDetection.Incarnation incarnation = new FailureDetection.Incarnation(owner.slot(), word.incarnation());
        boolean open = mayLive || word.state() == HostState.FENCING || word.state() == HostState.FAILED;
        if (open && !dead.isEmpty()) {
            confirm(host, List.of(incarnation));
        } else if (mayLive) {
            requireFenced(host, List.of(watch.fence(incarnation, "")));
        }
    }

    private static TomboloException mismatch(String vm, String host, String typed) {
        return TomboloException
                .error(CoordinatorError.TAKEOVER_NAME_MISMATCH, "the name that was typed is not the owner host's")
                .fact("vm", vm).fact("host", host).fact("found", typed)
                .next("make sure which host has stopped, and type its name").build();
    }

    /// A record in ZooKeeper is of a process that answers there: whoever says that it has stopped is mistaken.
    private void requireNoRecord(String host) {
        if (ports.membership().host(host).isPresent()) {
            throw TomboloException.error(CoordinatorError.TAKEOVER_OWNER_ALIVE, "the host has a live agent")
                    .fact("host", host)
                    .next("move its VMs with 'tombolo vm migrate', or have it stopped: tombolo host fence " + host)
                    .build();
        }
    }

    private void confirm(String host, List<FailureDetection.Incarnation> incarnations) {
        LOG.warn("OPERATOR says that host {} has stopped: {}", host, incarnations);
        List<HostFencingRunner> runners = incarnations.stream().map(one -> watch.fence(one, "operator")).toList();
        requireFenced(host, runners);
        runners.forEach(runner -> await(runner.ended(), timings.finishMs()));
    }

    private void requireFenced(String host, List<HostFencingRunner> runners) {
        for (HostFencingRunner runner : runners) {
            if (!await(runner.fenced(), timings.finishMs())) {
                throw noHostToFenceWith(host);
            }
        }
    }

    private static TomboloException noHostToFenceWith(String host) {
        return TomboloException
                .error(CoordinatorError.NO_HOST_TO_FENCE_WITH, "no other live host can change the host's slot word")
                .fact("host", host).next("start an agent on another host; tombolo host list").build();
    }

    private List<FailureDetection.Incarnation> incarnations(String host, HostState... states) {
        List<FailureDetection.Incarnation> found = new ArrayList<>();
        for (int slot = 0; slot < ports.region().hostSlots(); slot++) {
            OwnerView.HostSnapshot word = ports.region().host(slot);
            if (List.of(states).contains(word.state())
                    && ports.region().hostName(slot).filter(host::equals).isPresent()) {
                found.add(new FailureDetection.Incarnation(slot, word.incarnation()));
            }
        }
        return found;
    }

    Reply fence(CoordinatorRequest.HostFence request) {
        String host = request.host();
        if (!view.knownHosts().contains(host)) {
            throw Placement.unknown(host);
        }
        if (!request.knownDead().isEmpty() && !request.knownDead().equals(host)) {
            throw TomboloException
                    .error(CoordinatorError.TAKEOVER_NAME_MISMATCH, "the name that was typed is not the host's")
                    .fact("host", host).fact("found", request.knownDead())
                    .next("make sure which host has stopped, and type its name").build();
        }
        if (!request.knownDead().isEmpty()) {
            requireNoRecord(host);
        }
        List<FailureDetection.Incarnation> open = incarnations(host, HostState.LIVE, HostState.CLAIMING,
                HostState.FENCING, HostState.FAILED);
        boolean another = ports.membership().hosts().stream().anyMatch(one -> !one.name().equals(host));
        if (!open.isEmpty() && !another) {
            throw noHostToFenceWith(host);
        }
        if (request.knownDead().isEmpty()) {
            LOG.warn("host {} is fenced because somebody asked for it: {}", host, open);
            requireFenced(host, open.stream().map(one -> watch.fence(one, "")).toList());
        } else {
            confirm(host, open);
        }
        return new Reply.HostReply(view.host(host));
    }

    Reply drain(CoordinatorRequest.HostDrain request) {
        String host = request.host();
        if (!view.knownHosts().contains(host)) {
            throw Placement.unknown(host);
        }
        ports.writes().setDrained(leader.term(), host, request.drain());
        watch.drainedAre(ports.writes().drained());
        List<Reply.DrainedVm> moved = new ArrayList<>();
        if (request.drain()) {
            for (VmRecord vm : ports.writes().vms()) {
                OwnerSnapshot owner = ports.region().owner(vm.slot());
                boolean here = owner.state() != OwnerState.FREE
                        && ports.region().hostName(owner.slot()).filter(host::equals).isPresent();
                if (here) {
                    moved.add(moveAway(vm));
                }
            }
        }
        return new Reply.Drained(host, moved);
    }

    private Reply.DrainedVm moveAway(VmRecord vm) {
        String name = vm.spec().name();
        try {
            HostRecord to = Placement.choose(vm.spec(), leader.undrained(ports.membership().hosts()), view.ownedVms(),
                    config.placement());
            leader.migrate(new CoordinatorRequest.VmMigrate(name, to.name()));
            return new Reply.DrainedVm(name, to.name(), "MOVED", "");
        } catch (TomboloException e) {
            LOG.warn("{} stays where it is: {}", name, e.getMessage());
            return new Reply.DrainedVm(name, "", e.code().name(), e.getMessage());
        }
    }

    Reply remove(CoordinatorRequest.HostRemove request) {
        String host = request.host();
        List<FailureDetection.Incarnation> all = incarnations(host, HostState.CLAIMING, HostState.LIVE,
                HostState.FENCING, HostState.STOPPED, HostState.CONFIRMED, HostState.FAILED);
        if (all.isEmpty()) {
            throw Placement.unknown(host);
        }
        List<FailureDetection.Incarnation> stopped = incarnations(host, HostState.STOPPED, HostState.CONFIRMED);
        if (stopped.size() < all.size() || ports.membership().host(host).isPresent()) {
            throw TomboloException
                    .error(CoordinatorError.HOST_NOT_STOPPED, "only a host that has stopped for certain is removed")
                    .fact("host", host).fact("slots", all)
                    .next("stop its agent; if it is dead: tombolo host fence " + host).build();
        }
        List<String> vms = new ArrayList<>();
        for (VmRecord vm : ports.writes().vms()) {
            OwnerSnapshot owner = ports.region().owner(vm.slot());
            if (owner.state() != OwnerState.FREE
                    && stopped.stream().anyMatch(incarnation -> incarnation.slot() == owner.slot())) {
                vms.add(vm.spec().name());
            }
        }
        if (!vms.isEmpty()) {
            throw TomboloException.error(CoordinatorError.HOST_HAS_VMS, "owner words still name the host")
                    .fact("host", host).fact("vms", String.join(",", vms))
                    .next("have them taken over, or destroy those that are lost; tombolo vm list").build();
        }
        HostRecord executor = ports.membership().hosts().stream().findFirst()
                .orElseThrow(() -> noHostToFenceWith(host));
        for (FailureDetection.Incarnation one : stopped) {
            LeaderSession.await(ports.agents().call(executor,
                    new AgentRequest.FreeHost(leader.term(), one.slot(), one.incarnation()), Reply.Ack.class,
                    timings.finishMs()));
        }
        ports.writes().setDrained(leader.term(), host, false);
        watch.drainedAre(ports.writes().drained());
        LOG.warn("host {} is removed: {}", host, stopped);
        return new Reply.Ack();
    }

    Reply reconcile() {
        return ahead.reconcile();
    }

    private static boolean await(CompletableFuture<?> future, int ms) {
        return future.<Boolean>thenApply(_ -> true).completeOnTimeout(false, ms, TimeUnit.MILLISECONDS).join();
    }
}

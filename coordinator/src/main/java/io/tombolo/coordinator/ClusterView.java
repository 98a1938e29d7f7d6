package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.ClusterInfo;
import io.tombolo.coordinator.wire.HostStatus;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.coordinator.zk.ClusterRecord;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.coordinator.zk.Versioned;
import io.tombolo.region.HostState;
import io.tombolo.region.OwnerState;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The cluster for people and for placement, put together from ZooKeeper, the owner words and, where they answer in
/// time, the agents. Changes nothing. Thread safe.
final class ClusterView {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterView.class);

    private final HandoffRunner.Ports ports;
    private final CoordinatorConfig config;

    ClusterView(HandoffRunner.Ports ports, CoordinatorConfig config) {
        this.ports = ports;
        this.config = config;
    }

    /// Names of all hosts that have, or had, a slot of the region.
    Set<String> knownHosts() {
        Set<String> known = new HashSet<>();
        for (int slot = 0; slot < ports.region().hostSlots(); slot++) {
            ports.region().hostName(slot).ifPresent(known::add);
        }
        return known;
    }

    /// How many VMs the owner words give to each host.
    Map<String, Integer> ownedVms() {
        Map<String, Integer> owned = new HashMap<>();
        for (VmRecord vm : ports.writes().vms()) {
            ownerName(vm).ifPresent(host -> owned.merge(host, 1, Integer::sum));
        }
        return owned;
    }

    private Optional<String> ownerName(VmRecord vm) {
        OwnerSnapshot owner = ports.region().owner(vm.slot());
        return owner.state() == OwnerState.FREE ? Optional.of(vm.host()) : ports.region().hostName(owner.slot());
    }

    /// The live host that the owner word names.
    ///
    /// @throws TomboloException `OWNER_HOST_DEAD`, `VM_NOT_IN_REGION`
    HostRecord requireOwner(VmRecord vm) {
        OwnerSnapshot owner = ports.region().owner(vm.slot());
        if (owner.state() == OwnerState.FREE) {
            throw TomboloException.error(CoordinatorError.VM_NOT_IN_REGION, "the VM's slot in the region is free")
                    .fact("vm", vm.spec().name()).fact("slot", vm.slot())
                    .next("tombolo vm destroy " + vm.spec().name() + " removes its record").build();
        }
        return ports.membership().hosts().stream().filter(host -> host.slot() == owner.slot()).findFirst()
                .orElseThrow(() -> TomboloException
                        .error(CoordinatorError.OWNER_HOST_DEAD, "the host that owns the VM has no live agent")
                        .fact("vm", vm.spec().name()).fact("owner", owner.describe())
                        .fact("host", ports.region().hostName(owner.slot()).orElse("?"))
                        .next("start its agent again").build());
    }

    /// A VM without asking its agent.
    VmStatus status(VmRecord vm) {
        OwnerSnapshot owner = ports.region().owner(vm.slot());
        String host = owner.state() == OwnerState.FREE
                ? ""
                : ports.region().hostName(owner.slot()).orElse("slot-" + owner.slot());
        return new VmStatus(vm.spec(), vm.slot(), owner.state().name(), host, owner.epoch(), List.of(), vm.reason())
                .withLocalPages(ports.region().localPages(vm.slot()));
    }

    /// A VM with what its agent says, when that answers.
    VmStatus show(VmRecord vm) {
        VmStatus status = status(vm);
        if (status.ownerHost().isEmpty()) {
            return status;
        }
        try {
            VmStatus live = ports.agents().call(status.ownerHost(), new AgentRequest.ShowVm(vm.spec().name()),
                    Reply.VmReply.class, config.handoff().connectMs()).join().vm();
            String reason = vm.reason().isEmpty() ? live.reason() : vm.reason();
            return new VmStatus(vm.spec(), vm.slot(), status.ownerState(), status.ownerHost(), status.epoch(),
                    live.instructions(), reason).withLocalPages(status.localPages()).withWaits(live.waits())
                    .withProtection(live.protection());
            // An agent that does not answer is no reason not to show what is known without it.
        } catch (RuntimeException e) {
            LOG.debug("agent {} says nothing of {}", status.ownerHost(), vm.spec().name(), e);
            return status;
        }
    }

    List<VmStatus> vms() {
        return ports.writes().vms().stream().map(this::status).toList();
    }

    /// Live hosts and those whose slot is not free, by name.
    List<HostStatus> hosts() {
        Map<String, HostRecord> live = new TreeMap<>();
        ports.membership().hosts().forEach(host -> live.put(host.name(), host));
        Map<String, CompletableFuture<HostStatus>> asked = new TreeMap<>();
        live.values().forEach(host -> asked.put(host.name(), ask(host)));
        Map<String, HostStatus> all = new TreeMap<>();
        for (int slot = 0; slot < ports.region().hostSlots(); slot++) {
            OwnerView.HostSnapshot word = ports.region().host(slot);
            if (word.state() != HostState.FREE) {
                int index = slot;
                ports.region().hostName(slot)
                        .ifPresent(name -> all.put(name, dead(name, index, word)));
            }
        }
        asked.forEach((name, status) -> all.put(name, status.join()));
        return List.copyOf(all.values());
    }

    private HostStatus dead(String name, int slot, OwnerView.HostSnapshot word) {
        return new HostStatus(name, slot, word.incarnation(), word.state() + " no agent", "", 0, -1, -1, vmsOf(name));
    }

    private List<String> vmsOf(String host) {
        List<String> names = new ArrayList<>();
        for (VmRecord vm : ports.writes().vms()) {
            if (ownerName(vm).filter(host::equals).isPresent()) {
                names.add(vm.spec().name());
            }
        }
        return names;
    }

    private CompletableFuture<HostStatus> ask(HostRecord host) {
        return ports.agents().call(host, new AgentRequest.DescribeHost(), Reply.HostReply.class,
                config.handoff().connectMs()).handle(
                        (reply, failure) -> failure == null
                                ? reply.host()
                                : new HostStatus(host.name(), host.slot(), host.incarnation(),
                                        ports.region().host(host.slot()).state() + " no answer", host.address(),
                                        host.port(),
                                        -1, -1, vmsOf(host.name())));
    }

    HostStatus host(String name) {
        return hosts().stream().filter(host -> host.name().equals(name)).findFirst()
                .orElseThrow(() -> Placement.unknown(name));
    }

    ClusterInfo cluster(ClusterRecord cluster, long term) {
        return new ClusterInfo(cluster.name(), cluster.uuid(), config.id(), term, cluster.regionUuid(), hosts(), vms(),
                ports.writes().intents().stream().map(Versioned::value).map(IntentRecord::vm).toList());
    }
}

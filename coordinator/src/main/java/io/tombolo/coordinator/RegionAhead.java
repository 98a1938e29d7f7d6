package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.coordinator.zk.Versioned;
import io.tombolo.region.OwnerState;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A ZooKeeper that was wiped, or restored from an old copy, over a region that knows more: found at the start of a
/// term, and from then on requests that change something are refused until somebody has had it reconciled. Epochs live
/// in the region and never go back, so running VMs, and takeovers of those that ZooKeeper knows, go on.
///
/// A VM has its record before it has its slot, and its slot is FREE before its record goes: so a slot that is taken
/// and has no record is never a matter of time. Thread safe.
final class RegionAhead {
    private static final Logger LOG = LoggerFactory.getLogger(RegionAhead.class);

    private final HandoffRunner.Ports ports;
    private final HandoffTimings timings;
    private final long term;
    /// Until the first look has shown that it is in line.
    private volatile boolean suspected = true;

    RegionAhead(HandoffRunner.Ports ports, HandoffTimings timings, long term) {
        this.ports = ports;
        this.timings = timings;
        this.term = term;
    }

    /// At the start of a term.
    void look() {
        try {
            suspected = disagreement().isPresent();
        } catch (TomboloException e) {
            LOG.warn("whether region and ZooKeeper agree is not known yet: {}", e.getMessage());
            suspected = true;
        }
        if (suspected) {
            LOG.error("region and ZooKeeper do not agree; changes are refused until: tombolo cluster reconcile");
        }
    }

    /// @throws TomboloException `REGION_AHEAD_OF_ZOOKEEPER`, `REGION_BEHIND_ZOOKEEPER`
    void requireInLine() {
        if (!suspected) {
            return;
        }
        Optional<TomboloException> found = disagreement();
        if (found.isPresent()) {
            throw found.get();
        }
        suspected = false;
    }

    private Optional<TomboloException> disagreement() {
        Map<Integer, VmRecord> records = new HashMap<>();
        for (VmRecord vm : ports.writes().vms()) {
            records.put(vm.slot(), vm);
            OwnerSnapshot owner = ports.region().owner(vm.slot());
            if (owner.epoch() < vm.epoch()) {
                return Optional.of(TomboloException
                        .error(CoordinatorError.REGION_BEHIND_ZOOKEEPER,
                                "the region's epoch is below the one in ZooKeeper")
                        .fact("vm", vm.spec().name()).fact("owner", owner.describe()).fact("expectedEpoch", vm.epoch())
                        .next("find out which of the two was restored from a copy; to go by the region: tombolo cluster"
                                + " reconcile")
                        .build());
            }
        }
        for (int slot = 0; slot < ports.region().vmSlots(); slot++) {
            OwnerSnapshot owner = ports.region().owner(slot);
            if (owner.state() != OwnerState.FREE && !records.containsKey(slot)) {
                return Optional.of(TomboloException
                        .error(CoordinatorError.REGION_AHEAD_OF_ZOOKEEPER,
                                "the region has a VM that ZooKeeper does not know")
                        .fact("slot", slot).fact("owner", owner.describe())
                        .next("ZooKeeper was wiped or restored; tombolo cluster reconcile").build());
            }
        }
        return Optional.empty();
    }

    /// Writes the records that are missing, from what the owners' agents say, brings epochs into line, and takes away
    /// records of VMs that the region does not know.
    Reply.Reconciled reconcile() {
        Map<Integer, VmStatus> described = new HashMap<>();
        List<HostRecord> live = ports.membership().hosts();
        for (HostRecord host : live) {
            try {
                LeaderSession.await(ports.agents().call(host, new AgentRequest.ListVms(), Reply.VmListReply.class,
                        timings.connectMs())).vms().forEach(vm -> described.put(vm.slot(), vm));
            } catch (TomboloException e) {
                LOG.warn("agent of {} does not say what it runs: {}", host.name(), e.getMessage());
            }
        }
        List<String> written = new ArrayList<>();
        List<String> removed = new ArrayList<>();
        List<String> unknown = new ArrayList<>();
        dropStale(described, removed);
        Map<Integer, VmRecord> records = new HashMap<>();
        ports.writes().vms().forEach(vm -> records.put(vm.slot(), vm));
        for (int slot = 0; slot < ports.region().vmSlots(); slot++) {
            OwnerSnapshot owner = ports.region().owner(slot);
            VmRecord record = records.get(slot);
            if (owner.state() == OwnerState.FREE) {
                continue;
            }
            if (record != null) {
                if (owner.epoch() < record.epoch()) {
                    rewrite(record, owner);
                    written.add(record.spec().name());
                }
            } else if (described.containsKey(slot)) {
                VmStatus vm = described.get(slot);
                ports.writes().createVm(term, new VmRecord(vm.spec(), slot,
                        ports.region().hostName(owner.slot()).orElse(vm.ownerHost()), owner.epoch(), "", ""));
                written.add(vm.spec().name());
            } else {
                unknown.add("slot " + slot + ": " + owner.describe() + ", host "
                        + ports.region().hostName(owner.slot()).orElse("?"));
            }
        }
        LOG.warn("reconciled with the region: written {}, removed {}, unknown {}", written, removed, unknown);
        look();
        return new Reply.Reconciled(written, removed, unknown);
    }

    private void rewrite(VmRecord record, OwnerSnapshot owner) {
        ports.writes().vm(record.spec().name()).ifPresent(read -> ports.writes().updateVm(term, read,
                new VmRecord(record.spec(), record.slot(), record.host(), owner.epoch(), "", "")));
    }

    /// Records of VMs whose slot is free, or holds another VM.
    private void dropStale(Map<Integer, VmStatus> described, List<String> removed) {
        for (VmRecord vm : ports.writes().vms()) {
            boolean free = ports.region().owner(vm.slot()).state() == OwnerState.FREE;
            VmStatus there = described.get(vm.slot());
            boolean other = there != null && !there.spec().uuid().equals(vm.spec().uuid());
            Optional<Versioned<VmRecord>> read = ports.writes().vm(vm.spec().name());
            if ((free || other) && read.isPresent()) {
                ports.writes().deleteVm(term, read.get());
                removed.add(vm.spec().name());
            }
        }
    }
}

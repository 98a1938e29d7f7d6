package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.coordinator.zk.LeaderWrites;
import io.tombolo.coordinator.zk.Leases;
import io.tombolo.coordinator.zk.Membership;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.coordinator.zk.Versioned;
import io.tombolo.coordinator.zk.ZkConnection;
import io.tombolo.region.OwnerState;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// Brings ZooKeeper into line with the owner words: VM records, intents, leases. Stateless; thread safe.
public final class VmRecords {
    private final ZkConnection zk;
    private final LeaderWrites writes;
    private final Membership membership;
    private final OwnerView region;

    public VmRecords(ZkConnection zk, LeaderWrites writes, Membership membership, OwnerView region) {
        this.zk = zk;
        this.writes = writes;
        this.membership = membership;
        this.region = region;
    }

    /// Closes an intent with the VM's record as the owner word says now.
    public void closeIntent(long term, IntentRecord intent, HandoffEffect.Close close) {
        Optional<Versioned<VmRecord>> vm = writes.vm(intent.vm());
        if (vm.isEmpty()) {
            writes.intent(intent.vm()).filter(open -> open.value().seq() == intent.seq())
                    .ifPresent(open -> writes.dropIntent(term, open));
            return;
        }
        VmRecord record = vm.get().value();
        OwnerSnapshot owner = region.owner(record.slot());
        VmRecord next = fastInLine(record, owner, intent)
                .orElseGet(() -> Reconciliation.inLine(record, owner, membership.hosts()));
        writes.closeIntent(term, intent, vm.get(), close.reason().isEmpty() ? next : reasoned(next, close.reason()));
    }

    /// The common case without asking ZooKeeper for the hosts: the word names one of the two hosts of the intent.
    private static Optional<VmRecord> fastInLine(VmRecord record, OwnerSnapshot owner, IntentRecord intent) {
        if (owner.epoch() < record.epoch() || owner.state() != OwnerState.RUNNING) {
            return Optional.empty();
        }
        String host = owner.names(intent.toSlot()) ? intent.to() : owner.names(intent.fromSlot()) ? intent.from() : "";
        return host.isEmpty()
                ? Optional.empty()
                : Optional.of(new VmRecord(record.spec(), record.slot(), host, owner.epoch(), "", ""));
    }

    private static VmRecord reasoned(VmRecord record, String reason) {
        return record.reason().equals(reason)
                ? record
                : new VmRecord(record.spec(), record.slot(), record.host(), record.epoch(), reason, "");
    }

    /// Writes a reason to a VM's record.
    public void note(long term, String vm, String reason) {
        writes.vm(vm).ifPresent(read -> writes.updateVm(term, read, reasoned(read.value(), reason)));
    }

    /// Writes down why a VM is LOST, if it is.
    public void lost(long term, String vm, String reason, String text) {
        writes.vm(vm).ifPresent(read -> {
            VmRecord record = read.value();
            OwnerSnapshot owner = region.owner(record.slot());
            if (owner.state() == OwnerState.LOST) {
                writes.updateVm(term, read,
                        new VmRecord(record.spec(), record.slot(), record.host(), owner.epoch(), reason, text));
            }
        });
    }

    /// Writes another definition of a VM.
    public void respec(long term, String vm, UnaryOperator<VmSpec> change) {
        writes.vm(vm).ifPresent(read -> {
            VmRecord record = read.value();
            writes.updateVm(term, read, new VmRecord(change.apply(record.spec()), record.slot(), record.host(),
                    record.epoch(), record.reason(), record.reasonText()));
        });
    }

    /// Brings one VM's record and lease into line with its owner word.
    public void reconcile(long term, String vm, List<HostRecord> live) {
        Optional<Versioned<VmRecord>> read = writes.vm(vm);
        if (read.isEmpty()) {
            return;
        }
        VmRecord record = read.get().value();
        VmRecord next = Reconciliation.inLine(record, region.owner(record.slot()), live);
        writes.updateVm(term, read.get(), next);
    }

    /// Revokes the lease of a holder that is not the owner. The owner's agent acquires it by itself.
    ///
    /// @param suspects paths of leases that were wrong the last time; only those are revoked, so that an agent has the
    /// time of
    ///                 one round to give its lease back
    /// @return paths of leases that are wrong now
    List<String> reconcileLease(String vm, List<String> suspects) {
        Optional<Versioned<VmRecord>> read = writes.vm(vm);
        if (read.isEmpty()) {
            return List.of();
        }
        List<Leases.Held> wrong = Leases.holders(zk, vm).stream().limit(1)
                .filter(lease -> !lease.holder().equals(read.get().value().host())).toList();
        wrong.stream().filter(lease -> suspects.contains(lease.path())).forEach(lease -> Leases.revoke(zk, lease));
        return wrong.stream().map(Leases.Held::path).toList();
    }

    /// `VM_UNKNOWN` when there is no such record.
    public Versioned<VmRecord> require(String vm) {
        return writes.vm(vm).orElseThrow(
                () -> TomboloException.error(CoordinatorError.VM_UNKNOWN, "there is no VM of that name").fact("vm", vm)
                        .next("tombolo vm list").build());
    }
}

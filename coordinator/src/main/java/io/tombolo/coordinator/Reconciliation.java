package io.tombolo.coordinator;

import io.tombolo.coordinator.zk.HostRecord;
import io.tombolo.coordinator.zk.VmRecord;
import java.util.List;
import java.util.Optional;

/// What a VM's record in ZooKeeper should say, given its owner word. A pure function: the record follows the word and
/// never the other way round. A dead host's owner word is left alone by everybody; only the reason is written down.
public final class Reconciliation {
    private Reconciliation() {
    }

    /// The record as it should be; the same when nothing is to be changed.
    ///
    /// @param live hosts with a record in ZooKeeper
    public static VmRecord inLine(VmRecord record, OwnerSnapshot owner, List<HostRecord> live) {
        if (owner.epoch() < record.epoch()) {
            // A region from an older copy, or a ZooKeeper that knows more: nothing may be started over this.
            return because(record, record.host(), record.epoch(), CoordinatorError.REGION_BEHIND_ZOOKEEPER,
                    "the owner word says " + owner.describe() + " and the record epoch " + record.epoch());
        }
        return switch (owner.state()) {
            case FREE -> record.reason().equals(CoordinatorError.VM_CREATING.name())
                    ? record
                    : because(record, record.host(), owner.epoch(), CoordinatorError.VM_NOT_IN_REGION,
                            "its VM slot is free");
            case CREATING -> owned(record, owner, live, CoordinatorError.VM_CREATING.name(), record.reasonText());
            // Whoever found it lost wrote down why.
            case LOST -> record.epoch() == owner.epoch() && saysWhyLost(record)
                    ? record
                    : because(record, record.host(), owner.epoch(), CoordinatorError.VM_LOST, "its memory is lost");
            case RUNNING, OFFERED, CLAIMED, RECOVERING, RESTORING, PAUSED, DESTROYING ->
                owned(record, owner, live, "", "");
        };
    }

    private static VmRecord owned(VmRecord record, OwnerSnapshot owner, List<HostRecord> live, String reason,
            String text) {
        Optional<String> host = live.stream().filter(one -> one.slot() == owner.slot()).map(HostRecord::name)
                .findFirst();
        return host.isPresent()
                ? new VmRecord(record.spec(), record.slot(), host.get(), owner.epoch(), reason, text)
                : because(record, record.host(), owner.epoch(), CoordinatorError.OWNER_HOST_DEAD,
                        "host slot " + owner.slot() + " has no live agent; the owner word stays " + owner.state());
    }

    private static boolean saysWhyLost(VmRecord record) {
        return !record.reason().isEmpty() && !record.reason().equals(CoordinatorError.OWNER_HOST_DEAD.name())
                && !record.reason().equals(CoordinatorError.VM_CREATING.name());
    }

    private static VmRecord because(VmRecord record, String host, long epoch, CoordinatorError reason, String text) {
        return new VmRecord(record.spec(), record.slot(), host, epoch, reason.name(), text);
    }
}

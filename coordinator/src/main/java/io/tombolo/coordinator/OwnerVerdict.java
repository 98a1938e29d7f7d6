package io.tombolo.coordinator;

import io.tombolo.coordinator.zk.IntentRecord;
import io.tombolo.region.OwnerState;

/// What an owner word says about an intent {from A at epoch e, to B}. The case table is in docs/zookeeper.md.
public enum OwnerVerdict {
    /// A runs the VM at the intent's epoch: the switch has not happened, and A may still have the order in hand.
    NOT_SWITCHED,
    /// A has the VM at a later epoch: it was taken back, given back, renewed or paused, and an order for epoch e can do
    /// nothing any more.
    STAYED,
    /// Offered or claimed, in either direction: A or B acts next.
    IN_FLIGHT,
    /// B has the VM.
    SWITCHED,
    /// The word tells another story: another host, another life of the slot, or a region older than ZooKeeper.
    STALE;

    /// Judges one reading.
    ///
    /// @return by state, slot and epoch alone
    public static OwnerVerdict of(IntentRecord intent, OwnerSnapshot owner) {
        if (owner.epoch() < intent.epoch()) {
            return STALE;
        }
        boolean later = owner.epoch() > intent.epoch();
        boolean source = owner.slot() == intent.fromSlot();
        boolean target = owner.slot() == intent.toSlot();
        return switch (owner.state()) {
            case RUNNING, PAUSED -> {
                if (target && later) {
                    yield SWITCHED;
                }
                if (!source) {
                    yield STALE;
                }
                yield later || owner.state() == OwnerState.PAUSED ? STAYED : NOT_SWITCHED;
            }
            case OFFERED, CLAIMED -> later && (source || target) ? IN_FLIGHT : STALE;
            case FREE, CREATING, RECOVERING, RESTORING, DESTROYING, LOST -> STALE;
        };
    }
}

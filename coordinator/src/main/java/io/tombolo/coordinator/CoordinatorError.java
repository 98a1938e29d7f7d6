package io.tombolo.coordinator;

import io.tombolo.region.ErrorCode;

/// Every error this module raises. Names are stable; docs/errors.md explains each.
public enum CoordinatorError implements ErrorCode {
    /// A configuration file is not there or cannot be read.
    CONFIG_UNREADABLE(2),
    /// A configuration file is not YAML or a value has the wrong type.
    CONFIG_MALFORMED(2),
    /// A configuration file has a key that the component does not know.
    CONFIG_UNKNOWN_KEY(2),
    /// A required key is missing.
    CONFIG_MISSING_KEY(2),
    /// A value is outside its range or contradicts another.
    CONFIG_INVALID_VALUE(2),

    /// Bytes that are not a frame of this protocol.
    WIRE_GARBAGE(5),
    /// A frame longer than the limit.
    WIRE_OVERSIZED(5),
    /// The connection ended in the middle of a frame.
    WIRE_TRUNCATED(5),
    /// A frame whose sequence number is not the next one.
    WIRE_REPLAYED(5),
    /// A frame whose CRC-32C does not match.
    WIRE_DAMAGED(5),
    /// A whole frame whose payload is not a message of this protocol, or not one allowed there.
    WIRE_MALFORMED(5),
    /// The peer speaks another protocol major.
    WIRE_PROTOCOL_MAJOR(4),
    /// The peer belongs to another cluster.
    WIRE_FOREIGN_CLUSTER(4),
    /// The peer did not say hello in time.
    WIRE_HANDSHAKE_TIMEOUT(4),
    /// A message does not fit a frame.
    WIRE_MESSAGE_TOO_LARGE(3),

    /// No connection could be made.
    RPC_UNREACHABLE(4),
    /// The RPC server's address cannot be bound.
    RPC_BIND_FAILED(4),
    /// The request was not sent: it has certainly not been executed.
    RPC_NOT_SENT(4),
    /// The connection was lost after the request was sent: it may have been executed.
    RPC_CONNECTION_LOST(4),
    /// No reply in time: the request may have been executed.
    RPC_TIMEOUT(4),
    /// The peer has too many requests of this connection in hand; this one was not executed.
    RPC_BUSY(3),
    /// The peer does not serve this kind of request.
    RPC_NOT_SERVED(3),
    /// The peer's handler failed in a way that has no code of its own.
    RPC_HANDLER_FAILED(1),

    /// ZooKeeper has no cluster at the root that was given.
    CLUSTER_ROOT_EMPTY(3),
    /// No ZooKeeper server answered in time.
    ZOOKEEPER_UNREACHABLE(4),
    /// ZooKeeper answered with an error that this operation does not expect.
    ZOOKEEPER_FAILED(4),
    /// A ZooKeeper server process did not start.
    ZOOKEEPER_START_FAILED(4),
    /// A znode's payload is not what it should be.
    ZNODE_DAMAGED(5),
    /// A znode has a payload version that this program does not know.
    ZNODE_VERSION_UNKNOWN(4),
    /// The tree in ZooKeeper belongs to another cluster or region.
    ZOOKEEPER_FOREIGN_CLUSTER(4),
    /// A live host record with the same name or id exists.
    HOST_ID_IN_USE(3),
    /// This coordinator's term is over; the write was not done.
    TERM_ENDED(3),
    /// This coordinator does not lead.
    NOT_LEADER(3),
    /// No coordinator leads.
    NO_LEADER(4),
    /// The lease was not acquired in time.
    LEASE_TIMEOUT(3),
    /// The lease's znode is not of the current session.
    LEASE_NOT_OURS(3),

    /// A VM definition has a wrong field.
    VM_SPEC_INVALID(2),
    /// No VM of that name.
    VM_UNKNOWN(2),
    /// A VM of that name exists.
    VM_EXISTS(3),
    /// No free VM slot in the region.
    VM_SLOTS_EXHAUSTED(3),
    /// The VM is being created; its creation may also have been interrupted, and then `vm destroy` removes its record.
    VM_CREATING(3),
    /// The VM has a record and its slot in the region is free.
    VM_NOT_IN_REGION(3),
    /// The VM's memory is lost.
    VM_LOST(3),
    /// The VM's host died while it ran, and it was not protected.
    VM_LOST_NOT_PROTECTED(3),
    /// Pages of the VM died with the memory of its host.
    VM_LOST_LOCAL_PAGES(3),
    /// The state to which a takeover would go back is damaged.
    VM_LOST_STATE_DAMAGED(5),
    /// The VM is not in a state that allows the operation.
    VM_NOT_RUNNING(3),
    /// No host of that name.
    HOST_UNKNOWN(2),
    /// The host has no live record in ZooKeeper.
    HOST_DEAD(3),
    /// The host does not have the VM's hypervisor driver.
    HOST_LACKS_DRIVER(3),
    /// The host cannot take one more VM.
    HOST_FULL(3),
    /// No live host can take the VM.
    NO_HOST_AVAILABLE(3),
    /// The VM is on that host already.
    VM_ALREADY_THERE(3),
    /// An intent of this VM is open.
    MIGRATION_IN_PROGRESS(3),
    /// A hand-off ended with the VM at its source.
    MIGRATION_ABORTED(3),
    /// A hand-off did not end in time and its outcome is not known yet; the intent stays open.
    MIGRATION_UNDECIDED(3),
    /// No migration of this VM is under way.
    MIGRATION_NOT_RUNNING(3),
    /// The migration was cancelled; the VM runs on the host that the error names.
    MIGRATION_CANCELLED(3),
    /// A plain hand-off of a VM with pages in its host's own memory, which stay behind.
    VM_HAS_LOCAL_PAGES(3),
    /// The VM cannot be migrated in that mode.
    MIGRATE_MODE_UNAVAILABLE(3),
    /// The target host has no local tier.
    MIGRATE_NO_TIER(3),
    /// A tier has not enough room for the pages that a migration moves.
    MIGRATE_NO_ROOM(3),
    /// A page in the host's own memory is pinned there.
    MIGRATE_PAGES_PINNED(3),
    /// A page does not leave the host's own memory.
    MIGRATE_PAGES_STUCK(3),
    /// A copy did not get to where the rest fits the downtime limit in time: the guest writes faster than pages are
    /// sent.
    MIGRATE_NOT_CONVERGED(3),
    /// Pages could not be sent to the target.
    MIGRATE_COPY_FAILED(3),
    /// The pages of a migration did not get there in the time that was given.
    MIGRATE_TIMEOUT(3),
    /// The owner's host has no live record; nobody may write its owner word.
    OWNER_HOST_DEAD(3),
    /// The region's epoch is below the one in ZooKeeper.
    REGION_BEHIND_ZOOKEEPER(5),
    /// The region knows a VM, or an epoch, that ZooKeeper does not know.
    REGION_AHEAD_OF_ZOOKEEPER(5),

    /// The VM is protected: its pages stay in the shared tier.
    VM_PROTECTED(3),
    /// The host that owns the VM has a live agent; nothing was done.
    TAKEOVER_OWNER_ALIVE(3),
    /// The name that was typed is not the owner host's.
    TAKEOVER_NAME_MISMATCH(2),
    /// A takeover waits: a host that may still run the VM is not confirmed stopped.
    TAKEOVER_WAITS_FOR_CONFIRMATION(3),
    /// No other live host can carry out the order.
    NO_HOST_TO_FENCE_WITH(3),
    /// A host that is to be removed still owns VMs.
    HOST_HAS_VMS(3),
    /// A host that is to be removed is not confirmed stopped.
    HOST_NOT_STOPPED(3),
    /// The host is being drained: no VM is placed there.
    HOST_DRAINED(3);

    private final int exitStatus;

    CoordinatorError(int exitStatus) {
        this.exitStatus = exitStatus;
    }

    @Override
    public int exitStatus() {
        return exitStatus;
    }
}

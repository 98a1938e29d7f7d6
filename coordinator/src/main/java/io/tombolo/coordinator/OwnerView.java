package io.tombolo.coordinator;

import io.tombolo.region.HostState;
import java.util.Optional;
import java.util.UUID;

/// What a coordinator may see of the region. It never stores to it: the process maps it read-only.
public interface OwnerView {
    /// The owner word of a VM slot, read with acquire order.
    OwnerSnapshot owner(int vmSlot);

    /// How many pages of the VM are in its owner host's own memory, as its slot says.
    long localPages(int vmSlot);

    /// State and incarnation of a host slot.
    HostSnapshot host(int hostSlot);

    /// Name of the host that holds, or last held, a host slot; empty when the slot never had a whole identity.
    Optional<String> hostName(int hostSlot);

    /// Number of host slots.
    int hostSlots();

    /// Number of VM slots.
    int vmSlots();

    /// UUID of the region.
    UUID regionUuid();

    /// One reading of a host slot's word.
    record HostSnapshot(HostState state, long incarnation) {
    }
}

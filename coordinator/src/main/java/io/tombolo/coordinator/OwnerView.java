package io.tombolo.coordinator;

import io.tombolo.region.HostState;
import io.tombolo.region.WatchdogBound;
import java.util.Optional;
import java.util.UUID;

/// What a coordinator may see of the region. It never stores to it: the process maps it read-only.
public interface OwnerView {
    /// The owner word of a VM slot, read with acquire order.
    OwnerSnapshot owner(int vmSlot);

    /// How many pages of the VM are in its owner host's own memory, as its slot says.
    long localPages(int vmSlot);

    /// Whether the VM's commit word says that it is protected.
    default boolean isProtected(int vmSlot) {
        return false;
    }

    /// How often the VM's owner commits it, in microseconds; 0: it is not protected, -1: that is not known.
    default int checkpointUs(int vmSlot) {
        return -1;
    }

    /// What the host that holds the slot promises about its watchdog; UNKNOWN where nothing is known.
    default WatchdogBound bound(int hostSlot) {
        return WatchdogBound.UNKNOWN;
    }

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

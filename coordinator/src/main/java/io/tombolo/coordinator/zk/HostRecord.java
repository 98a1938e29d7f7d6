package io.tombolo.coordinator.zk;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.UUID;

/// One live host, written by its agent as an ephemeral znode.
///
/// @param name        host name
/// @param uuid        host UUID, kept over restarts
/// @param slot        host slot in the region
/// @param incarnation incarnation of that slot
/// @param bootId      boot id of the machine
/// @param pid         process id of the agent
/// @param address     where it listens
/// @param port        where it listens
/// @param drivers     hypervisor drivers it can run
public record HostRecord(String name, UUID uuid, int slot, long incarnation, UUID bootId, long pid, String address,
        int port, List<String> drivers) {
    public HostRecord {
        requireNonNull(name, "name is null");
        requireNonNull(uuid, "uuid is null");
        requireNonNull(bootId, "bootId is null");
        requireNonNull(address, "address is null");
        drivers = List.copyOf(drivers);
    }
}

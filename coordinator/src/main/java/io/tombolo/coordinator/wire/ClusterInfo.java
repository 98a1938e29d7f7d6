package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.UUID;

/// The cluster as its leading coordinator sees it.
///
/// @param name        cluster name
/// @param uuid        cluster UUID
/// @param leader      id of the leading coordinator
/// @param term        its term
/// @param region      region UUID
/// @param hosts       hosts with a record in ZooKeeper
/// @param vms         all VMs
/// @param openIntents names of the VMs with an open intent
public record ClusterInfo(String name, UUID uuid, String leader, long term, UUID region, List<HostStatus> hosts,
        List<VmStatus> vms, List<String> openIntents) {
    public ClusterInfo {
        requireNonNull(name, "name is null");
        requireNonNull(uuid, "uuid is null");
        requireNonNull(leader, "leader is null");
        requireNonNull(region, "region is null");
        hosts = List.copyOf(hosts);
        vms = List.copyOf(vms);
        openIntents = List.copyOf(openIntents);
    }
}

package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

import java.util.List;

/// What is known of one host.
///
/// @param name        host name
/// @param slot        host slot in the region
/// @param incarnation incarnation of the slot
/// @param state       name of the slot word's state, for example `LIVE`
/// @param address     address its RPC server listens on
/// @param port        port its RPC server listens on
/// @param framesFree  free 4 KiB frames of the region, as this host counts them
/// @param framesTotal all 4 KiB frames of the region
/// @param vms         names of the VMs that the owner words give to it
public record HostStatus(String name, int slot, long incarnation, String state, String address, int port,
        long framesFree, long framesTotal, List<String> vms) {
    public HostStatus {
        requireNonNull(name, "name is null");
        requireNonNull(state, "state is null");
        requireNonNull(address, "address is null");
        vms = List.copyOf(vms);
    }
}

package io.tombolo.region;

import static java.util.Objects.requireNonNull;

import java.util.UUID;

/// Who a host incarnation is. `pid` is the agent's process id on its own host.
public record HostIdentity(UUID hostUuid, String name, UUID bootId, long pid, WatchdogBound bound) {
    public HostIdentity {
        requireNonNull(hostUuid, "hostUuid is null");
        requireNonNull(name, "name is null");
        requireNonNull(bootId, "bootId is null");
        requireNonNull(bound, "bound is null");
    }
}

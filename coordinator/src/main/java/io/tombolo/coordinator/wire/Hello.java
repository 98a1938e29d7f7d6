package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

import java.util.UUID;

/// The first message in each direction of a connection; nothing else is accepted before it.
///
/// @param major       protocol major; another one is refused with `WIRE_PROTOCOL_MAJOR`
/// @param minor       protocol minor; the lower of the two is spoken
/// @param cluster     cluster UUID; another one is refused with `WIRE_FOREIGN_CLUSTER`
/// @param role        what kind of process speaks
/// @param name        host name of an agent, id of a coordinator, anything readable for a client
/// @param incarnation incarnation of an agent's host slot; 0 for others
/// @param highestTerm the highest coordinator term this process has seen; 0 when it has seen none
public record Hello(int major, int minor, UUID cluster, Role role, String name, long incarnation, long highestTerm)
        implements
            Message {
    public Hello {
        requireNonNull(cluster, "cluster is null");
        requireNonNull(role, "role is null");
        requireNonNull(name, "name is null");
    }
}

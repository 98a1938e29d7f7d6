package io.tombolo.coordinator.wire;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.util.UUID;

/// The protocol version this program speaks, and the judgement on a peer's [Hello].
public final class Protocol {
    /// Changes when an older peer could misunderstand a message. 2: tiers and sizes of pages, modes of a migration. 3:
    /// protection.
    public static final int MAJOR = 3;
    /// Changes when messages are added.
    public static final int MINOR = 0;

    private Protocol() {
    }

    /// A [Hello] of this program.
    public static Hello hello(UUID cluster, Role role, String name, long incarnation, long highestTerm) {
        return new Hello(MAJOR, MINOR, cluster, role, name, incarnation, highestTerm);
    }

    /// @throws TomboloException `WIRE_PROTOCOL_MAJOR` or `WIRE_FOREIGN_CLUSTER`
    static void check(Hello own, Hello peer, String address) {
        if (peer.major() != own.major()) {
            throw TomboloException
                    .error(CoordinatorError.WIRE_PROTOCOL_MAJOR, "the peer speaks another version of the protocol")
                    .fact("peer", peer.name()).fact("address", address).fact("found", peer.major())
                    .fact("expected", own.major()).next("run the same release on both machines").build();
        }
        if (!peer.cluster().equals(own.cluster())) {
            throw TomboloException.error(CoordinatorError.WIRE_FOREIGN_CLUSTER, "the peer belongs to another cluster")
                    .fact("peer", peer.name()).fact("address", address).fact("found", peer.cluster())
                    .fact("expected", own.cluster())
                    .next("check the address and the cluster UUID in both configurations")
                    .build();
        }
    }
}

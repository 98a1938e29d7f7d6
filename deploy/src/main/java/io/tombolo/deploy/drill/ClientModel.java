package io.tombolo.deploy.drill;

import io.tombolo.coordinator.wire.Reply.GuestReply;
import java.util.Optional;

/// What one client does and what it must see: chooses operations, the same ones for the same seed, and knows what the
/// guest has to answer to them. Pure; not thread safe.
///
/// The next operation is asked for only after the answer to the one before was checked.
interface ClientModel {
    /// What to do next while the guest hops; empty for a client that only looks at the end.
    Optional<ClientOperation> next();

    /// What to look at after the last hop; empty when everything has been.
    Optional<ClientOperation> nextAtEnd();

    /// Looks at the answer to the latest operation.
    ///
    /// @return what is wrong with it; `""` when nothing is
    String check(ClientOperation operation, GuestReply reply);
}

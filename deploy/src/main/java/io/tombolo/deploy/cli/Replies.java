package io.tombolo.deploy.cli;

import io.tombolo.coordinator.wire.RemoteException;
import io.tombolo.coordinator.wire.Reply;

/// What a reply must be.
final class Replies {
    private Replies() {
    }

    /// The reply as the type that the request calls for.
    ///
    /// @throws RemoteException if it is an error
    /// @throws IllegalStateException if the other side broke the protocol
    static <T extends Reply> T expect(Reply reply, Class<T> type) {
        if (reply instanceof Reply.ErrorReply error) {
            throw new RemoteException("coordinator", error);
        }
        if (!type.isInstance(reply)) {
            throw new IllegalStateException(
                    "reply " + reply.getClass().getSimpleName() + " instead of " + type.getSimpleName());
        }
        return type.cast(reply);
    }
}

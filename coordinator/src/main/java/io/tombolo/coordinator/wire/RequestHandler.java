package io.tombolo.coordinator.wire;

import java.util.concurrent.CompletableFuture;

/// Serves requests. Called on the transport's executor, a virtual thread per request, so it may block; requests of one
/// connection may run at the same time and in any order.
@FunctionalInterface
public interface RequestHandler {
    /// Serves one request.
    ///
    /// @return the reply; a future that fails, or an exception, becomes a [Reply.ErrorReply] with the failure's code
    CompletableFuture<? extends Reply> handle(Request request, PeerInfo peer);
}

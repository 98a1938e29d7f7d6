package io.tombolo.coordinator.wire;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/// Keeps one [RpcClient] per address and connects anew when it has ended. It never repeats a request. Thread safe.
public final class RpcPool implements AutoCloseable {
    private final RpcTransport transport;
    private final Supplier<Hello> self;
    private final int connectTimeoutMs;
    private final Map<RpcAddress, CompletableFuture<RpcClient>> clients = new HashMap<>();
    private boolean closed;

    public RpcPool(RpcTransport transport, Supplier<Hello> self, int connectTimeoutMs) {
        this.transport = transport;
        this.self = self;
        this.connectTimeoutMs = connectTimeoutMs;
    }

    /// A connection to `address` that is open, or being opened. Fails with `RPC_NOT_SENT` after [#close].
    public CompletableFuture<RpcClient> client(RpcAddress address) {
        synchronized (clients) {
            if (closed) {
                return CompletableFuture.failedFuture(
                        TomboloException.error(CoordinatorError.RPC_NOT_SENT, "this process is closing its connections")
                                .fact("address", address.text()).next("repeat the command").build());
            }
            CompletableFuture<RpcClient> known = clients.get(address);
            if (known != null && (!known.isDone() || (!known.isCompletedExceptionally() && known.join().isOpen()))) {
                return known;
            }
            CompletableFuture<RpcClient> fresh = RpcClient.connect(transport, address, self, connectTimeoutMs);
            clients.put(address, fresh);
            return fresh;
        }
    }

    /// Calls the peer named `name` at `address`.
    ///
    /// @return the reply; fails with `RPC_UNREACHABLE` also when another process answers at that address, which happens
    ///         when a port is used again
    public <R extends Reply> CompletableFuture<R> call(RpcAddress address, String name, Request request,
            Class<R> replyType, long timeoutMs) {
        return client(address).thenCompose(client -> {
            if (!client.peer().name().equals(name)) {
                throw TomboloException
                        .error(CoordinatorError.RPC_UNREACHABLE, "another process answers at that address")
                        .fact("address", address.text()).fact("found", client.peer().name()).fact("expected", name)
                        .build();
            }
            return client.call(request, replyType, timeoutMs);
        });
    }

    /// Ends all connections.
    @Override
    public void close() {
        synchronized (clients) {
            closed = true;
            for (CompletableFuture<RpcClient> client : clients.values()) {
                // A connection that could not be made needs no closing.
                var _ = client.thenAccept(RpcClient::close);
            }
            clients.clear();
        }
    }
}

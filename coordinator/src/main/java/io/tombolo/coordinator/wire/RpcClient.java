package io.tombolo.coordinator.wire;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// One connection to one [RpcServer]. Thread safe; futures complete on the transport's executor.
///
/// A call that fails says whether it may have been executed: `RPC_NOT_SENT` never reached the peer whole, so it was
/// not; `RPC_CONNECTION_LOST` and `RPC_TIMEOUT` were sent and may have been. A frame is executed only when all of it
/// arrived and its CRC matches, and the socket has taken all of it exactly when its write succeeded, so there is no
/// third case.
// Netty's futures of writes and closes are ignored where their failure arrives in [Connection] too.
@SuppressWarnings("FutureReturnValueIgnored")
public final class RpcClient implements AutoCloseable {
    private final RpcAddress address;
    private final ClientConnection connection;
    private final Channel channel;

    private RpcClient(RpcAddress address, ClientConnection connection, Channel channel) {
        this.address = address;
        this.connection = connection;
        this.channel = channel;
    }

    /// Connects and shakes hands.
    ///
    /// @return a client ready for calls; fails with `RPC_UNREACHABLE`, or with the refusal of either side
    public static CompletableFuture<RpcClient> connect(RpcTransport transport, RpcAddress address, Supplier<Hello> self,
            int connectTimeoutMs) {
        CompletableFuture<RpcClient> ready = new CompletableFuture<>();
        ClientConnection connection = new ClientConnection(transport, self);
        Bootstrap bootstrap = new Bootstrap().group(transport.loops()).channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, connectTimeoutMs)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new FrameDecoder(transport.payloads()), new FrameEncoder(),
                                connection);
                    }
                });
        ChannelFuture connected = bootstrap.connect(address.host(), address.port());
        connection.greeted.whenCompleteAsync((_, failure) -> {
            if (failure == null) {
                ready.complete(new RpcClient(address, connection, connected.channel()));
            } else {
                ready.completeExceptionally(failure);
            }
        }, transport.executor());
        connected.addListener(future -> {
            if (!future.isSuccess()) {
                connection.greeted.completeExceptionally(unreachable(address, future.cause()));
            }
        });
        return ready;
    }

    private static TomboloException unreachable(RpcAddress address, Throwable cause) {
        return TomboloException.error(CoordinatorError.RPC_UNREACHABLE, "no connection could be made")
                .fact("address", address.text()).fact("cause", cause.getMessage())
                .next("check that the process runs and listens there").cause(cause).build();
    }

    public RpcAddress address() {
        return address;
    }

    /// Who answered.
    public PeerInfo peer() {
        return connection.peer();
    }

    public boolean isOpen() {
        return channel.isActive();
    }

    /// Sends a request.
    ///
    /// @return the reply; an error reply fails the future with [RemoteException]
    public CompletableFuture<Reply> call(Request request, long timeoutMs) {
        CompletableFuture<Reply> result = new CompletableFuture<>();
        byte[] payload = connection.transport().payloads().encode(request);
        try {
            channel.eventLoop().execute(() -> connection.send(channel, payload, timeoutMs, result));
        } catch (RejectedExecutionException e) {
            result.completeExceptionally(notSent(connection.name(), "the transport is closed", e));
        }
        return result;
    }

    /// [#call(Request, long)] for a caller that knows which reply belongs to its request.
    ///
    /// @return the reply; fails with `WIRE_MALFORMED` when the peer answers with another one
    public <R extends Reply> CompletableFuture<R> call(Request request, Class<R> replyType, long timeoutMs) {
        return call(request, timeoutMs).thenApply(reply -> {
            if (!replyType.isInstance(reply)) {
                throw TomboloException.error(CoordinatorError.WIRE_MALFORMED, "the peer sent another kind of reply")
                        .fact("peer", connection.name()).fact("found", reply.getClass().getSimpleName())
                        .fact("expected", replyType.getSimpleName()).build();
            }
            return replyType.cast(reply);
        });
    }

    /// Ends the connection; calls under way fail.
    @Override
    public void close() {
        channel.close().awaitUninterruptibly(1_000);
    }

    private static TomboloException notSent(String peer, String why, Throwable cause) {
        return TomboloException.error(CoordinatorError.RPC_NOT_SENT, "the request was not sent").fact("peer", peer)
                .fact("cause", why).cause(cause).build();
    }

    /// A call under way. It stays in the table after its timeout, so that a late reply is known as such.
    private static final class Call {
        private final CompletableFuture<Reply> result;
        private ScheduledFuture<?> timer;
        private boolean written;

        Call(CompletableFuture<Reply> result) {
            this.result = result;
        }
    }

    private static final class ClientConnection extends Connection {
        private final CompletableFuture<PeerInfo> greeted = new CompletableFuture<>();
        private final Map<Long, Call> calls = new HashMap<>();
        private long lastCorrelation;
        private RuntimeException end;
        private volatile String name = "?";

        ClientConnection(RpcTransport transport, Supplier<Hello> self) {
            super(transport, self);
        }

        String name() {
            return name;
        }

        @Override
        void started(ChannelHandlerContext context) {
            name = describe(context);
            sayHello(context);
        }

        @Override
        void greeted(ChannelHandlerContext context, PeerInfo greetedPeer) {
            name = describe(context);
            greeted.complete(greetedPeer);
        }

        void send(Channel channel, byte[] payload, long timeoutMs, CompletableFuture<Reply> result) {
            if (end != null || calls.size() >= WireLimits.MAX_REQUESTS_IN_HAND) {
                String why = end != null ? end.getMessage() : "too many requests wait for replies";
                fail(result, notSent(name, why, end));
                return;
            }
            lastCorrelation++;
            long correlation = lastCorrelation;
            Call call = new Call(result);
            calls.put(correlation, call);
            call.timer = channel.eventLoop().schedule(
                    () -> fail(result,
                            TomboloException.error(CoordinatorError.RPC_TIMEOUT, "no reply in time").fact("peer", name)
                                    .fact("timeoutMs", timeoutMs).next("the request may have been executed: ask again")
                                    .build()),
                    timeoutMs, TimeUnit.MILLISECONDS);
            channel.writeAndFlush(new OutFrame(FrameType.REQUEST, correlation, payload)).addListener(future -> {
                call.written = future.isSuccess();
                if (!future.isSuccess()) {
                    calls.remove(correlation);
                    call.timer.cancel(false);
                    fail(result, notSent(name, String.valueOf(future.cause()), future.cause()));
                }
            });
        }

        @Override
        void received(ChannelHandlerContext context, Frame frame) {
            Call call = frame.type() == FrameType.REPLY ? calls.remove(frame.correlation()) : null;
            if (call == null) {
                throw outOfPlace(frame);
            }
            call.timer.cancel(false);
            switch (frame.message()) {
                case Reply.ErrorReply error -> fail(call.result, new RemoteException(name, error));
                case Reply reply -> transport().executor().execute(() -> call.result.complete(reply));
                case Request _,Hello _ -> throw outOfPlace(frame);
            }
        }

        @Override
        void failed(RuntimeException cause) {
            end = cause;
            transport().executor().execute(() -> greeted.completeExceptionally(cause));
            List.copyOf(calls.values()).forEach(call -> {
                call.timer.cancel(false);
                fail(call.result, call.written ? maybeExecuted(cause) : notSent(name, cause.getMessage(), cause));
            });
            calls.clear();
        }

        private RuntimeException maybeExecuted(RuntimeException cause) {
            return TomboloException
                    .error(CoordinatorError.RPC_CONNECTION_LOST, "the connection was lost before the reply came")
                    .fact("peer", name).fact("cause", cause.getMessage())
                    .next("the request may have been executed: ask again").cause(cause).build();
        }

        private void fail(CompletableFuture<Reply> result, RuntimeException cause) {
            try {
                transport().executor().execute(() -> result.completeExceptionally(cause));
            } catch (RejectedExecutionException e) {
                // The transport is being closed: there is no executor left, and nobody to block.
                cause.addSuppressed(e);
                result.completeExceptionally(cause);
            }
        }
    }
}

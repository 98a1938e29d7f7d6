package io.tombolo.coordinator.wire;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Accepts connections and serves their requests. Thread safe.
// Netty's futures of writes and closes are ignored where their failure arrives in [Connection] too.
@SuppressWarnings("FutureReturnValueIgnored")
public final class RpcServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RpcServer.class);
    /// A cluster of 64 hosts, their coordinators and clients need far fewer; more is a leak somewhere.
    private static final int MAX_CONNECTIONS = 1_024;

    private final RpcTransport transport;
    private final Supplier<Hello> self;
    private final RequestHandler handler;
    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE, true);
    private Channel listener;

    private RpcServer(RpcTransport transport, Supplier<Hello> self, RequestHandler handler) {
        this.transport = transport;
        this.self = self;
        this.handler = handler;
    }

    /// Starts to listen.
    ///
    /// @param bind where to listen; port 0 takes a free one, see [#port()]
    /// @param self what to say in the handshake, asked anew for every connection
    /// @throws TomboloException `RPC_BIND_FAILED`
    public static RpcServer start(RpcTransport transport, RpcAddress bind, Supplier<Hello> self,
            RequestHandler handler) {
        RpcServer server = new RpcServer(transport, self, handler);
        server.bind(bind);
        return server;
    }

    private void bind(RpcAddress bind) {
        ServerBootstrap bootstrap = new ServerBootstrap().group(transport.loops()).channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true).childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new FrameDecoder(transport.payloads()), new FrameEncoder(),
                                new ServerConnection());
                    }
                });
        var bound = bootstrap.bind(bind.host(), bind.port()).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw TomboloException.error(CoordinatorError.RPC_BIND_FAILED, "the address cannot be listened on")
                    .fact("address", bind.text()).fact("cause", bound.cause().getMessage())
                    .next("choose another port or end the process that has it (ss -ltnp)").cause(bound.cause()).build();
        }
        listener = bound.channel();
    }

    /// The port it listens on.
    public int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    /// Stops accepting and ends all connections; handlers that run are not interrupted, their replies are dropped.
    @Override
    public void close() {
        listener.close().awaitUninterruptibly();
        connections.close().awaitUninterruptibly();
    }

    private final class ServerConnection extends Connection {
        private int inHand;

        ServerConnection() {
            super(transport, self);
        }

        @Override
        void started(ChannelHandlerContext context) {
            if (connections.size() >= MAX_CONNECTIONS) {
                refuse(context, TomboloException.error(CoordinatorError.RPC_BUSY, "too many connections")
                        .fact("limit", MAX_CONNECTIONS).build());
                return;
            }
            connections.add(context.channel());
        }

        @Override
        void greeted(ChannelHandlerContext context, PeerInfo greetedPeer) {
            sayHello(context);
        }

        @Override
        void received(ChannelHandlerContext context, Frame frame) {
            if (!(frame.message() instanceof Request request)) {
                throw outOfPlace(frame);
            }
            if (inHand >= WireLimits.MAX_REQUESTS_IN_HAND) {
                send(context.channel(), FrameType.REPLY, frame.correlation(),
                        Errors.toReply(
                                TomboloException
                                        .error(CoordinatorError.RPC_BUSY, "too many requests of this connection")
                                        .fact("limit", WireLimits.MAX_REQUESTS_IN_HAND).build()));
                return;
            }
            inHand++;
            PeerInfo asking = peer();
            CompletableFuture<Reply> reply = new CompletableFuture<>();
            reply.whenComplete((value, failure) -> answer(context, frame.correlation(), value, failure));
            try {
                transport().executor().execute(() -> serve(request, asking, reply));
            } catch (RejectedExecutionException e) {
                reply.completeExceptionally(e);
            }
        }

        private void serve(Request request, PeerInfo asking, CompletableFuture<Reply> reply) {
            try {
                handler.handle(request, asking).whenComplete((value, failure) -> {
                    if (failure == null) {
                        reply.complete(value);
                    } else {
                        reply.completeExceptionally(failure);
                    }
                });
                // A handler's bug must reach the caller as an error reply and not leave it waiting.
            } catch (RuntimeException | Error e) {
                reply.completeExceptionally(e);
            }
        }

        private void answer(ChannelHandlerContext context, long correlation, Reply reply, Throwable failure) {
            Message message = failure == null ? reply : Errors.toReply(failure);
            if (failure != null && Errors.codeOf(failure).isEmpty()) {
                LOG.error("request of {} failed", describe(context), failure);
            }
            byte[] payload = encoded(message);
            context.executor().execute(() -> {
                inHand--;
                context.channel().writeAndFlush(new OutFrame(FrameType.REPLY, correlation, payload));
            });
        }

        private byte[] encoded(Message message) {
            try {
                return transport().payloads().encode(message);
            } catch (TomboloException e) {
                return transport().payloads().encode(Errors.toReply(e));
            }
        }

        @Override
        void failed(RuntimeException cause) {
            LOG.debug("connection ended: {}", cause.getMessage());
        }
    }
}

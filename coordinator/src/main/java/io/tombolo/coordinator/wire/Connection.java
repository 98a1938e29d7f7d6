package io.tombolo.coordinator.wire;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.DecoderException;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.net.SocketAddress;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What both ends of a connection have in common: the handshake, and refusing. Only touched by its event loop.
///
/// A refusal is answered with a REFUSAL frame that carries the error, and the connection is closed behind it, whatever
/// the cause was.
// Netty's futures of writes and closes are ignored where their failure arrives in exceptionCaught or channelInactive
// too.
@SuppressWarnings("FutureReturnValueIgnored")
abstract class Connection extends SimpleChannelInboundHandler<Frame> {
    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

    private static final int HANG_UP_MS = 500;

    private final RpcTransport transport;
    private final Supplier<Hello> self;
    private ScheduledFuture<?> handshakeTimer;
    private PeerInfo peer;
    private boolean refused;

    Connection(RpcTransport transport, Supplier<Hello> self) {
        this.transport = transport;
        this.self = self;
    }

    final RpcTransport transport() {
        return transport;
    }

    /// The peer, once it has said hello; before that null.
    final PeerInfo peer() {
        return peer;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
        handshakeTimer = context.executor().schedule(
                () -> refuse(context,
                        TomboloException
                                .error(CoordinatorError.WIRE_HANDSHAKE_TIMEOUT, "the peer did not say hello in time")
                                .fact("address", address(context.channel()))
                                .fact("timeoutMs", WireLimits.HANDSHAKE_TIMEOUT_MS)
                                .next("check that address and port are those of a Tombolo process").build()),
                WireLimits.HANDSHAKE_TIMEOUT_MS, TimeUnit.MILLISECONDS);
        started(context);
    }

    /// The connection stands.
    abstract void started(ChannelHandlerContext context);

    /// The peer has said hello and was accepted.
    abstract void greeted(ChannelHandlerContext context, PeerInfo greetedPeer);

    /// A frame after the handshake that is not HELLO or REFUSAL.
    abstract void received(ChannelHandlerContext context, Frame frame);

    /// The connection is unusable and is being closed; called once.
    abstract void failed(RuntimeException cause);

    @Override
    protected final void channelRead0(ChannelHandlerContext context, Frame frame) {
        if (refused) {
            return;
        }
        try {
            switch (frame.message()) {
                case Reply.ErrorReply error when frame.type() == FrameType.REFUSAL -> {
                    end(new RemoteException(describe(context), error));
                    context.close();
                }
                case Hello hello when frame.type() == FrameType.HELLO && peer == null -> greet(context, hello);
                case Hello _ -> throw outOfPlace(frame);
                case Request _ when frame.type() != FrameType.REQUEST || peer == null -> throw outOfPlace(frame);
                case Reply _ when frame.type() != FrameType.REPLY || peer == null -> throw outOfPlace(frame);
                case Message _ -> received(context, frame);
            }
        } catch (TomboloException e) {
            refuse(context, e);
        }
    }

    private void greet(ChannelHandlerContext context, Hello hello) {
        Hello own = self.get();
        Protocol.check(own, hello, address(context.channel()));
        peer = PeerInfo.of(hello, own.minor(), address(context.channel()));
        handshakeTimer.cancel(false);
        greeted(context, peer);
    }

    final void sayHello(ChannelHandlerContext context) {
        send(context.channel(), FrameType.HELLO, 0, self.get());
    }

    static TomboloException outOfPlace(Frame frame) {
        return TomboloException.error(CoordinatorError.WIRE_MALFORMED, "a message came where it has no place")
                .fact("frame", frame.type()).fact("message", frame.message().getClass().getSimpleName()).build();
    }

    final ChannelFuture send(Channel channel, FrameType type, long correlation, Message message) {
        return channel.writeAndFlush(new OutFrame(type, correlation, transport.payloads().encode(message)));
    }

    final void refuse(ChannelHandlerContext context, TomboloException cause) {
        if (refused) {
            return;
        }
        LOG.warn("connection with {} refused: {}", describe(context), cause.getMessage());
        send(context.channel(), FrameType.REFUSAL, 0, Errors.toReply(cause)).addListener(_ -> hangUp(context));
        end(cause);
    }

    /// Says goodbye before it closes: closing with unread bytes in the socket sends a reset, and the reset would
    /// destroy the REFUSAL on its way to the peer.
    private static void hangUp(ChannelHandlerContext context) {
        if (context.channel() instanceof DuplexChannel duplex && duplex.isActive()) {
            duplex.shutdownOutput();
            context.executor().schedule(() -> context.close(), HANG_UP_MS, TimeUnit.MILLISECONDS);
        } else {
            context.close();
        }
    }

    private void end(RuntimeException cause) {
        if (!refused) {
            refused = true;
            handshakeTimer.cancel(false);
            failed(cause);
        }
    }

    @Override
    public final void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        Throwable inner = cause instanceof DecoderException && cause.getCause() != null ? cause.getCause() : cause;
        if (inner instanceof TomboloException refusal) {
            refuse(context, refusal);
        } else {
            LOG.debug("connection with {} failed", describe(context), inner);
            end(lost(context, inner));
            context.close();
        }
    }

    @Override
    public final void channelInactive(ChannelHandlerContext context) {
        if (handshakeTimer != null) {
            end(lost(context, null));
        }
        context.fireChannelInactive();
    }

    private TomboloException lost(ChannelHandlerContext context, Throwable cause) {
        TomboloException.Builder error = TomboloException
                .error(CoordinatorError.RPC_CONNECTION_LOST, "the connection was lost")
                .fact("peer", describe(context));
        if (cause != null) {
            error.fact("cause", cause).cause(cause);
        }
        return error.build();
    }

    final String describe(ChannelHandlerContext context) {
        return peer == null ? address(context.channel()) : peer.describe();
    }

    private static String address(Channel channel) {
        SocketAddress address = channel.remoteAddress();
        return address == null ? "?" : RpcAddress.text(address);
    }
}

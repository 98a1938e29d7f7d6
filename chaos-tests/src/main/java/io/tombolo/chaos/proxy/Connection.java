package io.tombolo.chaos.proxy;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetSocketAddress;

/// One connection through the proxy. Event loop only.
final class Connection {
    private final Direction forward;
    private final Direction backward;
    private final Channel accepted;
    private final InetSocketAddress target;
    private final Pipe out;
    private final Pipe in;
    private Channel connected;
    private boolean connecting;
    private boolean half;

    Connection(Channel accepted, InetSocketAddress target, Direction forward, Direction backward) {
        this.accepted = accepted;
        this.target = target;
        this.forward = forward;
        this.backward = backward;
        this.out = new Pipe(forward);
        this.in = new Pipe(backward);
        accepted.pipeline().addLast(out);
    }

    /// Goes on to the target, unless a cut keeps the first packet from getting there; then it is tried when the cut is
    /// healed, as a kernel would.
    void proceed() {
        if (connecting || forward.policy().held() || !accepted.isActive()) {
            return;
        }
        connecting = true;
        var _ = new Bootstrap().group(accepted.eventLoop()).channel(NioSocketChannel.class)
                .option(ChannelOption.TCP_NODELAY, true).option(ChannelOption.ALLOW_HALF_CLOSURE, true).handler(in)
                .connect(target)
                .addListener(future -> {
                    if (!future.isSuccess()) {
                        close();
                        return;
                    }
                    connected = ((io.netty.channel.ChannelFuture) future).channel();
                    out.connect(accepted, connected, in);
                    in.connect(connected, accepted, out);
                });
    }

    /// Ends the target's side only: the other waits for answers that never come.
    void halfOpen() {
        half = true;
        out.swallow();
        in.swallow();
        if (connected != null) {
            var _ = connected.close();
        }
    }

    /// Ends what was left half open.
    void heal() {
        if (half) {
            close();
        }
    }

    boolean isOver() {
        return !accepted.isOpen();
    }

    /// Ends both sides, as a reset does.
    void close() {
        out.clear();
        in.clear();
        var _ = accepted.close();
        if (connected != null) {
            var _ = connected.close();
        }
    }

    boolean goes(Direction direction) {
        return forward == direction || backward == direction;
    }
}

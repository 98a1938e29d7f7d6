package io.tombolo.chaos.proxy;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;

/// Carries what one end of a connection sends to the other end, in order, as the policy of its direction says. The last
/// item may be the end of the stream. Event loop only.
final class Pipe extends ChannelInboundHandlerAdapter {
    /// Beyond it the sender is no longer read, and its kernel holds it up.
    private static final long MAX_QUEUED_BYTES = 256 << 10;

    /// Data, or an end.
    private record Item(ByteBuf data, End end, long dueNs) {
    }

    private enum End {
        NONE,
        /// The sender sends no more, and may still receive.
        HALF,
        /// The sender has gone.
        FULL
    }

    private final Direction direction;
    private final ArrayDeque<Item> queue = new ArrayDeque<>();
    private Channel from;
    private Channel to;
    private Pipe back;
    private long queuedBytes;
    private long lastDueNs = Long.MIN_VALUE;
    private boolean scheduled;
    private boolean swallowing;
    private boolean over;

    Pipe(Direction direction) {
        this.direction = direction;
    }

    /// Both ends are there.
    void connect(Channel source, Channel sink, Pipe opposite) {
        from = source;
        to = sink;
        back = opposite;
        direction.add(this);
        drain();
    }

    /// From now on what comes is thrown away, and the other end hears nothing any more.
    void swallow() {
        swallowing = true;
        clear();
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf data = (ByteBuf) message;
        if (swallowing) {
            data.release();
            return;
        }
        put(data, End.NONE);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            put(null, End.HALF);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        put(null, End.FULL);
    }

    private void put(ByteBuf data, End end) {
        if (swallowing) {
            return;
        }
        int bytes = data == null ? 0 : data.readableBytes();
        lastDueNs = Math.max(lastDueNs, direction.dueNs(System.nanoTime(), bytes));
        queue.add(new Item(data, end, lastDueNs));
        queuedBytes += bytes;
        drain();
    }

    /// Hands on what is due; called again when that changes.
    void drain() {
        if (to == null) {
            return;
        }
        boolean wrote = false;
        while (!queue.isEmpty() && !direction.policy().held()) {
            Item item = queue.peek();
            long waitNs = item.dueNs() - System.nanoTime();
            if (waitNs > 0) {
                again(waitNs);
                break;
            }
            if (item.data() != null && !to.isWritable() && to.isActive()) {
                break;
            }
            queue.remove();
            if (item.data() == null) {
                end(item.end());
                return;
            }
            queuedBytes -= item.data().readableBytes();
            var _ = to.write(item.data());
            wrote = true;
        }
        if (wrote) {
            to.flush();
        }
        from.config().setAutoRead(queuedBytes < MAX_QUEUED_BYTES);
    }

    private void again(long waitNs) {
        if (!scheduled) {
            scheduled = true;
            var _ = to.eventLoop().schedule(() -> {
                scheduled = false;
                drain();
            }, waitNs, TimeUnit.NANOSECONDS);
        }
    }

    private void end(End how) {
        over = true;
        if (how == End.FULL || back.over) {
            clear();
            var _ = to.writeAndFlush(to.alloc().buffer(0)).addListener(ChannelFutureListener.CLOSE);
            var _ = from.close();
        } else {
            var _ = to.writeAndFlush(to.alloc().buffer(0)).addListener(_ -> {
                var _ = ((DuplexChannel) to).shutdownOutput();
            });
        }
    }

    /// The connection is given up.
    void clear() {
        queue.forEach(item -> {
            if (item.data() != null) {
                item.data().release();
            }
        });
        queue.clear();
        queuedBytes = 0;
        direction.remove(this);
    }

    /// What this pipe writes to may take more.
    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        // It sits on the end that the opposite pipe writes to.
        if (back != null) {
            back.drain();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        // A reset is an end like any other.
        var _ = context.close();
    }
}

package io.tombolo.coordinator.wire;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;

/// Writes [OutFrame]s. One instance per connection, only touched by its event loop.
final class FrameEncoder extends ChannelOutboundHandlerAdapter {
    private long sequence;

    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        OutFrame frame = (OutFrame) message;
        sequence++;
        byte[] bytes = FrameHeader.frame(frame.type(), frame.correlation(), sequence, frame.payload());
        // The promise carries the outcome; the returned future is the same one.
        var _ = context.write(Unpooled.wrappedBuffer(bytes), promise);
    }
}

package io.tombolo.coordinator.wire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.util.List;

/// Cuts the stream into frames and decodes their payloads. It judges a header as soon as its 32 bytes are there, so it
/// never waits for, or makes room for, the payload of a frame it will refuse. After the first refusal it eats
/// everything: a stream that was wrong once has no next frame. One instance per connection, only touched by its event
/// loop.
final class FrameDecoder extends ByteToMessageDecoder {
    private final PayloadCodec payloads;
    private long expectedSequence = 1;
    private FrameHeader header;
    private byte[] headerBytes;
    private boolean broken;

    FrameDecoder(PayloadCodec payloads) {
        this.payloads = payloads;
    }

    @Override
    protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        if (broken) {
            in.skipBytes(in.readableBytes());
            return;
        }
        try {
            decodeOne(in, out);
        } catch (TomboloException e) {
            broken = true;
            in.skipBytes(in.readableBytes());
            throw e;
        }
    }

    private void decodeOne(ByteBuf in, List<Object> out) {
        if (header == null) {
            if (in.readableBytes() < FrameHeader.BYTES) {
                return;
            }
            headerBytes = new byte[FrameHeader.BYTES];
            in.readBytes(headerBytes);
            header = FrameHeader.parse(headerBytes, expectedSequence);
        }
        if (in.readableBytes() < header.length()) {
            return;
        }
        byte[] payload = new byte[header.length()];
        in.readBytes(payload);
        header.checkCrc(headerBytes, payload);
        out.add(new Frame(header.type(), header.correlation(), payloads.decode(payload)));
        expectedSequence++;
        header = null;
    }

    @Override
    protected void decodeLast(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
        try {
            if (in.isReadable()) {
                decode(context, in, out);
            }
            if (!broken && (header != null || in.isReadable())) {
                broken = true;
                throw truncated(in.readableBytes());
            }
        } catch (TomboloException e) {
            // Thrown, it would reach the connection only after the news that the channel is inactive.
            context.fireExceptionCaught(e);
        } finally {
            in.skipBytes(in.readableBytes());
        }
    }

    private TomboloException truncated(int pendingBytes) {
        int found = pendingBytes + (header == null ? 0 : FrameHeader.BYTES);
        return TomboloException.error(CoordinatorError.WIRE_TRUNCATED, "the connection ended inside a frame")
                .fact("foundBytes", found)
                .fact("expectedBytes",
                        header == null ? "at least " + FrameHeader.BYTES : FrameHeader.BYTES + header.length())
                .build();
    }
}

package io.tombolo.coordinator.wire;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/// The 32 bytes in front of every payload, little endian as everything in this project:
///
/// | offset | bytes | field | value |
/// |---|---|---|---|
/// | 0 | 2 | magic | `0x4254`, the bytes `TB` |
/// | 2 | 1 | version | 1 |
/// | 3 | 1 | type | [FrameType#code] |
/// | 4 | 2 | flags | 0; a frame with another value is refused |
/// | 6 | 2 | reserved | 0; a frame with another value is refused |
/// | 8 | 8 | correlation | chosen by the requester, repeated in the reply; 0 for HELLO and REFUSAL |
/// | 16 | 8 | sequence | 1, 2, 3… per connection and direction |
/// | 24 | 4 | length | bytes of the payload |
/// | 28 | 4 | crc | CRC-32C of bytes 0 to 27 and the payload |
///
/// TCP loses, repeats and reorders nothing, so a sequence number that is not the next one means a replayed or a spliced
/// stream, and the connection is closed.
record FrameHeader(FrameType type, long correlation, long sequence, int length, int crc) {
    static final int BYTES = 32;
    static final int MAGIC = 0x4254;
    static final int VERSION = 1;
    private static final int CRC_OFFSET = 28;

    /// A whole frame: header and payload.
    static byte[] frame(FrameType type, long correlation, long sequence, byte[] payload) {
        ByteBuffer frame = ByteBuffer.allocate(BYTES + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        frame.putShort((short) MAGIC).put((byte) VERSION).put((byte) type.code()).putShort((short) 0)
                .putShort((short) 0).putLong(correlation).putLong(sequence).putInt(payload.length).putInt(0)
                .put(payload);
        byte[] bytes = frame.array();
        return frame.putInt(CRC_OFFSET, crc(bytes, payload)).array();
    }

    /// Reads and judges a header, its payload not yet there.
    ///
    /// @param bytes at least [#BYTES]
    /// @throws TomboloException `WIRE_GARBAGE`, `WIRE_OVERSIZED` or `WIRE_REPLAYED`
    static FrameHeader parse(byte[] bytes, long expectedSequence) {
        ByteBuffer header = ByteBuffer.wrap(bytes, 0, BYTES).order(ByteOrder.LITTLE_ENDIAN);
        expect("magic", header.getShort(0) & 0xFFFF, MAGIC, 0);
        expect("version", header.get(2) & 0xFF, VERSION, 2);
        int typeCode = header.get(3) & 0xFF;
        FrameType type = FrameType.of(typeCode);
        if (type == null) {
            throw garbage("type", typeCode, "1 to " + FrameType.values().length, 3);
        }
        expect("flags", header.getShort(4) & 0xFFFF, 0, 4);
        expect("reserved", header.getShort(6) & 0xFFFF, 0, 6);
        int length = header.getInt(24);
        if (length < 0 || length > WireLimits.MAX_PAYLOAD_BYTES) {
            throw TomboloException.error(CoordinatorError.WIRE_OVERSIZED, "a frame is longer than the limit")
                    .fact("payloadBytes", Integer.toUnsignedString(length))
                    .fact("limit", WireLimits.MAX_PAYLOAD_BYTES).build();
        }
        long sequence = header.getLong(16);
        if (sequence != expectedSequence) {
            throw TomboloException
                    .error(CoordinatorError.WIRE_REPLAYED, "a frame does not have the next sequence number")
                    .fact("found", Long.toUnsignedString(sequence)).fact("expected", expectedSequence).build();
        }
        return new FrameHeader(type, header.getLong(8), sequence, length, header.getInt(CRC_OFFSET));
    }

    /// @param headerBytes the bytes this header was parsed from
    /// @throws TomboloException `WIRE_DAMAGED`
    void checkCrc(byte[] headerBytes, byte[] payload) {
        int found = crc(headerBytes, payload);
        if (found != crc) {
            throw TomboloException.error(CoordinatorError.WIRE_DAMAGED, "the CRC-32C of a frame does not match")
                    .fact("found", String.format("%08x", crc)).fact("expected", String.format("%08x", found))
                    .fact("sequence", sequence).build();
        }
    }

    private static int crc(byte[] headerBytes, byte[] payload) {
        CRC32C crc = new CRC32C();
        crc.update(headerBytes, 0, CRC_OFFSET);
        crc.update(payload, 0, payload.length);
        return (int) crc.getValue();
    }

    private static void expect(String field, int found, int expected, int offset) {
        if (found != expected) {
            throw garbage(field, String.format("0x%x", found), String.format("0x%x", expected), offset);
        }
    }

    private static TomboloException garbage(String field, Object found, Object expected, int offset) {
        return TomboloException.error(CoordinatorError.WIRE_GARBAGE, "the bytes are not a frame of this protocol")
                .fact("field", field).fact("offset", offset).fact("found", found).fact("expected", expected)
                .next("check that address and port are those of a Tombolo process of this version").build();
    }
}

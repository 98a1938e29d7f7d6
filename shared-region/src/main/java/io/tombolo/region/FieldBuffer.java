package io.tombolo.region;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/// A private copy of one structure, read and written by field name. For cold structures only (superblock, identities,
/// trailer): they are encoded here, checked here, and copied to or from the region as a whole.
final class FieldBuffer {
    private final Struct struct;
    private final MemorySegment bytes;

    FieldBuffer(Struct struct) {
        this.struct = struct;
        this.bytes = MemorySegment.ofArray(new byte[(int) struct.bytes()]);
    }

    MemorySegment bytes() {
        return bytes;
    }

    /// Loads bytes `from` to `to` of the structure that starts at `base` in the region.
    FieldBuffer load(Memory memory, long base, long from, long to) {
        memory.copyOut(base + from, bytes, from, to - from);
        return this;
    }

    long word(String field) {
        return bytes.get(Struct.PRIVATE_LONG, struct.offset(field));
    }

    FieldBuffer word(String field, long value) {
        bytes.set(Struct.PRIVATE_LONG, struct.offset(field), value);
        return this;
    }

    int int32(String field) {
        return bytes.get(Struct.PRIVATE_INT, struct.offset(field));
    }

    FieldBuffer int32(String field, int value) {
        bytes.set(Struct.PRIVATE_INT, struct.offset(field), value);
        return this;
    }

    UUID uuid(String field) {
        long at = struct.offset(field);
        return new UUID(bytes.get(Struct.PRIVATE_LONG, at), bytes.get(Struct.PRIVATE_LONG, at + 8));
    }

    FieldBuffer uuid(String field, UUID value) {
        long at = struct.offset(field);
        bytes.set(Struct.PRIVATE_LONG, at, value.getMostSignificantBits());
        bytes.set(Struct.PRIVATE_LONG, at + 8, value.getLeastSignificantBits());
        return this;
    }

    /// Stores text into a byte field and its length into `lengthField`; it must fit with at least one zero byte after
    /// it.
    FieldBuffer text(String field, String lengthField, String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        if (utf8.length == 0 || utf8.length >= struct.bytes(field)) {
            throw new IllegalArgumentException(
                    field + " must have 1 to " + (struct.bytes(field) - 1) + " bytes of UTF-8: " + value);
        }
        MemorySegment.copy(MemorySegment.ofArray(utf8), 0, bytes, struct.offset(field), utf8.length);
        return int32(lengthField, utf8.length);
    }

    /// The text, or null if its length or encoding is impossible.
    String text(String field, String lengthField) {
        int length = int32(lengthField);
        if (length <= 0 || length >= struct.bytes(field)) {
            return null;
        }
        ByteBuffer utf8 = bytes.asSlice(struct.offset(field), length).asByteBuffer();
        try {
            CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(utf8);
            return text.toString();
        } catch (CharacterCodingException _) {
            return null;
        }
    }

    int crc(String fromField) {
        long from = struct.offset(fromField);
        return Crc.of(bytes, from, struct.offset("crc") - from);
    }

    /// True if the stored checksum is the one of the contents.
    boolean crcMatches(String fromField) {
        return int32("crc") == crc(fromField);
    }

    boolean allZero(long from, long to) {
        for (long at = from; at < to; at++) {
            if (bytes.get(java.lang.foreign.ValueLayout.JAVA_BYTE, at) != 0) {
                return false;
            }
        }
        return true;
    }
}

package io.tombolo.coordinator.wire;

import com.esotericsoftware.kryo.io.Output;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.UUID;
import java.util.function.BiConsumer;

/// Writes the field types of the wire format: fixed widths, little endian. Not thread safe.
final class WireWriter {
    private final Output out;

    WireWriter(Output out) {
        this.out = out;
    }

    void i32(int value) {
        out.writeInt(value);
    }

    void i64(long value) {
        out.writeLong(value);
    }

    void bool(boolean value) {
        out.writeByte(value ? 1 : 0);
    }

    // The order of the wire's enums is part of its format, and golden bytes and the document's test hold it.
    @SuppressWarnings("EnumOrdinal")
    void enumeration(Enum<?> value) {
        out.writeByte(value.ordinal());
    }

    void uuid(UUID value) {
        out.writeLong(value.getMostSignificantBits());
        out.writeLong(value.getLeastSignificantBits());
    }

    void string(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > WireLimits.MAX_STRING_BYTES) {
            throw tooLarge("a string", bytes.length, WireLimits.MAX_STRING_BYTES);
        }
        out.writeShort(bytes.length);
        out.writeBytes(bytes);
    }

    void bytes(Bytes value) {
        if (value.length() > WireLimits.MAX_PAGE_BYTES) {
            throw tooLarge("a row of bytes", value.length(), WireLimits.MAX_PAGE_BYTES);
        }
        out.writeInt(value.length());
        out.writeBytes(value.array());
    }

    void copied(Bytes value) {
        if (value.length() > WireLimits.MAX_COPY_BYTES) {
            throw tooLarge("the bytes of copied pages", value.length(), WireLimits.MAX_COPY_BYTES);
        }
        out.writeInt(value.length());
        out.writeBytes(value.array());
    }

    <T> void list(List<T> values, BiConsumer<WireWriter, T> element) {
        if (values.size() > WireLimits.MAX_LIST_ELEMENTS) {
            throw tooLarge("a list", values.size(), WireLimits.MAX_LIST_ELEMENTS);
        }
        out.writeShort(values.size());
        values.forEach(value -> element.accept(this, value));
    }

    private static TomboloException tooLarge(String what, long found, long limit) {
        return TomboloException.error(CoordinatorError.WIRE_MESSAGE_TOO_LARGE, what + " of a message is too long")
                .fact("found", found).fact("limit", limit).build();
    }
}

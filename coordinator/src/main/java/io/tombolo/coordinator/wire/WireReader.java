package io.tombolo.coordinator.wire;

import com.esotericsoftware.kryo.io.Input;
import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;

/// Reads what [WireWriter] wrote. Every length is checked against the bytes that are really there before anything is
/// allocated; whatever is wrong is `WIRE_MALFORMED` with the offset in the payload. Not thread safe.
final class WireReader {
    private final Input in;

    /// @param in over a whole payload in one array; its limit is the payload's end
    WireReader(Input in) {
        this.in = in;
    }

    int remaining() {
        return in.limit() - in.position();
    }

    int i32() {
        need(Integer.BYTES);
        return in.readInt();
    }

    long i64() {
        need(Long.BYTES);
        return in.readLong();
    }

    int u16() {
        need(Short.BYTES);
        return in.readShortUnsigned();
    }

    boolean bool() {
        need(1);
        int value = in.readByteUnsigned();
        if (value > 1) {
            throw malformed("a boolean is neither 0 nor 1", value, in.position() - 1);
        }
        return value == 1;
    }

    <E extends Enum<E>> E enumeration(E[] values) {
        need(1);
        int value = in.readByteUnsigned();
        if (value >= values.length) {
            throw malformed("an enum has an unknown value", value, in.position() - 1);
        }
        return values[value];
    }

    UUID uuid() {
        need(2 * Long.BYTES);
        long most = in.readLong();
        return new UUID(most, in.readLong());
    }

    String string() {
        int length = u16();
        if (length > WireLimits.MAX_STRING_BYTES) {
            throw malformed("a string is longer than the limit", length, in.position() - Short.BYTES);
        }
        need(length);
        int start = in.position();
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(in.getBuffer(), start, length))
                    .toString();
            in.setPosition(start + length);
            return text;
        } catch (CharacterCodingException e) {
            throw malformed("a string is not UTF-8", length, start);
        }
    }

    Bytes bytes() {
        return bytes(WireLimits.MAX_PAGE_BYTES);
    }

    /// Bytes of copied pages.
    Bytes copied() {
        return bytes(WireLimits.MAX_COPY_BYTES);
    }

    private Bytes bytes(int limit) {
        int length = i32();
        if (length < 0 || length > limit) {
            throw malformed("a row of bytes is longer than the limit", length, in.position() - Integer.BYTES);
        }
        need(length);
        return Bytes.owning(in.readBytes(length));
    }

    /// @param minElementBytes the fewest bytes one element can have; at least 1, so that a count bounds itself
    <T> List<T> list(int minElementBytes, Function<WireReader, T> element) {
        int count = u16();
        if ((long) count * minElementBytes > remaining()) {
            throw malformed("a list has more elements than bytes are left", count, in.position() - Short.BYTES);
        }
        List<T> values = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            values.add(element.apply(this));
        }
        return values;
    }

    /// Refuses bytes behind the end of the message.
    void end() {
        if (remaining() != 0) {
            throw malformed("bytes follow the message", remaining(), in.position());
        }
    }

    private void need(int bytes) {
        if (remaining() < bytes) {
            throw malformed("the payload ends early", remaining(), in.position());
        }
    }

    private static TomboloException malformed(String what, Object found, int offset) {
        return TomboloException.error(CoordinatorError.WIRE_MALFORMED, what).fact("found", found).fact("offset", offset)
                .build();
    }
}

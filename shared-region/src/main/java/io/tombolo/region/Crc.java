package io.tombolo.region;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.zip.CRC32C;

/// CRC-32C (Castagnoli) as the format uses it.
final class Crc {
    private Crc() {
    }

    /// Checksum of `count` bytes from `offset`.
    static int of(MemorySegment bytes, long offset, long count) {
        MemorySegment range = bytes.asSlice(offset, count);
        CRC32C crc = new CRC32C();
        if (range.isNative() || range.heapBase().orElse(null) instanceof byte[]) {
            crc.update(range.asByteBuffer());
        } else {
            crc.update(range.toArray(ValueLayout.JAVA_BYTE));
        }
        return (int) crc.getValue();
    }
}

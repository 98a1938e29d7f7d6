package io.tombolo.region;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.zip.CRC32C;

/// CRC-32C (Castagnoli) as the format uses it. Never computed over mapped memory itself: a fault in the JVM's checksum
/// code (or in [MemorySegment#mismatch]) is not turned into an error like one in a load or a copy, it ends the process.
final class Crc {
    private Crc() {
    }

    /// Checksum of `count` bytes of the region, through `chunk`.
    static int of(Memory memory, long offset, long count, byte[] chunk) {
        MemorySegment copy = MemorySegment.ofArray(chunk);
        CRC32C crc = new CRC32C();
        for (long done = 0; done < count;) {
            int part = (int) Math.min(chunk.length, count - done);
            memory.copyOut(offset + done, copy, 0, part);
            crc.update(chunk, 0, part);
            done += part;
        }
        return (int) crc.getValue();
    }

    /// Checksum of `count` bytes from `offset` of private memory.
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

package io.tombolo.region;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;

/// A private copy of one frame of words. Recoveries read whole tables once, in code that has hardly run before: a copy
/// of a frame and a loop over an array cost a small part of as many calls of the memory port. Not thread safe.
final class FrameWords {
    /// Words in a frame.
    static final int COUNT = RegionLayout.FRAME_BYTES / 8;

    private final byte[] copy = new byte[RegionLayout.FRAME_BYTES];
    private final MemorySegment bytes = MemorySegment.ofArray(copy);
    private final LongBuffer buffer = ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN).asLongBuffer();
    private final long[] words = new long[COUNT];

    /// To be filled by a copy.
    MemorySegment bytes() {
        return bytes;
    }

    /// What was copied last; the same array every time.
    long[] decoded() {
        buffer.get(0, words);
        return words;
    }
}

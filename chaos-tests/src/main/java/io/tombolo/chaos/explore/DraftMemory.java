package io.tombolo.chaos.explore;

import io.tombolo.region.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// A port onto a region image and the words that differ from it. Every call takes effect at once. One thread.
final class DraftMemory implements Memory {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED;

    private final RegionImage image;
    private final Words[] words;

    DraftMemory(RegionImage image, Words[] words) {
        this.image = image;
        this.words = words.clone();
    }

    static DraftMemory untouched(RegionImage image) {
        Words[] none = new Words[RegionImage.AREAS];
        Arrays.fill(none, Words.NONE);
        return new DraftMemory(image, none);
    }

    Words[] words() {
        return words.clone();
    }

    @Override
    public long bytes() {
        return image.bytes();
    }

    @Override
    public long load(long offset) {
        return words[image.area(offset)].get((int) (offset >>> 3), image.first(offset));
    }

    @Override
    public long loadAcquire(long offset) {
        return load(offset);
    }

    @Override
    public void store(long offset, long value) {
        int area = image.area(offset);
        words[area] = words[area].with((int) (offset >>> 3), value, image.first(offset));
    }

    @Override
    public void storeRelease(long offset, long value) {
        store(offset, value);
    }

    @Override
    public boolean compareAndSet(long offset, long expect, long next) {
        boolean same = load(offset) == expect;
        if (same) {
            store(offset, next);
        }
        return same;
    }

    @Override
    public void copyIn(MemorySegment source, long sourceOffset, long offset, long count) {
        MemorySegment word = MemorySegment.ofArray(new byte[8]);
        for (long at = offset & -8; at < offset + count; at += 8) {
            word.set(WORD, 0, load(at));
            long from = Math.max(at, offset);
            long to = Math.min(at + 8, offset + count);
            MemorySegment.copy(source, sourceOffset + from - offset, word, from - at, to - from);
            store(at, word.get(WORD, 0));
        }
    }

    @Override
    public void copyOut(long offset, MemorySegment target, long targetOffset, long count) {
        MemorySegment word = MemorySegment.ofArray(new byte[8]);
        for (long at = offset & -8; at < offset + count; at += 8) {
            word.set(WORD, 0, load(at));
            long from = Math.max(at, offset);
            long to = Math.min(at + 8, offset + count);
            MemorySegment.copy(word, from - at, target, targetOffset + from - offset, to - from);
        }
    }

    @Override
    public void copy(long fromOffset, long toOffset, long count) {
        for (long at = 0; at < count; at += 8) {
            store(toOffset + at, load(fromOffset + at));
        }
    }

    @Override
    public void zero(long offset, long count) {
        copyIn(MemorySegment.ofArray(new byte[(int) count]), 0, offset, count);
    }

    @Override
    public void writeBack(long offset, long count) {
        // Hosts die as processes do: crash kind P.
    }

    @Override
    public void fence() {
        // One thread.
    }

    @Override
    public boolean isAlwaysDurable() {
        return true;
    }

    /// Nobody stores through it, and who reads through it reads zeros.
    @Override
    public MemorySegment segment(long offset, long count) {
        return MemorySegment.ofArray(new byte[0]);
    }
}

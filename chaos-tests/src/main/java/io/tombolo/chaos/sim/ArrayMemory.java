package io.tombolo.chaos.sim;

import io.tombolo.region.Memory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A port onto an array without steps, for who formats it or looks after everything stands still. One thread.
public record ArrayMemory(MemorySegment view) implements Memory {
    @Override
    public long bytes() {
        return view.byteSize();
    }

    @Override
    public long load(long offset) {
        return view.get(ValueLayout.JAVA_LONG, offset);
    }

    @Override
    public long loadAcquire(long offset) {
        return load(offset);
    }

    @Override
    public void store(long offset, long value) {
        view.set(ValueLayout.JAVA_LONG, offset, value);
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
        MemorySegment.copy(source, sourceOffset, view, offset, count);
    }

    @Override
    public void copyOut(long offset, MemorySegment target, long targetOffset, long count) {
        MemorySegment.copy(view, offset, target, targetOffset, count);
    }

    @Override
    public void copy(long fromOffset, long toOffset, long count) {
        MemorySegment.copy(view, fromOffset, view, toOffset, count);
    }

    @Override
    public void zero(long offset, long count) {
        view.asSlice(offset, count).fill((byte) 0);
    }

    @Override
    public void writeBack(long offset, long count) {
        // The array is all there is.
    }

    @Override
    public void fence() {
        // One thread.
    }

    @Override
    public MemorySegment segment(long offset, long count) {
        return view.asSlice(offset, count);
    }
}

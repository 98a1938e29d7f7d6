package io.tombolo.chaos.sim;

import io.tombolo.region.Memory;
import java.lang.foreign.MemorySegment;

/// The memory of a world as somebody from outside reads it: no step, no store.
final class QuietMemory implements Memory {
    private final SimMemory memory;

    QuietMemory(SimMemory memory) {
        this.memory = memory;
    }

    @Override
    public long bytes() {
        return memory.bytes();
    }

    @Override
    public long load(long offset) {
        return memory.get(offset);
    }

    @Override
    public long loadAcquire(long offset) {
        return memory.get(offset);
    }

    @Override
    public void copyOut(long offset, MemorySegment target, long targetOffset, long count) {
        MemorySegment.copy(memory.view(), offset, target, targetOffset, count);
    }

    @Override
    public MemorySegment segment(long offset, long count) {
        return memory.view().asSlice(offset, count).asReadOnly();
    }

    @Override
    public void store(long offset, long value) {
        throw new UnsupportedOperationException("read only");
    }

    @Override
    public void storeRelease(long offset, long value) {
        throw new UnsupportedOperationException("read only");
    }

    @Override
    public boolean compareAndSet(long offset, long expect, long next) {
        throw new UnsupportedOperationException("read only");
    }

    @Override
    public void copyIn(MemorySegment source, long sourceOffset, long offset, long count) {
        throw new UnsupportedOperationException("read only");
    }

    @Override
    public void copy(long fromOffset, long toOffset, long count) {
        throw new UnsupportedOperationException("read only");
    }

    @Override
    public void zero(long offset, long count) {
        throw new UnsupportedOperationException("read only");
    }

    @Override
    public void writeBack(long offset, long count) {
        // Nothing is changed, so nothing is written back.
    }

    @Override
    public void fence() {
        // One thread.
    }
}

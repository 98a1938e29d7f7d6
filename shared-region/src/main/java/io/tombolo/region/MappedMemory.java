package io.tombolo.region;

import static java.util.Objects.requireNonNull;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;

/// [Memory] over a mapped file. `persist` is a full fence: the file stands in for a device whose caches belong to the
/// same machine. The conversion of a fault of the mapping (the file was truncated) into a [TomboloException] is done
/// here, once.
final class MappedMemory implements Memory {
    private static final VarHandle LONG = Struct.LONG.varHandle();

    private final MemorySegment segment;
    private final Path file;

    MappedMemory(MemorySegment segment, Path file) {
        this.segment = requireNonNull(segment, "segment is null");
        this.file = requireNonNull(file, "file is null");
    }

    @Override
    public long bytes() {
        return segment.byteSize();
    }

    @Override
    public long load(long offset) {
        try {
            return (long) LONG.get(segment, offset);
        } catch (InternalError e) {
            throw fault(offset, e);
        }
    }

    @Override
    public long loadAcquire(long offset) {
        try {
            return (long) LONG.getAcquire(segment, offset);
        } catch (InternalError e) {
            throw fault(offset, e);
        }
    }

    @Override
    public void store(long offset, long value) {
        try {
            LONG.set(segment, offset, value);
        } catch (InternalError e) {
            throw fault(offset, e);
        }
    }

    @Override
    public void storeRelease(long offset, long value) {
        try {
            LONG.setRelease(segment, offset, value);
        } catch (InternalError e) {
            throw fault(offset, e);
        }
    }

    @Override
    public boolean compareAndSet(long offset, long expect, long next) {
        try {
            return LONG.compareAndSet(segment, offset, expect, next);
        } catch (InternalError e) {
            throw fault(offset, e);
        }
    }

    @Override
    public void copyIn(MemorySegment source, long sourceOffset, long offset, long count) {
        try {
            MemorySegment.copy(source, sourceOffset, segment, offset, count);
        } catch (InternalError e) {
            throw fault(offset, e);
        }
    }

    @Override
    public void copyOut(long offset, MemorySegment target, long targetOffset, long count) {
        try {
            MemorySegment.copy(segment, offset, target, targetOffset, count);
        } catch (InternalError e) {
            throw fault(offset, e);
        }
    }

    @Override
    public void copy(long fromOffset, long toOffset, long count) {
        try {
            MemorySegment.copy(segment, fromOffset, segment, toOffset, count);
        } catch (InternalError e) {
            throw fault(fromOffset, e);
        }
    }

    @Override
    public void zero(long offset, long count) {
        try {
            segment.asSlice(offset, count).fill((byte) 0);
        } catch (InternalError e) {
            throw fault(offset, e);
        }
    }

    @Override
    public void writeBack(long offset, long count) {
        // Nothing: only the fence is left of it.
    }

    @Override
    public boolean isAlwaysDurable() {
        return true;
    }

    @Override
    public void fence() {
        VarHandle.fullFence();
    }

    @Override
    public MemorySegment segment(long offset, long count) {
        return segment.asSlice(offset, count, 8);
    }

    private TomboloException fault(long offset, InternalError cause) {
        return MemoryFaults.translate(file, segment.byteSize(), offset, cause);
    }
}

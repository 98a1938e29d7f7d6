package io.tombolo.region;

import java.lang.foreign.MemorySegment;

/// The port through which every region protocol touches the region. Offsets are bytes from the start of the region
/// file; words are 8 bytes, 8-byte aligned, little endian. Each call is one step of a protocol: test doubles count the
/// calls, stop a protocol between any two of them, and drop what was not persisted.
///
/// Ordering: `load` and `store` are plain; `loadAcquire`, `storeRelease` pair up; `compareAndSet` is a full fence on
/// both outcomes. `persist`, or `fence` after `writeBack`, returns when the range has left this host's volatile caches:
/// nothing that is stored afterwards can survive a loss of the host without it. On memory that lives with the machine
/// (tmpfs) it is a full fence and nothing else.
///
/// Thread safe as memory is. After the region is closed every call throws IllegalStateException. If the file was
/// truncated under the mapping, calls throw [TomboloException] with [RegionError#REGION_TRUNCATED].
public interface Memory {
    long bytes();

    long load(long offset);

    long loadAcquire(long offset);

    void store(long offset, long value);

    void storeRelease(long offset, long value);

    boolean compareAndSet(long offset, long expect, long next);

    /// Copies from private memory into the region. Not atomic.
    void copyIn(MemorySegment source, long sourceOffset, long offset, long count);

    /// Copies from the region into private memory. Not atomic.
    void copyOut(long offset, MemorySegment target, long targetOffset, long count);

    /// Copies inside the region; the ranges do not overlap. Not atomic.
    void copy(long fromOffset, long toOffset, long count);

    void zero(long offset, long count);

    /// Begins to write the lines of the range back; they are durable after the next [#fence]. A batch is several of
    /// these and one fence. Nothing on memory that lives with the machine.
    void writeBack(long offset, long count);

    /// Makes a range durable: writes it back and waits for it.
    default void persist(long offset, long count) {
        writeBack(offset, count);
        fence();
    }

    /// Full fence, which also waits for what this thread began to write back.
    void fence();

    /// Whether what is stored outlives a loss of this host without a [#writeBack]: memory that lives with the machine.
    /// Who would write back much may leave it out then.
    default boolean isAlwaysDurable() {
        return false;
    }

    /// The bytes themselves, for paths that cannot afford a call per access (guest memory, page table reads). Stores
    /// through it are invisible to test doubles and need a `persist` of their own.
    MemorySegment segment(long offset, long count);
}

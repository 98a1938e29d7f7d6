package io.tombolo.region.os;

import java.lang.foreign.MemorySegment;

/// The whole address space as one segment, for the few paths that check their addresses themselves and cannot afford a
/// second check per access: the accesses of a vCPU. An address outside live mappings is the death of the process, so
/// whoever uses it keeps its mappings open until its threads have ended.
public final class RawMemory {
    /// Offsets are addresses.
    public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private RawMemory() {
    }
}

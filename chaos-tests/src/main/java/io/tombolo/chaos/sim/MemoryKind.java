package io.tombolo.chaos.sim;

/// What the region of a simulated world is made of.
public enum MemoryKind {
    /// One coherent memory that outlives every host: what tmpfs is to processes of one machine.
    COHERENT,
    /// Coherent between hosts, but a host that dies loses any subset of the cache lines that it had changed and not
    /// persisted.
    VOLATILE,
    /// As VOLATILE, and the frames and metadata slots are not coherent between hosts: a host may see its own old copy of
    /// a line until it invalidates it, and its changes become visible at any later time. A compare-and-set on such a
    /// range is refused.
    INCOHERENT
}

package io.tombolo.chaos.sim;

/// What the region of a simulated world is made of.
enum MemoryKind {
    /// One coherent memory that outlives every host: what tmpfs is to processes of one machine.
    COHERENT,
    /// Coherent between hosts, but a host that dies loses any subset of the cache lines that it had changed and not
    /// persisted.
    VOLATILE
}

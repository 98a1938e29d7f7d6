package io.tombolo.agent.hypervisor;

import java.lang.foreign.MemorySegment;

/// Where a guest that leaves puts its state. Used by one thread, the one that stopped the guest's last vCPU; nothing
/// here allocates or blocks.
public interface OfferPort {
    /// The metadata slot's payload in the region, the whole capacity.
    MemorySegment payload();

    /// Whether the target's thread is on a core at this moment. A guest that can go on at no cost offers only then: one
    /// that is offered to a thread that waits for a core stands still as long as that waits.
    boolean targetSpins();

    /// Publishes `length` bytes of payload under `schema` and CASes the owner word to OFFERED. True if that succeeded;
    /// false means that the guest must stay stopped: the owner word says who decides now.
    boolean offer(int length, int schema);

    /// The same for a protected VM, whose state has just been committed: CASes the owner word to OFFERED.
    default boolean offerCommitted() {
        throw new UnsupportedOperationException("nobody takes a protected VM from here");
    }
}

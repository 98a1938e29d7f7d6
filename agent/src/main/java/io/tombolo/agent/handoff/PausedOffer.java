package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.hypervisor.OfferPort;
import io.tombolo.region.MetadataSlot;
import java.lang.foreign.MemorySegment;
import java.util.UUID;

/// Where a paused guest puts its state, for readers of the region; it is offered to nobody.
record PausedOffer(MetadataSlot metadata, long epoch, UUID vm) implements OfferPort {
    PausedOffer {
        requireNonNull(metadata, "metadata is null");
        requireNonNull(vm, "vm is null");
    }

    @Override
    public MemorySegment payload() {
        return metadata.payload();
    }

    @Override
    public boolean targetSpins() {
        throw new UnsupportedOperationException("a paused VM goes nowhere");
    }

    @Override
    public boolean offer(int length, int schema) {
        metadata.publishPaused(epoch, length, schema, vm);
        return true;
    }
}

package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.hypervisor.OfferPort;
import io.tombolo.region.MetadataSlot;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.VmSlot;
import java.lang.foreign.MemorySegment;
import java.util.UUID;

/// The straight-line part of a hand-off on the source: publish the state, CAS the owner word. Made before the vCPUs
/// stop, used by the thread that stops the last of them.
final class SlotOffer implements OfferPort {
    /// Some microseconds: many times the interval of a spinning thread's beats, also across a switch.
    private static final int BEAT_LOOKS = 64;

    private final VmSlot slot;
    private final UUID vm;
    private final HostPorts host;
    private final long epoch;
    private final long expect;
    private final long offered;
    private final MetadataSlot metadata;

    /// @param epoch the epoch at which the host runs the VM; the offer carries the next
    SlotOffer(VmSlot slot, UUID vm, HostPorts host, long epoch, int target) {
        this.slot = requireNonNull(slot, "slot is null");
        this.vm = requireNonNull(vm, "vm is null");
        this.host = requireNonNull(host, "host is null");
        this.epoch = epoch;
        this.expect = OwnerWord.pack(OwnerState.RUNNING, host.self(), epoch);
        this.offered = OwnerWord.pack(OwnerState.OFFERED, target, epoch + 1);
        this.metadata = metadata(slot, epoch + 1);
    }

    /// The metadata slot that carries the state of the offer at this epoch. Alternating, so that the state of the offer
    /// before is still whole while this one is written.
    static MetadataSlot metadata(VmSlot slot, long offeredEpoch) {
        return slot.metadata((int) (offeredEpoch & 1));
    }

    @Override
    public MemorySegment payload() {
        return metadata.payload();
    }

    @Override
    public boolean targetSpins() {
        long before = slot.beatAcquire();
        for (int look = 0; look < BEAT_LOOKS; look++) {
            Thread.onSpinWait();
            if (slot.beatAcquire() != before) {
                return true;
            }
        }
        return false;
    }

    @Override
    public boolean offer(int length, int schema) {
        metadata.publish(epoch + 1, 0, length, schema, vm);
        return offerCommitted();
    }

    @Override
    public boolean offerCommitted() {
        host.at(HandoffPoint.SOURCE_SAVED);
        boolean won = slot.compareAndSetOwner(expect, offered);
        host.at(HandoffPoint.SOURCE_OFFERED);
        return won;
    }
}

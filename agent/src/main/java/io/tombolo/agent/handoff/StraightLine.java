package io.tombolo.agent.handoff;

import io.tombolo.agent.hypervisor.OfferPort;
import io.tombolo.region.Blob;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.VmSlot;
import java.lang.foreign.MemorySegment;
import java.util.UUID;
import java.util.function.Consumer;

/// The part of a hand-off that lies between the last instruction and the first one, on one thread and without threads
/// to wake: publish, offer, see, copy and check, take. For rehearsals and benchmarks; the very objects that a real
/// hand-off uses.
public final class StraightLine {
    private final VmSlot slot;
    private final UUID vm;
    private final HostPorts one;
    private final HostPorts two;

    /// @param slot a VM slot that is RUNNING at `one`
    public StraightLine(VmSlot slot, UUID vm, HostPorts one, HostPorts two) {
        this.slot = slot;
        this.vm = vm;
        this.one = one;
        this.two = two;
        // As the source does before it offers, and the target looks.
        slot.gate().close();
    }

    /// Writes a state of `length` bytes and gives its schema.
    @FunctionalInterface
    public interface Encoder {
        int encode(MemorySegment into);
    }

    /// Hands the slot to and fro `times` times and leaves it where it was.
    public void run(int times, int schema, Encoder encoder, Consumer<Blob> decoder) {
        for (int i = 0; i < times; i++) {
            hop(one, two, schema, encoder, decoder);
            hop(two, one, schema, encoder, decoder);
        }
    }

    private void hop(HostPorts from, HostPorts to, int schema, Encoder encoder,
            Consumer<Blob> decoder) {
        long epoch = OwnerWord.epoch(slot.ownerAcquire());
        IncomingVm incoming = new IncomingVm(slot, vm, to, epoch, null, Silent.INSTANCE);
        OfferPort port = new SlotOffer(slot, vm, from, epoch, to.self());
        if (incoming.offered() || !port.offer(encoder.encode(port.payload()), schema) || !incoming.offered()) {
            throw new IllegalStateException("straight line: " + OwnerWord.describe(slot.ownerAcquire()));
        }
        decoder.accept(incoming.take());
        if (!incoming.run() || !OwnerWord.is(slot.ownerAcquire(), OwnerState.RUNNING)) {
            throw new IllegalStateException("straight line: " + OwnerWord.describe(slot.ownerAcquire()));
        }
    }

    private enum Silent implements IncomingVm.Listener {
        INSTANCE;

        @Override
        public void owns(long word, int closings) {
        }

        @Override
        public void spinning() {
        }

        @Override
        public void running(long word, long seenNs, long runningNs, long firstInstructionNs) {
        }

        @Override
        public void windowPassed() {
        }

        @Override
        public void refused(String reason) {
            throw new IllegalStateException(reason);
        }
    }
}

package io.tombolo.agent.hypervisor;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.agent.handoff.HostPorts;
import io.tombolo.agent.handoff.StraightLine;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.agent.sim.SimulatedState;
import io.tombolo.agent.sim.SimulatedStateCodec;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.Blob;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmSlot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/// Hands a scratch slot to and fro on the calling thread, a few microseconds long. The threads of a real hand-off do
/// this just before it: code and data that nobody has used for a second are in no cache any more, and fetching them
/// would otherwise be part of the downtime. It stores to its own scratch region only, a file that has no name any more.
final class DryRun implements AutoCloseable {
    private static final long MEMORY_BYTES = 1L << 20;

    private final Region region;
    private final StraightLine line;
    private final int schema;
    private final StraightLine.Encoder encoder;
    private final Consumer<Blob> decoder;
    private final ReentrantLock lock = new ReentrantLock();

    private DryRun(Region region, int schema, StraightLine.Encoder encoder, Consumer<Blob> decoder) {
        this.region = region;
        this.schema = schema;
        this.encoder = encoder;
        this.decoder = decoder;
        VmSlot slot = region.vm(0);
        slot.compareAndSetOwner(slot.ownerAcquire(), OwnerWord.pack(OwnerState.CREATING, 0, 1));
        slot.compareAndSetOwner(slot.ownerAcquire(), OwnerWord.pack(OwnerState.RUNNING, 0, 1));
        this.line = new StraightLine(slot, UUID.randomUUID(), new Stand(0), new Stand(1));
    }

    /// With the state of a simulated guest. Makes the scratch region in `directory` and takes its name away.
    static DryRun simulated(Path directory) {
        GuestSpec guest = SimulatedHypervisor.guestSpec(new VmSpec("dry-run", UUID.randomUUID(),
                SimulatedHypervisor.NAME, MEMORY_BYTES, 1, "dirty", MEMORY_BYTES, "uniform", 1));
        SimulatedState state = SimulatedState.fresh(guest);
        SimulatedStateCodec codec = new SimulatedStateCodec(guest);
        return open(directory, 1 << 12, SimulatedStateCodec.SCHEMA, into -> codec.encode(state, into),
                blob -> codec.decode(blob.bytes(), blob.length(), state));
    }

    /// With a state of `bytes` that nobody looks at.
    static DryRun ofBytes(Path directory, int bytes) {
        return open(directory, 2 * bytes, 0, _ -> bytes, _ -> {
        });
    }

    private static DryRun open(Path directory, int metadataBytes, int schema, StraightLine.Encoder encoder,
            Consumer<Blob> decoder) {
        Path file = directory.resolve("dry-run-" + UUID.randomUUID() + ".region");
        UUID cluster = UUID.randomUUID();
        Region.format(file, FormatOptions.of(cluster, 2 * MEMORY_BYTES).withHostSlots(2).withVmSlots(1)
                .withMetadataSlotBytes(metadataBytes));
        Region region = Region.open(file, OpenOptions.ofCluster(cluster));
        try {
            Files.delete(file);
        } catch (IOException e) {
            region.close();
            throw TomboloException.error(GuestError.DRY_RUN_FAILED, "the scratch region could not be removed")
                    .fact("file", file).next("check the run directory").cause(e).build();
        }
        return new DryRun(region, schema, encoder, decoder);
    }

    /// Runs it `hops` times, unless another thread does so at this moment. Never waits.
    void run(int hops) {
        if (lock.tryLock()) {
            try {
                line.run(hops, schema, encoder, decoder);
            } finally {
                lock.unlock();
            }
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            region.close();
        } finally {
            lock.unlock();
        }
    }

    /// A host that always has the right, on a slot that nobody else sees.
    private record Stand(int self) implements HostPorts {
        @Override
        public boolean rightHolds() {
            return true;
        }

        @Override
        public int closings() {
            return 0;
        }

        @Override
        public CheckBoard board() {
            throw new UnsupportedOperationException("nothing runs in a dry run");
        }

        @Override
        public void at(HandoffPoint point) {
            // Not a hand-off.
        }

        @Override
        public long nowNs() {
            return System.nanoTime();
        }

        @Override
        public CompletableFuture<WindowEnd> openWindow(Peer target, long intentSeq, int vmSlot, long epoch,
                long windowNs) {
            throw new UnsupportedOperationException("nobody is asked in a dry run");
        }
    }
}

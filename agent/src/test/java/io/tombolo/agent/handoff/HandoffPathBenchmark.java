package io.tombolo.agent.handoff;

import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.agent.sim.GuestSpec;
import io.tombolo.agent.sim.SimulatedState;
import io.tombolo.agent.sim.SimulatedStateCodec;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.VmSlot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// What the words of a hand-off cost on one core, in a real region file on tmpfs: `ownerCas` is one change of the owner
/// word, `pathOfTwoHops` everything between the last instruction and the first one, twice (there and back): encode 1
/// vCPU, CRC, publish, CAS, see, copy, check, decode, CAS. What a drill measures beyond that is the other core and the
/// scheduler.
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@State(Scope.Thread)
public class HandoffPathBenchmark {
    private Path file;
    private Region region;
    private VmSlot cas;
    private StraightLine line;
    private SimulatedState state;
    private SimulatedStateCodec codec;

    /// A host that never loses its right.
    private record Host(int self) implements HostPorts {
        @Override
        public boolean rightHolds() {
            return true;
        }

        @Override
        public CheckBoard board() {
            throw new UnsupportedOperationException("nothing runs here");
        }

        @Override
        public void at(HandoffPoint point) {
        }

        @Override
        public long nowNs() {
            return System.nanoTime();
        }

        @Override
        public CompletableFuture<WindowEnd> openWindow(Peer target, long intentSeq, int vmSlot, long epoch,
                long windowNs) {
            throw new UnsupportedOperationException("nobody is asked here");
        }
    }

    @Setup(Level.Trial)
    public void open() throws IOException {
        Path tmpfs = Path.of("/dev/shm");
        file = Files.createTempFile(Files.isDirectory(tmpfs) ? tmpfs : Path.of("."), "tombolo-benchmark-", ".region");
        UUID cluster = UUID.randomUUID();
        Region.format(file, FormatOptions.of(cluster, 8 << 20).withMetadataSlotBytes(1 << 13));
        region = Region.open(file, OpenOptions.ofCluster(cluster));
        VmSpec spec = new VmSpec("benchmark", UUID.randomUUID(), SimulatedHypervisor.NAME, 1 << 20, 1, "dirty", 1 << 20,
                "uniform", 1);
        GuestSpec guest = SimulatedHypervisor.guestSpec(spec);
        state = SimulatedState.fresh(guest);
        codec = new SimulatedStateCodec(guest);
        line = new StraightLine(running(0), spec.uuid(), new Host(0), new Host(1));
        cas = running(1);
    }

    private VmSlot running(int index) {
        VmSlot slot = region.vm(index);
        slot.compareAndSetOwner(slot.ownerAcquire(), OwnerWord.pack(OwnerState.CREATING, 0, 1));
        slot.compareAndSetOwner(slot.ownerAcquire(), OwnerWord.pack(OwnerState.RUNNING, 0, 1));
        return slot;
    }

    @TearDown(Level.Trial)
    public void close() throws IOException {
        region.close();
        Files.delete(file);
    }

    @Benchmark
    public boolean ownerCas() {
        long word = cas.ownerAcquire();
        return cas.compareAndSetOwner(word, OwnerWord.pack(OwnerState.RUNNING, 0, OwnerWord.epoch(word) + 1));
    }

    @Benchmark
    public void pathOfTwoHops() {
        line.run(1, SimulatedStateCodec.SCHEMA, into -> codec.encode(state, into),
                blob -> codec.decode(blob.bytes(), blob.length(), state));
    }
}

package io.tombolo.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;

/// What the tests of this package share: real QEMU, real guest image, a segment file with a trailer page, a metadata
/// slot and an owner word in a mapped file. [#close] kills what is left and fails the test if a process, file, socket
/// or thread stays behind.
final class GuestLab implements AutoCloseable {
    static final long TIMEOUT_MS = 20_000;
    static final long PROGRESS_MS = 60_000;
    static final int SLOT_BYTES = 1 << 20;
    private static final int TRAILER_BYTES = 4096;
    private static final VarHandle OWNER = ValueLayout.JAVA_LONG.varHandle();

    final QemuBinary binary = QemuBinary.find(Optional.empty(), System.getenv("PATH"));
    final GuestImage image = GuestImage.ensure(GuestImage.defaultCache(System.getenv()), System.getenv());
    final Path runDirectory;
    final Path memoryDirectory;
    final Path segment;
    final MemorySegment slot;
    private final long memoryBytes;
    private final MemorySegment owner;
    private final GuestLoad load;
    private final Arena arena = Arena.ofShared();
    private final List<QemuGuest> guests = new ArrayList<>();
    private int started;

    /// What one hop cost.
    ///
    /// @param downtimeNs STOP at the source to RESUME at the target
    record Hop(SaveResult saved, LoadResult loaded, QmpEvent resumed, long totalNs, long downtimeNs) {
        String line() {
            long stop = saved.stopEventNs();
            return "downtime %d us: drained %d, completed %d, fed %d, loaded %d; total %d us, %d bytes".formatted(
                    us(downtimeNs), us(saved.drainedNs() - stop), us(saved.completedNs() - stop),
                    us(loaded.fedNs() - stop),
                    us(loaded.loadedNs() - stop), us(totalNs), saved.length());
        }
    }

    static long us(long ns) {
        return TimeUnit.NANOSECONDS.toMicros(ns);
    }

    GuestLab(long memoryBytes, GuestLoad load) {
        this.memoryBytes = memoryBytes;
        this.load = load;
        try {
            runDirectory = TempFiles.privateDirectory(Path.of(System.getProperty("java.io.tmpdir")), "lab");
            Path tmpfs = Path.of("/dev/shm");
            memoryDirectory = TempFiles.privateDirectory(Files.isWritable(tmpfs) ? tmpfs : runDirectory, "lab");
            segment = memoryDirectory.resolve("memory.seg");
            Comparison.sparseFile(segment, memoryBytes + TRAILER_BYTES);
            try (FileChannel channel = FileChannel.open(memoryDirectory.resolve("slot"), StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                MemorySegment all = channel.map(FileChannel.MapMode.READ_WRITE, 0, SLOT_BYTES + TRAILER_BYTES, arena);
                slot = all.asSlice(0, SLOT_BYTES);
                owner = all.asSlice(SLOT_BYTES);
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static GuestLab small() {
        return new GuestLab(192L << 20, new GuestLoad(32L << 20, "uniform", 42, 1, 25));
    }

    QemuDefinition definition() {

        Path console = runDirectory.resolve("console" + started++);
        return new QemuDefinition("lab-vm", new UUID(7, 7), new QemuDefinition.Memory.SegmentFile(segment), memoryBytes,
                load.workers(),
                binary, Accelerator.TCG, image, load, runDirectory, console, List.of());
    }

    /// A guest that counts.
    QemuGuest boot() {
        QemuGuest guest = register(QemuGuest.launch(definition()));
        guest.cont();
        awaitProgress(guest);
        return guest;
    }

    QemuGuest prelaunch() {
        return register(QemuGuest.prelaunch(definition()));
    }

    QemuGuest register(QemuGuest guest) {
        guests.add(guest);
        return guest;
    }

    GuestConsole.Beat awaitProgress(QemuGuest guest) {
        GuestConsole console = new GuestConsole(guest.definition().consoleFile());
        long first = console.latest().map(GuestConsole.Beat::number).orElse(0L);
        GuestConsole.Beat start = console.await(b -> b.number() > first && b.iterations() > 0, PROGRESS_MS);
        return console.await(b -> b.number() >= start.number() + 2 && b.iterations() > start.iterations(), PROGRESS_MS);
    }

    /// The whole path of a hand-off, but for the region's own structures: state through the slot, checksum on both
    /// sides, the owner word changed three times. The source is killed afterwards.
    Hop hop(QemuGuest source, QemuGuest target) {
        MemorySegment copy = arena.allocate(SLOT_BYTES);
        long began = System.nanoTime();
        SaveResult saved = source.saveState(slot, TIMEOUT_MS);
        int published = crc(slot, saved.length());
        cas(0, 1);
        MemorySegment.copy(slot, 0, copy, 0, saved.length());
        if (crc(copy, saved.length()) != published) {
            throw new AssertionError("the state in the slot changed");
        }
        cas(1, 2);
        long mark = target.markAfterRoundTrip();
        LoadResult loaded = target.loadState(copy, saved.length(), TIMEOUT_MS);
        // QEMU raises what it does with the vCPUs before it says that the load is over.
        if (target.qmp().findEvent(mark, QmpEvent.named("RESUME")) != null) {
            throw new AssertionError("the guest runs at the target before the owner word names it");
        }
        cas(2, 3);
        QmpEvent resumed = target.cont();
        source.kill();
        cas(3, 0);
        return new Hop(saved, loaded, resumed, resumed.atNs() - began,
                resumed.atNs() - saved.stopEventNs());
    }

    private void cas(long expected, long next) {
        if (!OWNER.compareAndSet(owner, 0L, expected, next)) {
            throw new AssertionError("owner word was not " + expected);
        }
    }

    private static int crc(MemorySegment memory, long length) {
        CRC32C crc = new CRC32C();
        crc.update(memory.asSlice(0, length).asByteBuffer());
        return (int) crc.getValue();
    }

    /// A checksum of all guest memory and the trailer as other processes see it.
    long segmentHash() {
        CRC32C crc = new CRC32C();
        ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20);
        try (FileChannel channel = FileChannel.open(segment)) {
            while (channel.read(buffer.clear()) >= 0) {
                crc.update(buffer.flip());
            }
            return crc.getValue() + (channel.size() << 32);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    ComparisonSetup comparison() {
        return new ComparisonSetup(binary, Accelerator.TCG, image, load, memoryBytes, 1, memoryDirectory, runDirectory);
    }

    @Override
    public void close() throws IOException {
        guests.forEach(QemuGuest::kill);
        arena.close();
        try (var children = ProcessHandle.current().children()) {
            assertThat(children.filter(p -> p.info().command().orElse("").contains("qemu"))).as("processes left")
                    .isEmpty();
        }
        assertThat(Thread.getAllStackTraces().keySet()).as("threads left")
                .noneMatch(t -> t.getName().startsWith("warm-up"));
        try (var files = Files.list(runDirectory); var memory = Files.list(memoryDirectory)) {
            assertThat(files).as("files left").allMatch(f -> f.getFileName().toString().startsWith("console"));
            assertThat(memory).as("memory left").hasSize(2);
        } finally {
            TempFiles.deleteTree(memoryDirectory);
            TempFiles.deleteTree(runDirectory);
        }
    }
}

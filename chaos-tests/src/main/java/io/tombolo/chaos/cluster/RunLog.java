package io.tombolo.chaos.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.hypervisor.RunObserver;
import io.tombolo.chaos.ChaosError;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/// Who executes when, written by the agent's own vCPU threads into a mapped file: what is in it survives a SIGKILL of
/// the process, and no hand-off or damage to the guest can change it. A few stores per stretch.
///
/// One file per process, records of 64 bytes, little endian:
///
///     0: start (0 = not written yet)   8: end (0 = none)   16: epoch   24, 32: UUID of the VM   40: VM slot   44: vCPU
///     48: pid
public final class RunLog implements RunObserver {
    private static final String PREFIX = "runs-";
    private static final int RECORD_BYTES = 64;
    private static final int RECORDS = 1 << 16;
    private static final VarHandle LONGS = MethodHandles.byteBufferViewVarHandle(long[].class,
            ByteOrder.LITTLE_ENDIAN);

    private final MappedByteBuffer records;
    private final long pid = ProcessHandle.current().pid();
    private final AtomicInteger next = new AtomicInteger();
    /// Offset of what this vCPU thread executes now.
    private final ThreadLocal<int[]> current = ThreadLocal.withInitial(() -> new int[1]);

    private RunLog(MappedByteBuffer records) {
        this.records = records;
    }

    /// Of this process.
    ///
    /// @param directory the agent's run directory
    public static RunLog create(Path directory) {
        try {
            Files.createDirectories(requireNonNull(directory, "directory is null"));
            Path file = directory.resolve(PREFIX + ProcessHandle.current().pid());
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
                    StandardOpenOption.WRITE)) {
                MappedByteBuffer map = channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) RECORDS * RECORD_BYTES);
                map.order(ByteOrder.LITTLE_ENDIAN);
                return new RunLog(map);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void begins(UUID vm, int vmSlot, int vcpu, long epoch) {
        int index = next.getAndIncrement();
        if (index >= RECORDS) {
            throw TomboloException.error(ChaosError.CHAOS_RUN_LOG, "the log of who executes when is full")
                    .fact("records", RECORDS).next("run for a shorter time").build();
        }
        int at = index * RECORD_BYTES;
        current.get()[0] = at;
        records.putLong(at + 16, epoch).putLong(at + 24, vm.getMostSignificantBits())
                .putLong(at + 32, vm.getLeastSignificantBits()).putInt(at + 40, vmSlot).putInt(at + 44, vcpu)
                .putLong(at + 48, pid);
        LONGS.setVolatile((ByteBuffer) records, at, System.nanoTime());
    }

    @Override
    public void ended(UUID vm, int vmSlot, int vcpu) {
        LONGS.setVolatile((ByteBuffer) records, current.get()[0] + 8, System.nanoTime());
    }

    /// What all processes of a host have written, in no order.
    ///
    /// @param directory the host's run directory
    public static List<RunRecord> read(Path directory, String host) {
        List<RunRecord> all = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, PREFIX + "*")) {
            for (Path file : files) {
                read(file, host, all);
            }
        } catch (NoSuchFileException _) {
            return List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }

    private static void read(Path file, String host, List<RunRecord> into) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer map = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size())
                    .order(ByteOrder.LITTLE_ENDIAN);
            for (int at = 0; at + RECORD_BYTES <= map.limit(); at += RECORD_BYTES) {
                long start = (long) LONGS.getVolatile(map, at);
                if (start != 0) {
                    into.add(new RunRecord(new UUID(map.getLong(at + 24), map.getLong(at + 32)), map.getInt(at + 40),
                            map.getInt(at + 44), host, map.getLong(at + 48), map.getLong(at + 16), start,
                            (long) LONGS.getVolatile(map, at + 8)));
                } else if (map.getLong(at + 48) == 0) {
                    return;
                }
            }
        }
    }
}

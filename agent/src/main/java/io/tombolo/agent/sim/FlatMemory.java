package io.tombolo.agent.sim;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Guest memory over one segment, without page table: what the never-moved reference runs on.
///
/// Remembers which pages were ever written, so that a comparison need not touch the rest: a page that was not written
/// is zero by construction. Not thread safe.
public final class FlatMemory implements GuestMemory, AutoCloseable {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Arena arena;
    private final MemorySegment memory;
    private final long bytes;
    private final long[] written;

    private FlatMemory(Arena arena, MemorySegment memory) {
        this.arena = arena;
        this.memory = memory;
        this.bytes = memory.byteSize();
        this.written = new long[Math.toIntExact((pages() + 63) >>> 6)];
    }

    /// Zeroed memory that costs only the pages which are written: a sparse mapping of a temporary file that has no name
    /// any more when this returns, so a killed process leaves nothing behind.
    ///
    /// @param bytes     size, a multiple of [GuestMemory#PAGE_BYTES]
    /// @param directory where the file is made; a tmpfs avoids writing it back to a disk
    public static FlatMemory sparse(long bytes, Path directory) {
        checkSize(bytes);
        try {
            Path file = Files.createTempFile(directory, "tombolo-reference", ".mem");
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                Files.delete(file);
                Arena arena = Arena.ofShared();
                return new FlatMemory(arena, channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena));
            } finally {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot map " + bytes + " bytes for a reference run", e);
        }
    }

    private static void checkSize(long bytes) {
        if (bytes <= 0 || bytes % PAGE_BYTES != 0) {
            throw new IllegalArgumentException("bytes is not a positive multiple of the page size: bytes=" + bytes);
        }
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public long getLong(long gpa) {
        check(gpa);
        return memory.get(WORD, gpa);
    }

    @Override
    public void setLong(long gpa, long value) {
        check(gpa);
        int page = (int) (gpa >>> PAGE_SHIFT);
        written[page >>> 6] |= 1L << page;
        memory.set(WORD, gpa, value);
    }

    private void check(long gpa) {
        if ((gpa & 7) != 0 || Long.compareUnsigned(gpa, bytes) >= 0) {
            throw GuestMemory.refused(gpa, bytes);
        }
    }

    /// Whether the page was ever written; one that was not is all zero.
    boolean written(long page) {
        return (written[(int) (page >>> 6)] & (1L << page)) != 0;
    }

    MemorySegment segment() {
        return memory;
    }

    @Override
    public void close() {
        arena.close();
    }
}

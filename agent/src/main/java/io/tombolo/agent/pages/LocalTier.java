package io.tombolo.agent.pages;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.LocalFrames;
import io.tombolo.region.PageSize;
import io.tombolo.region.TomboloException;
import io.tombolo.region.os.Linux;
import io.tombolo.region.os.OsException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// This host's own memory for VM pages: a file that is mapped as a whole and reserved in full, so that running out of
/// memory is an error at the start and not a fault under a guest. It lives as long as the incarnation and is removed
/// with it; nobody else maps it.
///
/// Frames are numbered in units of 4 KiB from the start of the file. A large frame is 512 of them, aligned. Blocks of
/// 512 are given to one size at a time: large frames from the top, small ones from the bottom, from blocks in use
/// first, so that whole blocks stay free.
///
/// Thread safe (one lock, taken once per batch). Taking and giving allocate nothing.
public final class LocalTier implements AutoCloseable {
    private static final int BLOCK = PageSize.LARGE.frames();
    private static final int WORDS = BLOCK / Long.SIZE;
    private static final int BASE_BYTES = PageSize.SMALL.bytes();

    private final Path file;
    private final Arena arena;
    private final MemorySegment data;
    private final int blocks;
    /// A bit per frame, 1 = taken; of a large frame all 512.
    private final long[] taken;
    /// Taken frames per block.
    private final short[] used;
    private long freeFrames;
    /// No block below it is free as a whole.
    private int lowestWhole;
    /// No block below it is in use in part.
    private int lowestPart;
    /// Blocks in use in part: there are mostly none or one, and looking for one would be a walk over all.
    private int partBlocks;

    private LocalTier(Path file, MemorySegment mapped, Arena arena) {
        this.file = file;
        this.arena = arena;
        this.data = mapped;
        this.blocks = Math.toIntExact(mapped.byteSize() / PageSize.LARGE.bytes());
        this.taken = new long[blocks * WORDS];
        this.used = new short[blocks];
        this.freeFrames = (long) blocks * BLOCK;
    }

    /// Makes and maps the file; one that is there already is of a dead incarnation and is replaced.
    ///
    /// @param bytes a positive multiple of 2 MiB
    /// @throws TomboloException LOCAL_TIER_NO_ROOM, LOCAL_TIER_UNUSABLE
    public static LocalTier open(Path file, long bytes, HugePages hugePages) {
        requireNonNull(file, "file is null");
        if (bytes <= 0 || bytes % PageSize.LARGE.bytes() != 0) {
            throw new IllegalArgumentException("not a positive multiple of 2 MiB: bytes=" + bytes);
        }
        MemorySegment mapped;
        Arena arena = Arena.ofShared();
        try {
            Files.deleteIfExists(file);
            mapped = map(file, bytes, hugePages, arena);
        } catch (IOException e) {
            arena.close();
            removeUnfinished(file, e);
            throw TomboloException.error(PagesError.LOCAL_TIER_UNUSABLE, "the local tier's file cannot be made")
                    .fact("file", file).fact("bytes", bytes).fact("reason", e.getMessage())
                    .next("check the directory of localTier in the agent's configuration").cause(e).build();
        } catch (OsException e) {
            arena.close();
            remove(file);
            throw TomboloException.error(PagesError.LOCAL_TIER_NO_ROOM, "there is no room for the local tier")
                    .fact("file", file).fact("bytes", bytes).fact("errno", e.errnoName())
                    .next("make localTier.bytes smaller, or give its file system more room").cause(e).build();
        }
        return new LocalTier(file, mapped, arena);
    }

    /// A tier over memory that somebody else has mapped and frees, for test doubles and simulation; `name` only names
    /// it in messages.
    public static LocalTier over(MemorySegment memory, Path name) {
        if (memory.byteSize() == 0 || memory.byteSize() % PageSize.LARGE.bytes() != 0) {
            throw new IllegalArgumentException("not a positive multiple of 2 MiB: bytes=" + memory.byteSize());
        }
        return new LocalTier(name, memory, null);
    }

    private static MemorySegment map(Path file, long bytes, HugePages hugePages, Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE,
                StandardOpenOption.CREATE_NEW)) {
            switch (hugePages) {
                case NONE, HUGETLBFS -> Linux.fallocate(file, 0, bytes);
                // Room taken by fallocate would be room in small pages.
                case TRANSPARENT -> channel.write(ByteBuffer.wrap(new byte[1]), bytes - 1);
            }
            MemorySegment mapped = channel.map(MapMode.READ_WRITE, 0, bytes, arena);
            if (hugePages == HugePages.TRANSPARENT) {
                Linux.madvise(mapped, Linux.MADV_HUGEPAGE);
            }
            // A first touch under a move or a guest would cost more than the copy.
            Linux.madvise(mapped, Linux.MADV_POPULATE_WRITE);
            return mapped;
        }
    }

    /// The reason for which the file was not finished is what is told.
    private static void removeUnfinished(Path file, IOException reason) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }

    private static void remove(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw TomboloException.error(PagesError.LOCAL_TIER_UNUSABLE, "the local tier's file cannot be removed")
                    .fact("file", file).fact("reason", e.getMessage()).next("remove it by hand").cause(e).build();
        }
    }

    /// The frames themselves, frame 0 first.
    public MemorySegment data() {
        return data;
    }

    public Path file() {
        return file;
    }

    public long bytes() {
        return data.byteSize();
    }

    /// Free 4 KiB frames.
    public synchronized long freeFrames() {
        return freeFrames;
    }

    /// Free frames of a size: of large ones, the blocks that are free as a whole.
    public synchronized long freeFrames(PageSize size) {
        if (size == PageSize.SMALL) {
            return freeFrames;
        }
        long whole = 0;
        for (short count : used) {
            whole += count == 0 ? 1 : 0;
        }
        return whole;
    }

    /// Takes up to `count` frames; returns how many it got. What is in them is whatever was there.
    public synchronized int take(PageSize size, int count, long[] frames) {
        int got = 0;
        if (size == PageSize.LARGE) {
            for (int block = blocks - 1; block >= 0 && got < count; block--) {
                if (used[block] == 0) {
                    mark(block, -1L);
                    used[block] = (short) BLOCK;
                    freeFrames -= BLOCK;
                    frames[got++] = (long) block * BLOCK;
                }
            }
            return got;
        }
        while (got < count) {
            int block = openBlock();
            if (block == blocks) {
                break;
            }
            while (got < count && used[block] < BLOCK) {
                frames[got++] = takeSmall(block);
            }
        }
        return got;
    }

    /// The lowest block that is in use in part, else the lowest that is free; `blocks` if there is none.
    private int openBlock() {
        if (partBlocks > 0) {
            while (used[lowestPart] == 0 || used[lowestPart] == BLOCK) {
                lowestPart++;
            }
            return lowestPart;
        }
        while (lowestWhole < blocks && used[lowestWhole] != 0) {
            lowestWhole++;
        }
        lowestPart = lowestWhole;
        return lowestWhole;
    }

    private long takeSmall(int block) {
        int word = block * WORDS;
        while (taken[word] == -1L) {
            word++;
        }
        int bit = Long.numberOfTrailingZeros(~taken[word]);
        taken[word] |= 1L << bit;
        count(block, 1);
        return (long) word * Long.SIZE + bit;
    }

    /// One small frame more, or less, is taken.
    private void count(int block, int change) {
        boolean was = used[block] > 0 && used[block] < BLOCK;
        used[block] += (short) change;
        boolean is = used[block] > 0 && used[block] < BLOCK;
        partBlocks += (is ? 1 : 0) - (was ? 1 : 0);
        freeFrames -= change;
    }

    private void mark(int block, long bits) {
        for (int i = 0; i < WORDS; i++) {
            taken[block * WORDS + i] = bits;
        }
    }

    /// Gives frames back that were taken with the same size.
    ///
    /// @throws IllegalStateException if one is not taken, or is no frame of that size; those before it are given back
    public synchronized void give(PageSize size, long[] frames, int count) {
        for (int i = 0; i < count; i++) {
            if (frames[i] < 0 || frames[i] >= (long) blocks * BLOCK || frames[i] % size.frames() != 0) {
                throw new IllegalStateException("there is no local frame " + frames[i] + " of that size: " + size);
            }
            int block = (int) (frames[i] / BLOCK);
            int word = (int) (frames[i] / Long.SIZE);
            long bit = 1L << frames[i] % Long.SIZE;
            if ((taken[word] & bit) == 0 || (size == PageSize.LARGE && used[block] != BLOCK)) {
                throw new IllegalStateException("local frame " + frames[i] + " is not taken");
            }
            if (size == PageSize.LARGE) {
                mark(block, 0);
                used[block] = 0;
                freeFrames += BLOCK;
            } else {
                taken[word] &= ~bit;
                count(block, -1);
            }
            if (used[block] == 0) {
                lowestWhole = Math.min(lowestWhole, block);
            } else {
                lowestPart = Math.min(lowestPart, block);
            }
        }
    }

    /// This tier as the memory of new VMs: frames come out zeroed.
    public LocalFrames zeroed() {
        return new LocalFrames() {
            @Override
            public int take(PageSize size, int count, long[] frames) {
                int got = LocalTier.this.take(size, count, frames);
                for (int i = 0; i < got; i++) {
                    data.asSlice(frames[i] * BASE_BYTES, size.bytes()).fill((byte) 0);
                }
                return got;
            }

            @Override
            public void give(PageSize size, long[] frames, int count) {
                LocalTier.this.give(size, frames, count);
            }
        };
    }

    /// Unmaps and removes the file. No thread uses the tier any more.
    @Override
    public void close() {
        if (arena != null) {
            arena.close();
            remove(file);
        }
    }
}

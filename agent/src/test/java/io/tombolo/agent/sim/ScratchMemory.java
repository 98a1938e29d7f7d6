package io.tombolo.agent.sim;

import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.Tier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/// A page table and frames of its own, outside any region, with the pages scattered over the frames: for warming up
/// and for tests. Small sizes only; all of it is allocated.
final class ScratchMemory implements AutoCloseable {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Arena arena = Arena.ofShared();
    private final MemorySegment table;
    private final MemorySegment data;
    private final PagedMemory memory;

    ScratchMemory(long bytes, long seed) {
        this(bytes, seed, PageFaultHandler.NO_MOVER);
    }

    ScratchMemory(long bytes, long seed, PageFaultHandler faults) {
        int pages = Math.toIntExact(bytes / GuestMemory.PAGE_BYTES);
        table = arena.allocate(bytes / GuestMemory.PAGE_BYTES * Long.BYTES, 64);
        data = arena.allocate(bytes, GuestMemory.PAGE_BYTES);
        SplittableRandom random = new SplittableRandom(seed);
        int[] frames = new int[pages];
        for (int page = 0; page < pages; page++) {
            int other = random.nextInt(page + 1);
            frames[page] = frames[other];
            frames[other] = page;
        }
        for (int page = 0; page < pages; page++) {
            entry(page, present(frames[page]));
        }
        memory = new PagedMemory(bytes, table, data, faults);
    }

    /// An entry as the region writes it for a page that is in a frame.
    static long present(long frame) {
        return PageTableEntry.pack(PteState.PRESENT, Tier.SHARED, frame, 1, 0);
    }

    PagedMemory memory() {
        return memory;
    }

    void entry(long page, long word) {
        WORD.varHandle().setRelease(table, page * Long.BYTES, word);
    }

    long entry(long page) {
        return (long) WORD.varHandle().getAcquire(table, page * Long.BYTES);
    }

    MemorySegment data() {
        return data;
    }

    @Override
    public void close() {
        arena.close();
    }
}

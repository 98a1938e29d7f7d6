package io.tombolo.agent.pages;

import static java.util.Objects.requireNonNull;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.atomic.LongAdder;

/// The one class through which anything but a vCPU loads or stores guest memory: it counts every byte. "Zero copy" is
/// the difference of two readings of this counter, taken before PREPARE and after COMMIT.
///
/// Thread safe; readings are exact once the copying threads have finished, or have settled.
public final class GuestCopier {
    private static final int PAGE_BYTES = 4096;
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final MemorySegment ZERO_PAGE = MemorySegment.ofArray(new byte[PAGE_BYTES]).asReadOnly();

    private final LongAdder loaded = new LongAdder();
    private final LongAdder stored = new LongAdder();
    private final LongAdder touched = new LongAdder();

    /// For one thread that moves many pages: counts in a field of its own, and into this copier by [Mover#settle].
    public final class Mover {
        private long bytes;
        // Written so that the looks are made.
        @SuppressWarnings("UnusedVariable")
        private long looked;

        private Mover() {
        }

        /// Copies guest memory to guest memory: counted as loaded and as stored.
        public void move(MemorySegment from, long fromOffset, MemorySegment to, long toOffset, long count) {
            MemorySegment.copy(from, fromOffset, to, toOffset, count);
            bytes += count;
        }

        /// Looks at the first word of each of the pages that are about to be moved: the misses of all of them overlap,
        /// where those at the heads of copies would come one after the other.
        void look(MemorySegment from, long[] fromOffsets, int count) {
            long sum = 0;
            for (int i = 0; i < count; i++) {
                sum += from.get(WORD, fromOffsets[i]);
            }
            looked = sum;
        }

        /// Adds what was counted since the last time.
        public void settle() {
            loaded.add(bytes);
            stored.add(bytes);
            touched.add(bytes);
            bytes = 0;
        }
    }

    /// For one thread that moves pages.
    public Mover mover() {
        return new Mover();
    }

    /// Copies guest memory to memory of the agent.
    public void load(MemorySegment guest, long guestOffset, MemorySegment to, long toOffset, long bytes) {
        MemorySegment.copy(guest, guestOffset, to, toOffset, bytes);
        loaded.add(bytes);
        touched.add(bytes);
    }

    /// Copies memory of the agent to guest memory.
    public void store(MemorySegment from, long fromOffset, MemorySegment guest, long guestOffset, long bytes) {
        MemorySegment.copy(from, fromOffset, guest, guestOffset, bytes);
        stored.add(bytes);
        touched.add(bytes);
    }

    /// Offset of the first byte in which a guest page differs from `expected`, -1 if none does.
    public long pageMismatch(MemorySegment guest, long guestOffset, MemorySegment expected, long expectedOffset) {
        requireNonNull(expected, "expected is null");
        loaded.add(PAGE_BYTES);
        touched.add(PAGE_BYTES);
        return MemorySegment.mismatch(guest, guestOffset, guestOffset + PAGE_BYTES, expected,
                expectedOffset,
                expectedOffset + PAGE_BYTES);
    }

    /// Offset of the first byte of a guest page that is not zero, -1 if all are.
    public long pageNotZero(MemorySegment guest, long guestOffset) {
        return pageMismatch(guest, guestOffset, ZERO_PAGE, 0);
    }

    public long bytesLoaded() {
        return loaded.sum();
    }

    public long bytesStored() {
        return stored.sum();
    }

    /// Loaded or stored by anything but a vCPU, a byte that went from guest memory to guest memory counted once: the
    /// figure `bytesCopied` of a report.
    public long bytesCopied() {
        return touched.sum();
    }
}

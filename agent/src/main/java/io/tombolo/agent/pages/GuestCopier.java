package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.LongAdder;

/// The one class through which anything but a vCPU loads or stores guest memory: it counts every byte. "Zero copy" is
/// the difference of two readings of this counter, taken before PREPARE and after COMMIT.
///
/// Thread safe; readings are exact once the copying threads have finished.
public final class GuestCopier {
    private static final MemorySegment ZERO_PAGE = MemorySegment.ofArray(new byte[GuestMemory.PAGE_BYTES]).asReadOnly();

    private final LongAdder loaded = new LongAdder();
    private final LongAdder stored = new LongAdder();
    private final LongAdder touched = new LongAdder();

    /// Copies guest memory to guest memory: counted as loaded and as stored.
    public void move(MemorySegment from, long fromOffset, MemorySegment to, long toOffset, long bytes) {
        MemorySegment.copy(from, fromOffset, to, toOffset, bytes);
        loaded.add(bytes);
        stored.add(bytes);
        touched.add(bytes);
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
    long pageMismatch(MemorySegment guest, long guestOffset, MemorySegment expected, long expectedOffset) {
        requireNonNull(expected, "expected is null");
        loaded.add(GuestMemory.PAGE_BYTES);
        touched.add(GuestMemory.PAGE_BYTES);
        return MemorySegment.mismatch(guest, guestOffset, guestOffset + GuestMemory.PAGE_BYTES, expected,
                expectedOffset,
                expectedOffset + GuestMemory.PAGE_BYTES);
    }

    /// Offset of the first byte of a guest page that is not zero, -1 if all are.
    long pageNotZero(MemorySegment guest, long guestOffset) {
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

package io.tombolo.agent.sim;

/// The two facts of a page-table entry that the hot path needs, as constants that fold into the access: state and tier
/// in one compare, and the frame as a byte offset in one mask and one shift.
///
///     63    60 59   56 55                    20 19      4 3     0
///     | state | tier  | frame                  | tag     | flags |
final class PteBits {
    static final int KIND_SHIFT = 56;
    /// State PRESENT (1) and tier SHARED (0).
    static final long PRESENT_SHARED = 0x10;
    private static final long FRAME_MASK = ((1L << 36) - 1) << 20;

    private PteBits() {
    }

    static long frameOffset(long entry) {
        return (entry & FRAME_MASK) >>> (20 - GuestMemory.PAGE_SHIFT);
    }

    /// An entry that is present in the shared tier, as the region writes it; for scratch memory.
    static long present(long frame) {
        return (PRESENT_SHARED << KIND_SHIFT) | (frame << 20);
    }
}

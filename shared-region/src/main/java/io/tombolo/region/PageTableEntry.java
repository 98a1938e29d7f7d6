package io.tombolo.region;

/// Codec of a page table entry: state 4 bits (63..60), tier 4 (59..56), frame 36 (55..20), change tag 16 (19..4), flags
/// 4 (3..0). The tag goes up by one at each change of state, so that a mover that slept cannot take an entry for the
/// one it knew. A frame
/// number counts 4 KiB frames; that of a 2 MiB page is the first of its 512. The hot path of a guest access is: `(pte
/// >>> 56) == PRESENT_SHARED` and `frame(pte) * 4096 + offset in page`.
public final class PageTableEntry {
    /// `pte >>> 56` of an entry that is PRESENT in the SHARED tier: one compare on the hot path.
    public static final long PRESENT_SHARED = 0x10;
    /// `pte >>> 56` of an entry that is PRESENT in the LOCAL tier of the owner.
    public static final long PRESENT_LOCAL = 0x11;
    /// Bits to shift to get the frame number.
    public static final int FRAME_SHIFT = 20;

    private static final int TAG_SHIFT = 4;
    private static final long TAG_MASK = 0xFFFFL << TAG_SHIFT;
    private static final long FRAME_MASK = (1L << 36) - 1;

    private PageTableEntry() {
    }

    public static long pack(PteState state, Tier tier, long frame, int tag, int flags) {
        return (long) state.code() << 60 | (long) tier.code() << 56 | Bits.checked(frame, 36, "frame") << FRAME_SHIFT
                | Bits.checked(tag, 16, "tag") << 4 | Bits.checked(flags, 4, "flags");
    }

    /// The state, or null for a code that no state has (damage).
    public static PteState state(long entry) {
        return PteState.ofCode((int) (entry >>> 60));
    }

    /// The tier, or null for a code that no tier has (damage).
    public static Tier tier(long entry) {
        return Tier.ofCode((int) (entry >>> 56) & 0xF);
    }

    public static boolean isPresentShared(long entry) {
        return entry >>> 56 == PRESENT_SHARED;
    }

    /// Whether the page may be used, in whichever tier it is.
    public static boolean isPresent(long entry) {
        return entry >>> 57 == PRESENT_SHARED >>> 1;
    }

    public static long frame(long entry) {
        return entry >>> FRAME_SHIFT & FRAME_MASK;
    }

    public static int tag(long entry) {
        return (int) (entry >>> 4) & 0xFFFF;
    }

    public static int flags(long entry) {
        return (int) entry & 0xF;
    }

    /// The tag that follows this entry's; wraps at 16 bits.
    public static int nextTag(long entry) {
        return tag(entry) + 1 & 0xFFFF;
    }

    /// The entry in another state, with the next tag.
    public static long with(long entry, PteState state) {
        return (entry & ~(0xFL << 60 | TAG_MASK)) | (long) state.code() << 60 | (long) nextTag(entry) << TAG_SHIFT;
    }

    /// The entry of a page that is in another frame now, PRESENT, with the next tag.
    public static long moved(long entry, Tier tier, long frame) {
        return (long) PteState.PRESENT.code() << 60 | (long) tier.code() << 56
                | Bits.checked(frame, 36, "frame") << FRAME_SHIFT | (long) nextTag(entry) << TAG_SHIFT | flags(entry);
    }

    /// For people: `PRESENT SHARED frame 12 tag 3 flags 0`.
    public static String describe(long entry) {
        PteState state = state(entry);
        Tier tier = tier(entry);
        return (state == null ? "illegal state " + (entry >>> 60) : state.name()) + " "
                + (tier == null ? "illegal tier" : tier.name()) + " frame " + frame(entry) + " tag " + tag(entry)
                + " flags "
                + flags(entry);
    }
}

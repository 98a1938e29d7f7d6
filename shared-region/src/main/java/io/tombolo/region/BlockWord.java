package io.tombolo.region;

/// Codec of a block owner word (one per 512 frames), four states in bits 63..60:
///
/// | code | state | rest |
/// |---:|---|---|
/// | 0 | FREE | zero |
/// | 1 | OWNED | host slot 12 (59..48), low 48 bits of the incarnation (47..0) |
/// | 2 | LARGE_RESERVED | host slot 12 (59..48), VM slot 16 (47..32), page 32 (31..0) |
/// | 3 | LARGE_USED | VM slot 16 (47..32), page 32 (31..0) |
///
/// Only the owner of a block takes free frames of it; frames in use may be in anybody's block, or in a free one. What a
/// recovery has to look at is therefore the blocks of the dead incarnation, the blocks that its slot has reserved
/// whole, and nothing else. A LARGE block is one 2 MiB frame: its 512 frame words are FREE and nobody takes them,
/// because nobody owns it.
public final class BlockWord {
    /// The word of a block without an owner.
    public static final long FREE = 0;
    /// Frames in a block.
    public static final int FRAMES = 512;

    private static final int OWNED = 1;
    private static final int LARGE_RESERVED = 2;
    private static final int LARGE_USED = 3;
    private static final long INCARNATION_MASK = (1L << 48) - 1;

    private BlockWord() {
    }

    public static long owned(int slot, long incarnation) {
        return (long) OWNED << 60 | Bits.checked(slot, 12, "slot") << 48 | (incarnation & INCARNATION_MASK);
    }

    /// The whole block is taken by a host for one 2 MiB page, and the page's entry decides whether it backs it.
    public static long largeReserved(int slot, int vm, long page) {
        return (long) LARGE_RESERVED << 60 | Bits.checked(slot, 12, "slot") << 48 | Bits.checked(vm, 16, "vm") << 32
                | Bits.checked(page, 32, "page");
    }

    /// The whole block backs one 2 MiB page.
    public static long largeUsed(int vm, long page) {
        return (long) LARGE_USED << 60 | Bits.checked(vm, 16, "vm") << 32 | Bits.checked(page, 32, "page");
    }

    public static boolean isOwned(long word) {
        return word >>> 60 == OWNED;
    }

    public static boolean isLargeReserved(long word) {
        return word >>> 60 == LARGE_RESERVED;
    }

    public static boolean isLargeUsed(long word) {
        return word >>> 60 == LARGE_USED;
    }

    /// True if the block is one 2 MiB frame, reserved or in use.
    public static boolean isLarge(long word) {
        return isLargeReserved(word) || isLargeUsed(word);
    }

    /// Host slot of a block that is OWNED or LARGE_RESERVED; else 0 in a sound word.
    public static int slot(long word) {
        return (int) (word >>> 48) & 0xFFF;
    }

    /// Incarnation of an OWNED block.
    public static long incarnation(long word) {
        return word & INCARNATION_MASK;
    }

    /// VM slot of a LARGE block.
    public static int vm(long word) {
        return (int) (word >>> 32) & 0xFFFF;
    }

    /// Page of a LARGE block.
    public static long page(long word) {
        return word & 0xFFFF_FFFFL;
    }

    /// For people: `owned by host 2 incarnation 7`.
    public static String describe(long word) {
        return switch ((int) (word >>> 60)) {
            case 0 -> word == FREE ? "free" : "illegal free " + SuperblockReader.hex(word);
            case OWNED -> "owned by host " + slot(word) + " incarnation " + incarnation(word);
            case LARGE_RESERVED -> "LARGE_RESERVED host " + slot(word) + " vm " + vm(word) + " page " + page(word);
            case LARGE_USED -> "LARGE_USED host " + slot(word) + " vm " + vm(word) + " page " + page(word);
            default -> "illegal state " + (word >>> 60) + " host " + slot(word) + " incarnation " + incarnation(word);
        };
    }
}

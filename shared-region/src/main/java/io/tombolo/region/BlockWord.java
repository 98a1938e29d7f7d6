package io.tombolo.region;

/// Codec of a block owner word (one per 512 frames): state 4 bits (63..60; 0 free, 1 owned), host slot 12 (59..48), low
/// 48 bits of the incarnation (47..0). Only the owner of a block takes free frames of it; frames in use may be in
/// anybody's block, or in a free one. What a recovery has to look at is therefore the blocks of the dead incarnation
/// and nothing else.
public final class BlockWord {
    /// The word of a block without an owner.
    public static final long FREE = 0;
    /// Frames in a block.
    public static final int FRAMES = 512;

    private static final long INCARNATION_MASK = (1L << 48) - 1;

    private BlockWord() {
    }

    public static long owned(int slot, long incarnation) {
        return 1L << 60 | Bits.checked(slot, 12, "slot") << 48 | (incarnation & INCARNATION_MASK);
    }

    public static boolean isOwned(long word) {
        return word >>> 60 == 1;
    }

    public static int slot(long word) {
        return (int) (word >>> 48) & 0xFFF;
    }

    public static long incarnation(long word) {
        return word & INCARNATION_MASK;
    }

    /// For people: `owned by host 2 incarnation 7`.
    public static String describe(long word) {
        if (word == FREE) {
            return "free";
        }
        return (isOwned(word) ? "owned by host " : "illegal state " + (word >>> 60) + " host ") + slot(word)
                + " incarnation "
                + incarnation(word);
    }
}

package io.tombolo.region;

/// Codec of the commit word of a VM slot: protected 1 bit (63), metadata slot 1 (62), owner epoch, its low 22 bits
/// (61..40), interval 40 (39..0). Zero: the VM is not protected.
///
/// The word is the one point at which an interval becomes what a takeover goes back to, so it is changed by
/// compare-and-set only: by the owner from the word that it wrote or found when it got the VM, and by a takeover, which
/// seals it by putting its own epoch in. The epoch's low bits are enough for that: what matters is that they differ
/// from those of the owner before.
public final class CommitWord {
    /// The VM is not protected.
    public static final long NONE = 0;
    /// The greatest interval: 174 years of intervals of 5 ms.
    public static final long INTERVAL_MAX = (1L << 40) - 1;

    private static final long PROTECTED = 1L << 63;
    private static final int SLOT_SHIFT = 62;
    private static final int EPOCH_SHIFT = 40;
    private static final long EPOCH_MASK = (1L << 22) - 1;

    private CommitWord() {
    }

    /// `interval` is the last one that is committed; 0 is none.
    public static long pack(long epoch, long interval, int slot) {
        return PROTECTED | Bits.checked(slot, 1, "slot") << SLOT_SHIFT | (epoch & EPOCH_MASK) << EPOCH_SHIFT
                | Bits.checked(interval, 40, "interval");
    }

    public static boolean isProtected(long word) {
        return (word & PROTECTED) != 0;
    }

    /// The metadata slot with the committed state.
    public static int slot(long word) {
        return (int) (word >>> SLOT_SHIFT) & 1;
    }

    /// The last committed interval; those up to it are over for ever.
    public static long interval(long word) {
        return word & INTERVAL_MAX;
    }

    /// Low 22 bits of the epoch of who wrote the word.
    public static long epochBits(long word) {
        return word >>> EPOCH_SHIFT & EPOCH_MASK;
    }

    /// The same word with another epoch: no compare-and-set of an earlier owner succeeds on it.
    public static long sealed(long word, long epoch) {
        return (word & ~(EPOCH_MASK << EPOCH_SHIFT)) | (epoch & EPOCH_MASK) << EPOCH_SHIFT;
    }

    /// True if the word is one that the format knows.
    static boolean isLegal(long word) {
        return word == NONE || isProtected(word);
    }

    /// For people: `interval 17 in slot 0 by epoch 3`.
    public static String describe(long word) {
        return word == NONE
                ? "not protected"
                : (isProtected(word) ? "" : "illegal " + SuperblockReader.hex(word) + " ") + "interval "
                        + interval(word) + " in slot " + slot(word) + " by epoch " + epochBits(word);
    }
}

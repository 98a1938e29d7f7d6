package io.tombolo.region;

/// Codec of a word that names an owner in doubt: host slot 12 bits (63..52), incarnation, its low 36 bits (51..16), low
/// 16 bits of an epoch (15..0). An incarnation is never 0, so a word whose incarnation is 0 names nobody.
///
/// Incarnations count up by one at each claim of a slot; 36 bits of them are never used up.
public final class DoubtWord {
    /// A place that is not in use.
    public static final long NONE = 0;

    private static final long INCARNATION_MASK = (1L << 36) - 1;
    private static final long EPOCH_MASK = 0xFFFF;

    private DoubtWord() {
    }

    /// `epoch` is that of the owner word by which the VM was taken from this incarnation.
    public static long pack(int slot, long incarnation, long epoch) {
        return Bits.checked(slot, 12, "slot") << 52 | (incarnation & INCARNATION_MASK) << 16
                | (epoch & EPOCH_MASK);
    }

    /// Nobody was in doubt when the VM was taken over at that epoch.
    static long nobody(long epoch) {
        return epoch & EPOCH_MASK;
    }

    public static boolean namesSomebody(long word) {
        return incarnation(word) != 0;
    }

    public static int slot(long word) {
        return (int) (word >>> 52) & 0xFFF;
    }

    /// Low 36 bits of the incarnation.
    public static long incarnation(long word) {
        return word >>> 16 & INCARNATION_MASK;
    }

    /// Whether the word was written for a takeover that made this epoch.
    static boolean isOf(long word, long epoch) {
        return (word & EPOCH_MASK) == (epoch & EPOCH_MASK);
    }

    /// Whether the slot's present word is of the incarnation that is named.
    static boolean sameIncarnation(long word, long slotWord) {
        return (SlotWord.incarnation(slotWord) & INCARNATION_MASK) == incarnation(word);
    }

    /// For people: `host 3 incarnation 7`.
    public static String describe(long word) {
        return namesSomebody(word) ? "host " + slot(word) + " incarnation " + incarnation(word) : "nobody";
    }
}

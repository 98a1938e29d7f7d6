package io.tombolo.region;

/// Codec of the armed word and the spin word of a VM slot: intent sequence 36 bits (63..28), target host slot 12
/// (27..16), low 16 bits of the epoch (15..0). Zero means not armed, so an intent sequence starts at 1.
public final class ArmedWord {
    /// Not armed.
    public static final long NONE = 0;
    /// The last intent sequence.
    public static final long INTENT_MAX = (1L << 36) - 1;

    private ArmedWord() {
    }

    public static long pack(long intentSeq, int target, long epoch) {
        if (intentSeq == 0) {
            throw new IllegalArgumentException("intent sequence 0 means not armed");
        }
        return Bits.checked(intentSeq, 36, "intent sequence") << 28 | Bits.checked(target, 12, "target") << 16
                | (epoch & 0xFFFF);
    }

    public static long intentSeq(long word) {
        return word >>> 28;
    }

    public static int target(long word) {
        return (int) (word >>> 16) & 0xFFF;
    }

    public static int epochLow(long word) {
        return (int) word & 0xFFFF;
    }

    /// For people: `intent 5 to host 2 epoch …17`.
    public static String describe(long word) {
        return word == NONE
                ? "none"
                : "intent " + intentSeq(word) + " to host " + target(word) + " epoch mod 65536 " + epochLow(word);
    }
}

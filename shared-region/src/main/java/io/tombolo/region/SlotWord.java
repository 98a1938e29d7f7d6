package io.tombolo.region;

/// Codec of the word of a host slot: state 4 bits (63..60), incarnation 60 (59..0). The incarnation is the slot's own
/// counter,
/// +1 at each claim; it never repeats.
public final class SlotWord {
    /// The last incarnation; a slot that has reached it is never claimed again.
    public static final long INCARNATION_MAX = (1L << 48) - 1;

    private static final long MASK = (1L << 60) - 1;

    private SlotWord() {
    }

    public static long pack(HostState state, long incarnation) {
        return (long) state.code() << 60 | Bits.checked(incarnation, 60, "incarnation");
    }

    /// The state, or null for a code that no state has (damage).
    public static HostState state(long word) {
        return HostState.ofCode((int) (word >>> 60));
    }

    public static long incarnation(long word) {
        return word & MASK;
    }

    /// For people: `LIVE incarnation 4`.
    public static String describe(long word) {
        HostState state = state(word);
        return (state == null ? "illegal state " + (word >>> 60) : state.name()) + " incarnation " + incarnation(word);
    }
}

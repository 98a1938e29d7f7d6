package io.tombolo.region;

/// Codec of a frame word: state 4 bits (63..60), host slot 12 (59..48), VM slot 16 (47..32), page 32 (31..0). The host
/// slot is zero unless the state is RESERVED, so that a used frame does not keep a host slot from being freed. FREE is
/// the word zero.
public final class FrameWord {
    /// The word of a free frame.
    public static final long FREE = 0;

    private FrameWord() {
    }

    public static long pack(FrameState state, int slot, int vm, long page) {
        return (long) state.code() << 60 | Bits.checked(slot, 12, "slot") << 48 | Bits.checked(vm, 16, "vm") << 32
                | Bits.checked(page, 32, "page");
    }

    public static long reserved(int slot, int vm, long page) {
        return pack(FrameState.RESERVED, slot, vm, page);
    }

    public static long used(int vm, long page) {
        return pack(FrameState.USED, 0, vm, page);
    }

    /// Word of the frame at position `index` of the VM's page table.
    public static long table(int vm, long index) {
        return pack(FrameState.TABLE, 0, vm, index);
    }

    /// Word of a frame with what the page held before, or that is spare and was last of that page.
    public static long preimage(int vm, long page) {
        return pack(FrameState.PREIMAGE, 0, vm, page);
    }

    /// The state, or null for a code that no state has (damage).
    public static FrameState state(long word) {
        return FrameState.ofCode((int) (word >>> 60));
    }

    public static int slot(long word) {
        return (int) (word >>> 48) & 0xFFF;
    }

    public static int vm(long word) {
        return (int) (word >>> 32) & 0xFFFF;
    }

    public static long page(long word) {
        return word & 0xFFFF_FFFFL;
    }

    /// For people: `USED vm 3 page 17`.
    public static String describe(long word) {
        FrameState state = state(word);
        if (word == FREE) {
            return "FREE";
        }
        String name = state == null ? "illegal state " + (word >>> 60) : state.name();
        return name + " host " + slot(word) + " vm " + vm(word) + " page " + page(word);
    }
}

package io.tombolo.region;

/// Codec of the owner word of a VM slot: state 4 bits (63..60), host slot 12 (59..48), epoch 48 (47..0). The epoch is
/// the fencing token; it never decreases, also not when the VM is destroyed and the slot is used again. At 400,000
/// changes a second 48 bits last 22 years. A word of zero is FREE at epoch 0.
public final class OwnerWord {
    /// The last epoch; a change that would go beyond it is refused.
    public static final long EPOCH_MAX = (1L << 48) - 1;
    /// Host slots are 0 to 4094.
    public static final int SLOT_MAX = 4094;

    private OwnerWord() {
    }

    public static long pack(OwnerState state, int slot, long epoch) {
        return (long) state.code() << 60 | Bits.checked(slot, 12, "slot") << 48 | Bits.checked(epoch, 48, "epoch");
    }

    /// The state, or null for a code that no state has (damage).
    public static OwnerState state(long word) {
        return OwnerState.ofCode((int) (word >>> 60));
    }

    /// True if the state is `state`; no allocation and no table.
    public static boolean is(long word, OwnerState state) {
        return (int) (word >>> 60) == state.code();
    }

    public static int slot(long word) {
        return (int) (word >>> 48) & 0xFFF;
    }

    public static long epoch(long word) {
        return word & EPOCH_MAX;
    }

    /// The epoch after this one; throws [RegionError#REGION_EPOCH_EXHAUSTED] at the maximum.
    public static long nextEpoch(long word) {
        long epoch = epoch(word);
        if (epoch == EPOCH_MAX) {
            throw TomboloException
                    .error(RegionError.REGION_EPOCH_EXHAUSTED, "the epoch of the VM slot is at its maximum")
                    .fact("owner", describe(word)).next("use another VM slot; this one is never used again").build();
        }
        return epoch + 1;
    }

    /// For people: `RUNNING host 3 epoch 17`.
    public static String describe(long word) {
        OwnerState state = state(word);
        String name = state == null ? "illegal state " + (word >>> 60) : state.name();
        return name + " host " + slot(word) + " epoch " + epoch(word);
    }
}

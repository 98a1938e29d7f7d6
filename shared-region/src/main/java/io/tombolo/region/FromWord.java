package io.tombolo.region;

/// Codec of the from word of a VM slot: host slot 12 bits (59..48), epoch 48 (47..0). It gives the named host the right
/// to take the VM back from OFFERED, and only at exactly the named epoch: any later change of the owner word withdraws
/// it. Zero is nobody (no offer ever happens at epoch 0).
public final class FromWord {
    /// Nobody may take back.
    public static final long NONE = 0;

    private FromWord() {
    }

    /// `epoch` is the epoch of the OFFERED word that this right belongs to.
    public static long pack(int slot, long epoch) {
        return Bits.checked(slot, 12, "slot") << 48 | Bits.checked(epoch, 48, "epoch");
    }

    public static int slot(long word) {
        return (int) (word >>> 48) & 0xFFF;
    }

    public static long epoch(long word) {
        return word & OwnerWord.EPOCH_MAX;
    }

    /// True if `slot` may take the VM back while its owner word is `owner`.
    public static boolean allows(long from, int slot, long owner) {
        return from != NONE && OwnerWord.is(owner, OwnerState.OFFERED) && slot(from) == slot
                && epoch(from) == OwnerWord.epoch(owner);
    }

    /// For people: `host 3 at epoch 9`.
    public static String describe(long word) {
        return word == NONE ? "none" : "host " + slot(word) + " at epoch " + epoch(word);
    }
}

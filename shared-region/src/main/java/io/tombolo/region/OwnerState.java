package io.tombolo.region;

/// State of a VM slot's owner word. The transition table is the whole hand-off, pause, destroy and takeover protocol
/// seen from the word: what is not in it throws in [VmSlot#compareAndSetOwner].
///
/// ```text
/// FREE -> CREATING -> RUNNING <-> PAUSED          OFFERED -> RUNNING (by the target, or +1 taken back)
///              |          |                          |  ^
///              v          v                          v  | +1 given back
///          DESTROYING <---+                        CLAIMED -> RUNNING
///              |                  RUNNING, CLAIMED, LOST -> RECOVERING (+1) -> RUNNING | LOST
///              v                  OFFERED, PAUSED -> RESTORING (+1) -> RUNNING | PAUSED | LOST
///            FREE
/// ```
public enum OwnerState {
    /// Nobody's; the epoch stays.
    FREE(0),
    /// The named host is building the VM.
    CREATING(1),
    /// The named host executes the VM, or may.
    RUNNING(2),
    /// Published for the named host, which may only read until it claims or runs; the source may take it back.
    OFFERED(3),
    /// The named host is loading; only it, or a takeover, can give the VM to somebody else.
    CLAIMED(4),
    /// The named host takes over a VM whose owner executed it, or may have: its memory may be ahead of every saved
    /// state.
    RECOVERING(5),
    /// Owned and not executing.
    PAUSED(6),
    /// The named host gives the VM's frames back.
    DESTROYING(7),
    /// Not resumable; kept until somebody destroys it.
    LOST(8),
    /// The named host takes over a VM that was stopped with its state saved: nobody has executed it since.
    RESTORING(9);

    private static final OwnerState[] BY_CODE = values();
    private static final int SAME_SLOT_SAME_EPOCH = 1;
    private static final int SAME_SLOT_NEXT_EPOCH = 2;
    private static final int OTHER_SLOT_NEXT_EPOCH = 4;
    private static final int TO_FREE = 8;
    private static final byte[] TABLE = new byte[16 * 16];

    static {
        for (int code = 0; code < BY_CODE.length; code++) {
            if (BY_CODE[code].code != code) {
                throw new ExceptionInInitializerError("code of " + BY_CODE[code] + " is not its position");
            }
        }
        int anySlotNextEpoch = SAME_SLOT_NEXT_EPOCH | OTHER_SLOT_NEXT_EPOCH;
        allow(FREE, CREATING, anySlotNextEpoch);
        allow(CREATING, RUNNING, SAME_SLOT_SAME_EPOCH);
        allow(CREATING, PAUSED, SAME_SLOT_SAME_EPOCH);
        allow(CREATING, DESTROYING, anySlotNextEpoch);
        allow(RUNNING, RUNNING, SAME_SLOT_NEXT_EPOCH);
        allow(RUNNING, PAUSED, SAME_SLOT_NEXT_EPOCH);
        allow(PAUSED, RUNNING, SAME_SLOT_NEXT_EPOCH);
        allow(RUNNING, OFFERED, OTHER_SLOT_NEXT_EPOCH);
        allow(OFFERED, RUNNING, SAME_SLOT_SAME_EPOCH | OTHER_SLOT_NEXT_EPOCH);
        allow(OFFERED, CLAIMED, SAME_SLOT_SAME_EPOCH);
        allow(OFFERED, OFFERED, anySlotNextEpoch);
        allow(CLAIMED, RUNNING, SAME_SLOT_SAME_EPOCH);
        allow(CLAIMED, OFFERED, OTHER_SLOT_NEXT_EPOCH);
        for (OwnerState from : new OwnerState[]{RUNNING, CLAIMED, RECOVERING, LOST}) {
            allow(from, RECOVERING, anySlotNextEpoch);
        }
        for (OwnerState from : new OwnerState[]{PAUSED, OFFERED, RESTORING}) {
            allow(from, RESTORING, anySlotNextEpoch);
        }
        for (OwnerState from : new OwnerState[]{RECOVERING, RESTORING}) {
            allow(from, RUNNING, SAME_SLOT_SAME_EPOCH);
            allow(from, PAUSED, SAME_SLOT_SAME_EPOCH);
            allow(from, LOST, SAME_SLOT_SAME_EPOCH);
            allow(from, DESTROYING, SAME_SLOT_NEXT_EPOCH);
        }
        allow(RUNNING, DESTROYING, SAME_SLOT_NEXT_EPOCH);
        allow(PAUSED, DESTROYING, SAME_SLOT_NEXT_EPOCH);
        allow(LOST, DESTROYING, anySlotNextEpoch);
        allow(DESTROYING, DESTROYING, OTHER_SLOT_NEXT_EPOCH);
        allow(DESTROYING, FREE, TO_FREE);
    }

    private final int code;

    OwnerState(int code) {
        this.code = code;
    }

    private static void allow(OwnerState from, OwnerState to, int how) {
        TABLE[from.code << 4 | to.code] |= (byte) how;
    }

    public int code() {
        return code;
    }

    /// The state with this code, or null if no state has it.
    public static OwnerState ofCode(int code) {
        return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    }

    /// True if the state may follow at all, whatever slot and epoch.
    public boolean mayBecome(OwnerState next) {
        return TABLE[code << 4 | next.code] != 0;
    }

    /// True if the whole word `next` may follow the whole word `now`: state, slot and epoch rule together. No
    /// allocation.
    public static boolean permits(long now, long next) {
        int how = TABLE[(int) (now >>> 60) << 4 | (int) (next >>> 60)];
        if (how == 0) {
            return false;
        }
        long epochStep = OwnerWord.epoch(next) - OwnerWord.epoch(now);
        boolean sameSlot = OwnerWord.slot(now) == OwnerWord.slot(next);
        if (epochStep == 0) {
            return (how & TO_FREE) != 0
                    ? OwnerWord.slot(next) == 0
                    : (how & SAME_SLOT_SAME_EPOCH) != 0 && sameSlot;
        }
        return epochStep == 1 && (how & (sameSlot ? SAME_SLOT_NEXT_EPOCH : OTHER_SLOT_NEXT_EPOCH)) != 0;
    }

    /// The transition table in Markdown, as docs/region-format.md quotes it.
    public static String markdown() {
        StringBuilder text = new StringBuilder("| from | to | host slot | epoch |\n|---|---|---|---|\n");
        for (OwnerState from : BY_CODE) {
            for (OwnerState to : BY_CODE) {
                int how = TABLE[from.code << 4 | to.code];
                row(text, from, to, (how & SAME_SLOT_SAME_EPOCH) != 0, "same", "same");
                row(text, from, to, (how & SAME_SLOT_NEXT_EPOCH) != 0, "same", "+1");
                row(text, from, to, (how & OTHER_SLOT_NEXT_EPOCH) != 0, "other", "+1");
                row(text, from, to, (how & TO_FREE) != 0, "0", "same");
            }
        }
        return text.toString();
    }

    private static void row(StringBuilder text, OwnerState from, OwnerState to, boolean allowed, String slot,
            String epoch) {
        if (allowed) {
            text.append("| ").append(from).append(" | ").append(to).append(" | ").append(slot).append(" | ")
                    .append(epoch)
                    .append(" |\n");
        }
    }
}

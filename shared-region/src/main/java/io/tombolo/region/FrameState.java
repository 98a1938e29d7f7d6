package io.tombolo.region;

/// State of a frame word. The word is the only truth of the allocator: whatever points at a frame, its word decides.
public enum FrameState {
    /// Nobody's.
    FREE(0),
    /// Taken by a host incarnation for one page of one VM; not yet, or no longer, backing it for certain.
    RESERVED(1),
    /// Backs one page of one VM.
    USED(2),
    /// Holds page table entries of one VM; the page field is the index in the table's run.
    TABLE(3),
    /// Holds the old contents of a page.
    PREIMAGE(4),
    /// Could still be written by a host in doubt.
    QUARANTINED(5);

    private static final FrameState[] BY_CODE = values();

    private final int code;

    FrameState(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /// The state with this code, or null if no state has it.
    public static FrameState ofCode(int code) {
        return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    }
}

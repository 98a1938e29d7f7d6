package io.tombolo.region;

/// State of a page table entry.
public enum PteState {
    /// No frame.
    ABSENT(0),
    /// The frame holds the page.
    PRESENT(1),
    /// The page is being moved; the entry still names the old frame.
    MIGRATING(2),
    /// The first write of an interval is being prepared; other writers wait.
    COPYING(3);

    private static final PteState[] BY_CODE = values();

    private final int code;

    PteState(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /// The state with this code, or null if no state has it.
    public static PteState ofCode(int code) {
        return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    }
}

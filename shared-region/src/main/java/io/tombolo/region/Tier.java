package io.tombolo.region;

/// Kind of memory that a page table entry's frame number counts in.
public enum Tier {
    /// A frame of the region.
    SHARED(0),
    /// A frame of the owner host's private memory.
    LOCAL(1);

    private static final Tier[] BY_CODE = values();

    private final int code;

    Tier(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /// The tier with this code, or null if none has it.
    public static Tier ofCode(int code) {
        return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    }
}

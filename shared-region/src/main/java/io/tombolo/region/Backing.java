package io.tombolo.region;

/// Where a VM's guest memory is.
public enum Backing {
    /// In frames of the region, through the VM's page table.
    FRAMES(1),
    /// In a segment file of its own, mapped as a whole.
    SEGMENT(2);

    private final int code;

    Backing(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /// The backing with this code, or null if none has it.
    public static Backing ofCode(int code) {
        return switch (code) {
            case 1 -> FRAMES;
            case 2 -> SEGMENT;
            default -> null;
        };
    }
}

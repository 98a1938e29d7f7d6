package io.tombolo.region;

/// Size of a VM's pages, one per VM for its life. A frame number is always in units of 4 KiB frames; that of a large
/// page is the first of a whole block ([BlockWord#FRAMES]), whose block word is to it what a frame word is to a small
/// page.
public enum PageSize {
    /// 4 KiB, one frame.
    SMALL(12),
    /// 2 MiB, one block of 512 frames.
    LARGE(21);

    private final int shift;

    PageSize(int shift) {
        this.shift = shift;
    }

    public int bytes() {
        return 1 << shift;
    }

    /// Bits of a guest address below the page number.
    public int shift() {
        return shift;
    }

    /// 4 KiB frames in a page.
    public int frames() {
        return 1 << (shift - 12);
    }

    /// The size with this many bytes, or null if none has it.
    public static PageSize ofBytes(int bytes) {
        return bytes == SMALL.bytes() ? SMALL : bytes == LARGE.bytes() ? LARGE : null;
    }
}

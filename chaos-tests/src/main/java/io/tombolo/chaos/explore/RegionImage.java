package io.tombolo.chaos.explore;

import io.tombolo.region.Superblock;

/// A region as it is in the beginning, and which of its words a step can be about.
///
/// Words that nobody ever stores to within the bounds are constant: a store to one is an error of the exploration.
final class RegionImage {
    static final int AREAS = 7;
    /// Entries of the log that can be in use.
    private static final int LOG_ENTRIES = 24;
    /// Places of the list of owners in doubt that can be in use, with the one for whom the VM was taken from.
    static final int DOUBTS = 4;

    private static final long HOST_SLOT_BYTES = 1024;
    private static final long VM_SLOT_BYTES = 2048;
    private static final long COMMIT = 640;
    private static final long TAKEN_FROM = 768;
    private static final long LOG_PLACE = 704;
    private static final long LOG_PLACE_END = 728;
    private static final long IDENTITY = 1280;
    private static final long ENTRY_BYTES = 32;
    private static final long FRAME_BYTES = 4096;

    private final long[] words;
    private final Superblock layout;
    private final long firstFrame;
    private final long tableFrame;
    private final long logFrame;

    /// @param words      not changed any more
    /// @param firstFrame frames before it belong to somebody who does nothing
    RegionImage(long[] words, Superblock layout, long firstFrame, long tableFrame, long logFrame) {
        this.words = words;
        this.layout = layout;
        this.firstFrame = firstFrame;
        this.tableFrame = tableFrame;
        this.logFrame = logFrame;
    }

    /// Frames that can be in use by the VM.
    long firstFrame() {
        return firstFrame;
    }

    long bytes() {
        return words.length * 8L;
    }

    long first(long offset) {
        return words[(int) (offset >>> 3)];
    }

    Superblock layout() {
        return layout;
    }

    long owner() {
        return layout.vmOffset();
    }

    long commit() {
        return layout.vmOffset() + COMMIT;
    }

    long doubt(int place) {
        return layout.vmOffset() + TAKEN_FROM + place * 8L;
    }

    long host(int slot) {
        return layout.hostOffset() + slot * HOST_SLOT_BYTES;
    }

    long data(long frame) {
        return layout.dataOffset() + frame * FRAME_BYTES;
    }

    /// Where the contents of a metadata slot begin; the header is 64 bytes or more before.
    long metadata(int which) {
        return layout.metadataOffset() + (long) which * layout.metadataSlotBytes();
    }

    long entry(long page) {
        return data(tableFrame) + page * 8;
    }

    long frameWord(long frame) {
        return layout.frameOffset() + frame * 8;
    }

    boolean isLog(long offset) {
        return offset >= data(logFrame) && offset < data(logFrame + 1);
    }

    boolean isTable(long offset) {
        return offset >= data(tableFrame) && offset < data(tableFrame + 1);
    }

    boolean isDoubt(long offset) {
        return offset >= doubt(0) && offset < doubt(16);
    }

    boolean isHostWord(long offset) {
        return offset >= layout.hostOffset() && offset < layout.vmOffset()
                && (offset - layout.hostOffset()) % HOST_SLOT_BYTES == 0;
    }

    /// Words by which hosts settle among each other who may do what: a load of one is a step. None of them is a slot's
    /// word, which only goes on, by a coordinator, and that commutes with the step before the load; nor are the owners
    /// in doubt behind the first, which are loaded right after it and stored to before it.
    boolean isControl(long offset) {
        return offset == owner() || offset == commit() || offset == doubt(0);
    }

    /// Structures of the VM that only its owner stores to, and who takes it over.
    boolean isOwners(long offset) {
        return offset >= layout.vmOffset() && !isControl(offset) && !isDoubt(offset);
    }

    boolean isConstant(long offset) {
        if (offset < layout.hostOffset()) {
            return true;
        }
        if (offset < layout.vmOffset()) {
            return !isHostWord(offset);
        }
        if (offset < layout.metadataOffset()) {
            long in = offset - layout.vmOffset();
            return in >= VM_SLOT_BYTES || in >= IDENTITY || (in >= LOG_PLACE && in < LOG_PLACE_END)
                    || (isDoubt(offset) && offset >= doubt(DOUBTS));
        }
        if (offset >= layout.frameOffset() && offset < layout.dataOffset()) {
            return offset < frameWord(firstFrame);
        }
        return offset >= layout.dataOffset()
                && (isLog(offset) ? offset >= data(logFrame) + LOG_ENTRIES * ENTRY_BYTES : offset < data(firstFrame));
    }

    /// Which of the areas a word is in: parts of a world.
    int area(long offset) {
        if (offset < layout.vmOffset()) {
            return 0;
        }
        if (offset < layout.metadataOffset()) {
            return 1;
        }
        if (offset < layout.blockOffset()) {
            return 2;
        }
        if (offset < layout.dataOffset()) {
            return 3;
        }
        return isTable(offset) ? 4 : isLog(offset) ? 5 : 6;
    }
}

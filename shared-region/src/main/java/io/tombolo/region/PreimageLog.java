package io.tombolo.region;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;
import java.util.function.LongPredicate;
import java.util.zip.CRC32C;

/// The bytes of a VM's pre-image log: a ring of checked entries of 32 bytes in a run of frames, which are TABLE frames
/// of the VM behind those of its page table.
///
/// Position p of the log is at p modulo the capacity. What an entry says is true of the interval that it names; an
/// entry of an interval that is over names frames that may be anybody's by now, so whoever reads it looks at the frame
/// word. An entry is inside one line, and is whole or fails its checksum.
///
/// Not thread safe.
final class PreimageLog {
    private static final Struct LAYOUT = RegionLayout.LOG_ENTRY;
    private static final long INTERVAL = LAYOUT.offset("interval");
    private static final long OLD = LAYOUT.offset("old");
    private static final long FRESH = LAYOUT.offset("fresh");
    private static final long PAGE = LAYOUT.offset("page");
    private static final long CRC = LAYOUT.offset("crc");
    static final int ENTRY_BYTES = (int) LAYOUT.bytes();
    static final int PER_FRAME = RegionLayout.FRAME_BYTES / ENTRY_BYTES;
    private static final int WORDS = ENTRY_BYTES / 8;
    private static final int INTERVAL_WORD = (int) (INTERVAL / 8);

    private final Memory memory;
    private final long base;
    private final long capacity;
    private final byte[] bytes = new byte[ENTRY_BYTES];
    private final MemorySegment raw = MemorySegment.ofArray(bytes);
    private final CRC32C crc = new CRC32C();

    PreimageLog(Region region, VmSlot.LogPlace place) {
        this.memory = region.memory();
        this.base = region.frameDataOffset(place.firstFrame());
        this.capacity = (long) place.frames() * PER_FRAME;
    }

    /// One entry. `interval` 0: a spare pre-image and nothing else.
    record Entry(long interval, long old, long fresh, long page) {
    }

    /// Entries that it has room for.
    long capacity() {
        return capacity;
    }

    /// Stores an entry; not durable before [#writeBack] and a fence.
    void write(long position, long interval, long old, long fresh, long page) {
        raw.set(Struct.PRIVATE_LONG, INTERVAL, interval);
        raw.set(Struct.PRIVATE_LONG, OLD, old);
        raw.set(Struct.PRIVATE_LONG, FRESH, fresh);
        raw.set(Struct.PRIVATE_INT, PAGE, (int) page);
        raw.set(Struct.PRIVATE_INT, CRC, check());
        memory.copyIn(raw, 0, at(position), ENTRY_BYTES);
    }

    /// Begins to make an entry durable.
    void writeBack(long position) {
        memory.writeBack(at(position), ENTRY_BYTES);
    }

    /// Every entry that is whole and of an interval that is asked for, in the order of positions. Most are not, so what
    /// an entry says its interval is decides before its checksum is computed. `check` is called once per frame of the
    /// log.
    void forEach(LongPredicate ofInterval, Runnable check, Consumer<Entry> task) {
        FrameWords words = new FrameWords();
        for (long first = 0; first < capacity; first += PER_FRAME) {
            check.run();
            forEach(first, words, ofInterval, task);
        }
    }

    private void forEach(long first, FrameWords words, LongPredicate ofInterval, Consumer<Entry> task) {
        memory.copyOut(at(first), words.bytes(), 0, RegionLayout.FRAME_BYTES);
        long[] raws = words.decoded();
        for (int i = 0; i < PER_FRAME; i++) {
            if (ofInterval.test(raws[i * WORDS + INTERVAL_WORD])) {
                Entry entry = read(first + i);
                if (entry != null) {
                    task.accept(entry);
                }
            }
        }
    }

    /// The entry at this position, or null if there is none, or it is not whole.
    Entry read(long position) {
        memory.copyOut(at(position), raw, 0, ENTRY_BYTES);
        Entry entry = new Entry(raw.get(Struct.PRIVATE_LONG, INTERVAL), raw.get(Struct.PRIVATE_LONG, OLD),
                raw.get(Struct.PRIVATE_LONG, FRESH), raw.get(Struct.PRIVATE_INT, PAGE) & 0xFFFF_FFFFL);
        return raw.get(Struct.PRIVATE_INT, CRC) == check() ? entry : null;
    }

    private int check() {
        crc.reset();
        crc.update(bytes, 0, (int) CRC);
        return (int) crc.getValue();
    }

    private long at(long position) {
        return base + position % capacity * ENTRY_BYTES;
    }
}

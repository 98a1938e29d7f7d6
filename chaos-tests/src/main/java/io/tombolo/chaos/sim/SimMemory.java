package io.tombolo.chaos.sim;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// The memory that all hosts of a world share, as it really is: one array, the lines that a host's caches still hold,
/// and what has changed since the world began, so that the next world can have the array.
@SuppressWarnings("ReferenceEquality") // a host is one object
final class SimMemory {
    static final int LINE = 64;
    private static final int WORDS = LINE / 8;
    private static final int PAGE_WORDS = 512;

    /// A line that was changed and not persisted: what it held then, and after every change since; the last is what it
    /// holds. The host that changed it last has it in its cache.
    private static final class Line {
        private final List<long[]> versions = new ArrayList<>(4);
        private SimProcess host;
        /// Versions that the next fence of that host makes past; 0 if none is being written back.
        private int writingBack;
    }

    private final long[] words;
    private final long[] base;
    private final MemorySegment view;
    private final boolean[] touched;
    private final int[] touchedPages;
    private int touchedCount;
    private final Line[] lines;
    private final List<Integer> dirty = new ArrayList<>();
    private boolean volatileCaches;

    /// @param base what the memory holds when a world begins; not changed
    SimMemory(long[] base) {
        this.base = base;
        this.words = base.clone();
        this.view = MemorySegment.ofArray(words);
        this.touched = new boolean[words.length / PAGE_WORDS + 1];
        this.touchedPages = new int[touched.length];
        this.lines = new Line[words.length / WORDS + 1];
    }

    /// As it was at the beginning.
    void reset(MemoryKind kind) {
        for (int i = 0; i < touchedCount; i++) {
            int from = touchedPages[i] * PAGE_WORDS;
            System.arraycopy(base, from, words, from, Math.min(PAGE_WORDS, words.length - from));
            touched[touchedPages[i]] = false;
        }
        touchedCount = 0;
        for (int line : dirty) {
            lines[line] = null;
        }
        dirty.clear();
        volatileCaches = kind != MemoryKind.COHERENT;
    }

    long bytes() {
        return words.length * 8L;
    }

    MemorySegment view() {
        return view;
    }

    long get(long offset) {
        return words[(int) (offset >>> 3)];
    }

    /// Stores a word on behalf of a host.
    void set(SimProcess host, long offset, long value) {
        Line line = volatileCaches ? beforeStore(host, offset) : null;
        touch(offset);
        words[(int) (offset >>> 3)] = value;
        if (line != null) {
            line.versions.add(copy(offset / LINE));
        }
    }

    /// Stores what the copy function stores; at most one line.
    void bulk(SimProcess host, long offset, Runnable store) {
        Line line = volatileCaches ? beforeStore(host, offset) : null;
        touch(offset);
        store.run();
        if (line != null) {
            line.versions.add(copy(offset / LINE));
        }
    }

    /// For stores that no call announces.
    void touch(long offset, long count) {
        for (long at = offset; at < offset + count; at += PAGE_WORDS * 8L) {
            touch(at);
        }
        touch(offset + count - 1);
    }

    /// Plain stores into a range that no call announced, all of them just now: what was there before is gone.
    void noteStored(SimProcess host, long offset, long count) {
        touch(offset, count);
        if (!volatileCaches) {
            return;
        }
        for (int at = (int) (offset / LINE); at <= (offset + count - 1) / LINE; at++) {
            if (lines[at] == null) {
                Line line = new Line();
                long[] before = copy(at);
                for (int i = 0; i < WORDS; i++) {
                    before[i] ^= 0x5A5A_5A5A_5A5AL;
                }
                line.host = host;
                line.versions.add(before);
                line.versions.add(copy(at));
                lines[at] = line;
                dirty.add(at);
            }
        }
    }

    private void touch(long offset) {
        int page = (int) (offset >>> 12);
        if (!touched[page]) {
            touched[page] = true;
            touchedPages[touchedCount++] = page;
        }
    }

    private Line beforeStore(SimProcess host, long offset) {
        int at = (int) (offset / LINE);
        Line line = lines[at];
        if (line == null) {
            line = new Line();
            line.versions.add(copy(at));
            lines[at] = line;
            dirty.add(at);
        }
        if (line.host != host) {
            // The line changes caches, with what is in it.
            line.host = host;
            line.writingBack = 0;
        }
        return line;
    }

    private long[] copy(long line) {
        long[] copy = new long[WORDS];
        System.arraycopy(words, (int) line * WORDS, copy, 0, WORDS);
        return copy;
    }

    void writeBack(SimProcess host, long offset, long count) {
        if (!volatileCaches) {
            return;
        }
        for (int at = (int) (offset / LINE); at <= (offset + count - 1) / LINE; at++) {
            Line line = lines[at];
            if (line != null) {
                // clwb writes back a line in whosever cache it is.
                line.host = host;
                line.writingBack = line.versions.size() - 1;
            }
        }
    }

    void fence(SimProcess host) {
        if (!volatileCaches) {
            return;
        }
        int kept = 0;
        for (int i = 0; i < dirty.size(); i++) {
            int at = dirty.get(i);
            Line line = lines[at];
            if (line.host == host && line.writingBack > 0) {
                line.versions.subList(0, line.writingBack).clear();
                line.writingBack = 0;
            }
            if (line.versions.size() <= 1) {
                lines[at] = null;
            } else {
                dirty.set(kept++, at);
            }
        }
        dirty.subList(kept, dirty.size()).clear();
    }

    /// The host has lost its caches: each line that it held is as it was after any change since it was last persisted.
    /// Lines of `keep` stay as they are.
    ///
    /// @return how many lines went back
    int lose(SimProcess host, Rng rng, java.util.function.LongPredicate keep) {
        int lost = 0;
        int kept = 0;
        boolean all = rng.oneIn(3);
        for (int i = 0; i < dirty.size(); i++) {
            int at = dirty.get(i);
            Line line = lines[at];
            if (line.host != host) {
                dirty.set(kept++, at);
                continue;
            }
            if (!keep.test((long) at * LINE)) {
                int version = all ? 0 : rng.below(line.versions.size());
                if (version < line.versions.size() - 1) {
                    System.arraycopy(line.versions.get(version), 0, words, at * WORDS, WORDS);
                    lost++;
                }
            }
            lines[at] = null;
        }
        dirty.subList(kept, dirty.size()).clear();
        return lost;
    }
}

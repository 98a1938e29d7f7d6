package io.tombolo.chaos.explore;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/// Which world leads to which, as differences of their numbers: two or three bytes an edge. The edges of one world come
/// together, in the order of worlds. Not thread safe.
final class Edges {
    private static final int BLOCK = 1 << 20;
    private static final int LONGEST = 5;

    private final List<byte[]> blocks = new ArrayList<>();
    private final List<int[]> starts = new ArrayList<>();
    private int worlds;
    /// Bytes used; below 4 GB, so that a start fits an int without sign.
    private long end;

    /// From here on [#add] adds edges of the next world.
    void next() {
        if (worlds % BLOCK == 0) {
            starts.add(new int[BLOCK]);
        }
        starts.getLast()[worlds % BLOCK] = (int) end;
        worlds++;
    }

    void add(int to) {
        // An edge does not lie across two blocks.
        if (end % BLOCK > BLOCK - LONGEST || end / BLOCK == blocks.size()) {
            blocks.add(new byte[BLOCK]);
            end = (blocks.size() - 1L) * BLOCK;
        }
        int difference = to - (worlds - 1);
        int rest = difference << 1 ^ difference >> 31;
        byte[] block = blocks.getLast();
        // The lowest bits first, as a number whose sign is its lowest bit.
        int at = (int) (end % BLOCK);
        while ((rest & ~0x7F) != 0) {
            block[at++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        block[at++] = (byte) rest;
        end = (blocks.size() - 1L) * BLOCK + at;
    }

    /// Whether any world that this one leads to is one of those.
    boolean anyTo(int world, IntPredicate which) {
        long at = start(world);
        long stop = world + 1 < worlds ? start(world + 1) : end;
        while (at < stop) {
            byte[] block = blocks.get((int) (at / BLOCK));
            int i = (int) (at % BLOCK);
            if (i > BLOCK - LONGEST) {
                at = (at / BLOCK + 1) * BLOCK;
                continue;
            }
            int value = 0;
            int shift = 0;
            byte read;
            do {
                read = block[i++];
                value |= (read & 0x7F) << shift;
                shift += 7;
            } while (read < 0);
            at = at / BLOCK * BLOCK + i;
            if (which.test(world + (value >>> 1 ^ -(value & 1)))) {
                return true;
            }
        }
        return false;
    }

    private long start(int world) {
        return starts.get(world / BLOCK)[world % BLOCK] & 0xFFFF_FFFFL;
    }

    long bytes() {
        return end;
    }
}

package io.tombolo.chaos.explore;

import java.util.ArrayList;
import java.util.List;

/// Pairs of numbers, numbered in the order in which they came: each is kept once. Some 16 bytes a pair. Not thread
/// safe.
final class PairTable {
    private static final int BLOCK = 1 << 14;

    private final List<long[]> blocks = new ArrayList<>();
    private int[] table = new int[1 << 10];
    private int size;

    int size() {
        return size;
    }

    /// Number of that pair if it is known; else minus one minus the number that it has got.
    int add(int left, int right) {
        if (size > table.length / 3 * 2) {
            grow();
        }
        long pair = (long) left << 32 | right;
        int mask = table.length - 1;
        int at = hash(pair) & mask;
        while (table[at] != 0) {
            if (pair(table[at] - 1) == pair) {
                return table[at] - 1;
            }
            at = (at + 1) & mask;
        }
        if (size % BLOCK == 0) {
            blocks.add(new long[BLOCK]);
        }
        blocks.getLast()[size % BLOCK] = pair;
        table[at] = ++size;
        return -size;
    }

    int left(int number) {
        return (int) (pair(number) >>> 32);
    }

    int right(int number) {
        return (int) pair(number);
    }

    private long pair(int number) {
        return blocks.get(number / BLOCK)[number % BLOCK];
    }

    private static int hash(long pair) {
        long hash = pair * 0x9E3779B97F4A7C15L;
        hash = (hash ^ hash >>> 32) * 0xBF58476D1CE4E5B9L;
        return (int) (hash ^ hash >>> 29);
    }

    private void grow() {
        int[] larger = new int[table.length * 2];
        int mask = larger.length - 1;
        for (int number = 0; number < size; number++) {
            int at = hash(pair(number)) & mask;
            while (larger[at] != 0) {
                at = (at + 1) & mask;
            }
            larger[at] = number + 1;
        }
        table = larger;
    }
}

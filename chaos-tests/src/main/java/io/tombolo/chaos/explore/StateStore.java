package io.tombolo.chaos.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// All worlds met so far, in the order in which they were met. A world is a row of small numbers: each of its parts is
/// kept once, in a dictionary, and a row holds the part's number there. Rows lie one behind the other in blocks, an
/// open-addressing table of row numbers finds them again: some 40 bytes a world. Not thread safe.
final class StateStore {
    private static final int BLOCK_ROWS = 1 << 16;

    private final int width;
    private final List<Map<Object, Integer>> numbers = new ArrayList<>();
    private final List<List<Object>> parts = new ArrayList<>();
    private final List<int[]> blocks = new ArrayList<>();
    private final List<int[]> parents = new ArrayList<>();
    private int[] table = new int[1 << 16];
    private int size;

    StateStore(int width) {
        this.width = width;
        for (int i = 0; i < width; i++) {
            numbers.add(new HashMap<>());
            parts.add(new ArrayList<>());
        }
    }

    int size() {
        return size;
    }

    /// The row of a world, made of those parts. `from` may help: parts that are the same objects as there have the
    /// numbers of that row.
    @SuppressWarnings("ReferenceEquality") // the very objects, as a short cut
    void row(Object[] world, Object[] from, int[] fromRow, int[] into) {
        for (int i = 0; i < width; i++) {
            into[i] = from != null && world[i] == from[i] ? fromRow[i] : number(i, world[i]);
        }
    }

    private int number(int column, Object part) {
        Map<Object, Integer> known = numbers.get(column);
        Integer number = known.get(part);
        if (number != null) {
            return number;
        }
        known.put(part, known.size());
        parts.get(column).add(part);
        return known.size() - 1;
    }

    /// Number of the world with that row; negative, minus one minus the number, if it is new.
    int add(int[] row, int parent) {
        if (size * 2 > table.length) {
            grow();
        }
        int mask = table.length - 1;
        for (int at = hash(row, 0) & mask;; at = (at + 1) & mask) {
            int found = table[at] - 1;
            if (found < 0) {
                table[at] = size + 1;
                append(row, parent);
                return -size;
            }
            if (same(found, row)) {
                return found;
            }
        }
    }

    private void append(int[] row, int parent) {
        int offset = size % BLOCK_ROWS;
        if (offset == 0) {
            blocks.add(new int[BLOCK_ROWS * width]);
            parents.add(new int[BLOCK_ROWS]);
        }
        System.arraycopy(row, 0, blocks.getLast(), offset * width, width);
        parents.getLast()[offset] = parent;
        size++;
    }

    private boolean same(int number, int[] row) {
        int[] block = blocks.get(number / BLOCK_ROWS);
        int at = number % BLOCK_ROWS * width;
        return Arrays.equals(block, at, at + width, row, 0, width);
    }

    private int hash(int[] values, int at) {
        long hash = 0x9E3779B97F4A7C15L;
        for (int i = 0; i < width; i++) {
            hash = (hash ^ values[at + i]) * 0xBF58476D1CE4E5B9L;
            hash ^= hash >>> 29;
        }
        return (int) (hash ^ hash >>> 32);
    }

    private void grow() {
        int[] larger = new int[table.length * 2];
        int mask = larger.length - 1;
        for (int number = 0; number < size; number++) {
            int at = hash(blocks.get(number / BLOCK_ROWS), number % BLOCK_ROWS * width) & mask;
            while (larger[at] != 0) {
                at = (at + 1) & mask;
            }
            larger[at] = number + 1;
        }
        table = larger;
    }

    void copyRow(int number, int[] into) {
        System.arraycopy(blocks.get(number / BLOCK_ROWS), number % BLOCK_ROWS * width, into, 0, width);
    }

    Object[] world(int[] row) {
        Object[] world = new Object[width];
        for (int i = 0; i < width; i++) {
            world[i] = parts.get(i).get(row[i]);
        }
        return world;
    }

    /// The world from which this one was met first; -1 for a start.
    int parent(int number) {
        return parents.get(number / BLOCK_ROWS)[number % BLOCK_ROWS];
    }

    /// How many different values each part has.
    List<Integer> partSizes() {
        return parts.stream().map(List::size).toList();
    }
}

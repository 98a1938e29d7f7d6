package io.tombolo.chaos.explore;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// All worlds met so far, in the order in which they were met. Each part of a world is kept once, in a dictionary, so
/// that a world is a row of small numbers; and neighbours in a row are paired, pairs of them paired again, each pair
/// kept once, until one pair is the world. Worlds differ from those before in one or two parts, so nearly all pairs
/// but the last are shared: some 20 bytes a world, however many parts it has. Not thread safe.
final class StateStore {
    private static final int BLOCK = 1 << 16;

    private final int width;
    private final List<Map<Object, Integer>> numbers = new ArrayList<>();
    private final List<List<Object>> parts = new ArrayList<>();
    /// One list for each round of pairing; the last has one table, that of the worlds.
    private final List<List<PairTable>> rounds = new ArrayList<>();
    private final List<int[]> parents = new ArrayList<>();
    private final PairTable worlds;
    private final int[] folding;

    /// @param width how many parts a world has, at least 2
    StateStore(int width) {
        this.width = width;
        this.folding = new int[width];
        for (int i = 0; i < width; i++) {
            numbers.add(new HashMap<>());
            parts.add(new ArrayList<>());
        }
        for (int left = width; left > 1; left = (left + 1) / 2) {
            List<PairTable> round = new ArrayList<>();
            for (int i = 0; i < left / 2; i++) {
                round.add(new PairTable());
            }
            rounds.add(round);
        }
        worlds = rounds.getLast().getFirst();
    }

    int size() {
        return worlds.size();
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
        System.arraycopy(row, 0, folding, 0, width);
        int left = width;
        int number = -1;
        for (List<PairTable> round : rounds) {
            for (int i = 0; i < round.size(); i++) {
                number = round.get(i).add(folding[2 * i], folding[2 * i + 1]);
                folding[i] = number < 0 ? -number - 1 : number;
            }
            if (left % 2 != 0) {
                folding[left / 2] = folding[left - 1];
            }
            left = (left + 1) / 2;
        }
        if (number < 0) {
            int added = -number - 1;
            if (added % BLOCK == 0) {
                parents.add(new int[BLOCK]);
            }
            parents.getLast()[added % BLOCK] = parent;
        }
        return number;
    }

    void copyRow(int number, int[] into) {
        into[0] = number;
        for (int round = rounds.size() - 1; round >= 0; round--) {
            List<PairTable> tables = rounds.get(round);
            int left = tables.size();
            if (lengthBefore(round) % 2 != 0) {
                into[2 * left] = into[left];
            }
            for (int i = left - 1; i >= 0; i--) {
                int pair = into[i];
                into[2 * i] = tables.get(i).left(pair);
                into[2 * i + 1] = tables.get(i).right(pair);
            }
        }
    }

    private int lengthBefore(int round) {
        int length = width;
        for (int i = 0; i < round; i++) {
            length = (length + 1) / 2;
        }
        return length;
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
        return parents.get(number / BLOCK)[number % BLOCK];
    }

    /// How many different values each part has.
    List<Integer> partSizes() {
        return parts.stream().map(List::size).toList();
    }

    /// How many pairs are kept, worlds included.
    long pairs() {
        return rounds.stream().flatMap(List::stream).mapToLong(PairTable::size).sum();
    }
}

package io.tombolo.chaos.explore;

import java.util.Arrays;

/// Words of one area of a region that are not what they were in the beginning. Immutable, compared by contents.
final class Words {
    static final Words NONE = new Words(new int[0], new long[0]);

    private final int[] at;
    private final long[] values;
    private final int hash;

    private Words(int[] at, long[] values) {
        this.at = at;
        this.values = values;
        this.hash = 31 * Arrays.hashCode(at) + Arrays.hashCode(values);
    }

    /// The word with that number, or `otherwise` if it is what it was.
    long get(int word, long otherwise) {
        int index = Arrays.binarySearch(at, word);
        return index < 0 ? otherwise : values[index];
    }

    /// @param first what the word was in the beginning
    Words with(int word, long value, long first) {
        int index = Arrays.binarySearch(at, word);
        if (index < 0) {
            return value == first ? this : insert(-index - 1, word, value);
        }
        if (values[index] == value) {
            return this;
        }
        if (value == first) {
            return remove(index);
        }
        long[] next = values.clone();
        next[index] = value;
        return new Words(at, next);
    }

    private Words insert(int index, int word, long value) {
        int[] places = new int[at.length + 1];
        long[] next = new long[at.length + 1];
        System.arraycopy(at, 0, places, 0, index);
        System.arraycopy(values, 0, next, 0, index);
        places[index] = word;
        next[index] = value;
        System.arraycopy(at, index, places, index + 1, at.length - index);
        System.arraycopy(values, index, next, index + 1, at.length - index);
        return new Words(places, next);
    }

    private Words remove(int index) {
        int[] places = new int[at.length - 1];
        long[] next = new long[at.length - 1];
        System.arraycopy(at, 0, places, 0, index);
        System.arraycopy(values, 0, next, 0, index);
        System.arraycopy(at, index + 1, places, index, places.length - index);
        System.arraycopy(values, index + 1, next, index, places.length - index);
        return new Words(places, next);
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Words other && hash == other.hash && Arrays.equals(at, other.at)
                && Arrays.equals(values, other.values);
    }

    @Override
    public int hashCode() {
        return hash;
    }
}

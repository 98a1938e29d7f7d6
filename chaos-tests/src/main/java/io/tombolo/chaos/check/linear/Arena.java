package io.tombolo.chaos.check.linear;

import java.util.Arrays;

/// The configurations that a search has been in: of each its layer, its state, which pending OK operations are placed
/// (`mask`), which unknown ones are used, and how it was reached. Append only, with a hash table over layer, state and
/// mask. Not thread safe.
final class Arena {
    static final int NONE = -1;

    private static final int META = 5;
    private static final int LAYER = 0;
    private static final int STATE = 1;
    private static final int PARENT = 2;
    private static final int VIA = 3;
    private static final int NEXT = 4;

    private final int maskWords;
    private final int usedWords;
    private final int stride;
    private long[] words;
    private int[] meta;
    private int[] heads;
    private int size;

    Arena(int maskWords, int usedWords) {
        this.maskWords = maskWords;
        this.usedWords = usedWords;
        this.stride = maskWords + usedWords;
        this.words = new long[64 * stride];
        this.meta = new int[64 * META];
        this.heads = new int[128];
        Arrays.fill(heads, NONE);
    }

    int size() {
        return size;
    }

    int layer(int entry) {
        return meta[entry * META + LAYER];
    }

    int state(int entry) {
        return meta[entry * META + STATE];
    }

    /// The configuration before, or [#NONE].
    int parent(int entry) {
        return meta[entry * META + PARENT];
    }

    /// What was placed to come here from the parent.
    int via(int entry) {
        return meta[entry * META + VIA];
    }

    void load(int entry, long[] mask, long[] used) {
        int at = entry * stride;
        for (int i = 0; i < maskWords; i++) {
            mask[i] = words[at + i];
        }
        for (int i = 0; i < usedWords; i++) {
            used[i] = words[at + maskWords + i];
        }
    }

    /// Adds a configuration, unless one is there that can do all that it can: of the same layer, state and mask, with
    /// no unknown operation used that is not used here too.
    ///
    /// @return the entry, or [#NONE]
    int add(int layer, int state, long[] mask, long[] used, int parent, int via) {
        int head = hash(layer, state, mask, 0);
        for (int e = heads[head]; e != NONE; e = meta[e * META + NEXT]) {
            if (meta[e * META + LAYER] == layer && meta[e * META + STATE] == state && covers(e, mask, 0, used, 0)) {
                return NONE;
            }
        }
        if (size == heads.length) {
            rehash();
            head = hash(layer, state, mask, 0);
        }
        int entry = size++;
        if (meta.length < size * META) {
            meta = Arrays.copyOf(meta, 2 * meta.length);
            words = Arrays.copyOf(words, 2 * words.length);
        }
        int at = entry * stride;
        for (int i = 0; i < maskWords; i++) {
            words[at + i] = mask[i];
        }
        for (int i = 0; i < usedWords; i++) {
            words[at + maskWords + i] = used[i];
        }
        int m = entry * META;
        meta[m + LAYER] = layer;
        meta[m + STATE] = state;
        meta[m + PARENT] = parent;
        meta[m + VIA] = via;
        meta[m + NEXT] = heads[head];
        heads[head] = entry;
        return entry;
    }

    /// Whether another configuration was added, before or after, that can do all that this one can.
    boolean isCovered(int entry) {
        int at = entry * stride;
        int m = entry * META;
        int head = hash(meta[m + LAYER], meta[m + STATE], words, at);
        for (int e = heads[head]; e != NONE; e = meta[e * META + NEXT]) {
            if (e != entry && meta[e * META + LAYER] == meta[m + LAYER] && meta[e * META + STATE] == meta[m + STATE]
                    && covers(e, words, at, words, at + maskWords)) {
                return true;
            }
        }
        return false;
    }

    /// Whether the next growth would go past that many bytes, or past what an array holds.
    boolean wouldExceed(long bytes) {
        if (meta.length >= (size + 1) * META && heads.length > size) {
            return false;
        }
        long now = 8L * words.length + 4L * meta.length + 4L * heads.length;
        return 3 * now > bytes || 2L * words.length > Integer.MAX_VALUE - 8
                || 2L * meta.length > Integer.MAX_VALUE - 8 || heads.length >= 1 << 29;
    }

    private boolean covers(int entry, long[] mask, int maskAt, long[] used, int usedAt) {
        int at = entry * stride;
        for (int i = 0; i < maskWords; i++) {
            if (words[at + i] != mask[maskAt + i]) {
                return false;
            }
        }
        for (int i = 0; i < usedWords; i++) {
            if ((words[at + maskWords + i] & ~used[usedAt + i]) != 0) {
                return false;
            }
        }
        return true;
    }

    private int hash(int layer, int state, long[] mask, int at) {
        long h = layer * 0x9E3779B97F4A7C15L + state;
        for (int i = 0; i < maskWords; i++) {
            h = (h ^ h >>> 32 ^ mask[at + i]) * 0xD6E8FEB86659FD93L;
        }
        h *= 0x9E3779B97F4A7C15L;
        return (int) (h >>> 32) & heads.length - 1;
    }

    private void rehash() {
        heads = new int[2 * heads.length];
        Arrays.fill(heads, NONE);
        for (int e = 0; e < size; e++) {
            int head = hash(meta[e * META + LAYER], meta[e * META + STATE], words, e * stride);
            meta[e * META + NEXT] = heads[head];
            heads[head] = e;
        }
    }
}

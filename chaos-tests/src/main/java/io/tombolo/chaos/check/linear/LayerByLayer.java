package io.tombolo.chaos.check.linear;

import java.util.Arrays;

/// Looks at all configurations of a layer before those of the next, those with few unknown operations used first, and
/// at most so many of each layer. So it never goes on from a configuration that can do less than another, and a wrong
/// choice costs as much as there are others beside it, however late it shows.
final class LayerByLayer extends Search {
    private final int width;
    /// By layer, what is to be looked at, as a heap: unknown operations used, OK operations placed early, entry.
    private final long[][] heaps;
    private final int[] sizes;
    private boolean narrow;

    /// @param width configurations of a layer; if there were more, a search that finds nothing ends as
    ///              [Outcome#NARROW]
    LayerByLayer(Part part, Transitions steps, int width) {
        super(part, steps, true);
        this.width = width;
        this.heaps = new long[part.size()][];
        this.sizes = new int[part.size()];
    }

    @Override
    Outcome search(Bounds bounds) {
        int turn = 0;
        for (int now = 0; now < heaps.length && !found; now++) {
            int looked = 0;
            while (sizes[now] > 0 && !found) {
                Outcome exceeded = exceeded(bounds, ++turn);
                if (exceeded != null) {
                    return exceeded;
                }
                int entry = (int) take(now);
                if (arena.isCovered(entry)) {
                    continue;
                }
                if (looked++ == width) {
                    narrow = true;
                    break;
                }
                expand(entry);
            }
            heaps[now] = null;
        }
        return found ? Outcome.FOUND : narrow ? Outcome.NARROW : Outcome.EXHAUSTED;
    }

    private void expand(int entry) {
        int state = load(entry);
        int next = steps.step(state, part.okKind[layer]);
        if (next != Transitions.ILLEGAL) {
            tryPlace(layer, state, next, entry);
            load(entry);
        }
        candidates = 0;
        collect(state);
        for (int i = 0; i < candidates && !found; i++) {
            tryPlace(candidateVia[i], state, candidateState[i], entry);
            load(entry);
        }
    }

    @Override
    void keep(int entry) {
        long early = 0;
        for (long word : mask) {
            early += Long.bitCount(word);
        }
        long unknown = 0;
        for (long word : used) {
            unknown += Long.bitCount(word);
        }
        add(unknown << 48 | Math.min(early, 0xffff) << 32 | entry);
    }

    private void add(long key) {
        if (heaps[layer] == null) {
            heaps[layer] = new long[8];
        } else if (sizes[layer] == heaps[layer].length) {
            heaps[layer] = Arrays.copyOf(heaps[layer], 2 * sizes[layer]);
        }
        long[] heap = heaps[layer];
        int at = sizes[layer]++;
        while (at > 0 && heap[(at - 1) / 2] > key) {
            heap[at] = heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }
        heap[at] = key;
    }

    private long take(int from) {
        long[] heap = heaps[from];
        long least = heap[0];
        long last = heap[--sizes[from]];
        int size = sizes[from];
        int at = 0;
        for (int child = 1; child < size; child = 2 * at + 1) {
            if (child + 1 < size && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= last) {
                break;
            }
            heap[at] = heap[child];
            at = child;
        }
        heap[at] = last;
        return least;
    }
}

package io.tombolo.chaos.check.linear;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;

/// Looks for a linearisation of one part: Wing and Gong's search with Lowe's memory of configurations, in the
/// just-in-time order. In which order configurations are looked at is for the two kinds of it.
///
/// An OK operation is placed when its completion forces it, together with what has to come before it; so a
/// configuration is a layer, a state, the pending operations placed already and the unknown ones used. It is left out
/// of the search when it cannot do more than one that was looked at. What is placed without a choice: a pending read
/// whose answer is the present state; a pending write that nobody read, right before another. What needs no look: of
/// equal pending operations the one that completes later, an unknown one while an equal OK one is pending, and what
/// leaves a state that is needed and cannot be made again. docs/checkers.md has the arguments.
///
/// Not thread safe.
abstract sealed class Search permits DepthFirst, LayerByLayer {
    /// How a search ended.
    enum Outcome {
        /// There is a linearisation.
        FOUND,
        /// There is none.
        EXHAUSTED,
        /// It did not look at everything that it was allowed to look at.
        NARROW, OUT_OF_TIME, OUT_OF_MEMORY
    }

    /// Of the longest partial linearisations, so many are kept.
    static final int MAX_LONGEST = 8;

    private static final int LOOK_AT_CLOCK = 1 << 10;
    private static final int ROOT = Integer.MIN_VALUE;

    final Part part;
    final Transitions steps;
    private final boolean looksAhead;
    final Arena arena;
    private final int maskWords;
    private final int usedWords;

    /// What is pending in the present layer.
    private final int[] slotOp;
    private final long[] pending;
    private final long[] pendingReads;
    private final long[] pendingIdle;
    int layer;

    /// The configuration being made.
    final long[] mask;
    final long[] used;

    /// What may be placed next.
    int[] candidateVia = new int[256];
    int[] candidateState = new int[256];
    private long[] candidateRank = new long[256];
    int candidates;

    private int furthest = -1;
    private final List<Integer> longest = new ArrayList<>();
    private int foundParent = Arena.NONE;
    private int foundVia = ROOT;
    boolean found;

    /// By kind, the last expansion that saw it pending.
    private final int[] kindSeen;
    private int expansion;

    /// @param steps of the part; several searches, one after the other, may use the same
    /// @param looksAhead whether what leads nowhere is left out before it is met, which is much faster; without, the
    ///                   longest partial linearisations are really the longest
    Search(Part part, Transitions steps, boolean looksAhead) {
        this.looksAhead = looksAhead;
        this.part = part;
        this.steps = steps;
        this.maskWords = Math.max(1, (part.slots + 63) / 64);
        this.usedWords = (part.unknown.size() + 63) / 64;
        this.arena = new Arena(maskWords, usedWords);
        this.slotOp = new int[part.slots];
        this.pending = new long[maskWords];
        this.pendingReads = new long[maskWords];
        this.pendingIdle = new long[maskWords];
        this.mask = new long[maskWords];
        this.used = new long[usedWords];
        this.kindSeen = new int[part.kinds.size()];
    }

    /// Runs once.
    final Outcome run(Bounds bounds) {
        if (part.size() == 0) {
            found = true;
            return Outcome.FOUND;
        }
        activate(0);
        enter(0, Arena.NONE, ROOT);
        return found ? Outcome.FOUND : search(bounds);
    }

    /// Goes on from the first configuration.
    abstract Outcome search(Bounds bounds);

    /// Takes a new configuration to look at later.
    abstract void keep(int entry);

    /// How long a search may take, and how much it may keep.
    record Bounds(long deadlineNs, LongSupplier nowNs, long memoryBytes) {
    }

    /// To be asked at every turn; null while there is time and room.
    final Outcome exceeded(Bounds bounds, int turn) {
        if (turn % LOOK_AT_CLOCK == 0 && bounds.nowNs().getAsLong() - bounds.deadlineNs() > 0) {
            return Outcome.OUT_OF_TIME;
        }
        return arena.wouldExceed(bounds.memoryBytes() - steps.bytes()) ? Outcome.OUT_OF_MEMORY : null;
    }

    /// Configurations looked at.
    int configurations() {
        return arena.size();
    }

    /// The layer that no configuration got out of: the number of the OK operation that cannot be placed.
    int furthest() {
        return furthest;
    }

    /// What was placed by choice on the way to the end.
    int[] foundPath() {
        int[] path = path(foundParent);
        if (foundVia == ROOT) {
            return path;
        }
        int[] whole = Arrays.copyOf(path, path.length + 1);
        whole[path.length] = foundVia;
        return whole;
    }

    /// What was placed by choice on the way to each of the configurations that got furthest.
    List<int[]> longestPaths() {
        return longest.stream().map(this::path).toList();
    }

    private int[] path(int entry) {
        int length = 0;
        for (int e = entry; e != Arena.NONE && arena.via(e) != ROOT; e = arena.parent(e)) {
            length++;
        }
        int[] path = new int[length];
        for (int e = entry; length > 0; e = arena.parent(e)) {
            path[--length] = arena.via(e);
        }
        return path;
    }

    /// Makes that configuration the one from which others are made.
    final int load(int entry) {
        moveTo(arena.layer(entry));
        arena.load(entry, mask, used);
        return arena.state(entry);
    }

    /// Makes the configuration in which that is placed too, unless it is known or leads nowhere.
    final void tryPlace(int via, int state, int next, int parent) {
        int kind;
        if (via >= 0) {
            int slot = part.okSlot[via];
            mask[slot >>> 6] |= 1L << slot;
            kind = part.okKind[via];
        } else {
            used[~via >>> 6] |= 1L << ~via;
            kind = part.unknownKind[~via];
        }
        if (part.blind[kind]) {
            // What nobody could tell from not having happened goes before what makes its state anyway.
            for (int w = 0; w < maskWords; w++) {
                mask[w] |= pendingIdle[w];
            }
        }
        if (looksAhead) {
            for (Object lost : steps.loses(state, kind, next)) {
                if (isNeeded(part.values.of(lost))) {
                    return;
                }
            }
        }
        enter(next, parent, via);
    }

    /// Whether an operation that is not placed needs it, and none is left that could bring it before that completes.
    private boolean isNeeded(Values.Users users) {
        int[] needing = users.needing;
        int first = from(needing);
        while (first < needing.length && !isPlaceable(needing[first])) {
            first++;
        }
        if (first == needing.length) {
            return false;
        }
        int deadline = needing[first];
        int[] bringing = users.bringing;
        for (int i = from(bringing); i < bringing.length; i++) {
            if (part.okFrom[bringing[i]] <= deadline && isPlaceable(bringing[i])) {
                return false;
            }
        }
        for (int op : users.bringingUnknown) {
            if (part.unknownFrom[op] <= deadline && (used[op >>> 6] & 1L << op) == 0) {
                return false;
            }
        }
        return true;
    }

    /// The place of the first operation that is not over.
    private int from(int[] operations) {
        int place = Arrays.binarySearch(operations, layer);
        return place < 0 ? -place - 1 : place;
    }

    private boolean isPlaceable(int op) {
        int slot = part.okSlot[op];
        return part.okFrom[op] > layer || (mask[slot >>> 6] & 1L << slot) == 0;
    }

    /// Goes on from the configuration that is being made as far as there is no choice, and puts it on the stack if it
    /// is new.
    private void enter(int state, int parent, int via) {
        while (true) {
            placeReads(state);
            int slot = part.okSlot[layer];
            if ((mask[slot >>> 6] & 1L << slot) == 0) {
                break;
            }
            mask[slot >>> 6] &= ~(1L << slot);
            if (layer + 1 == part.size()) {
                found = true;
                foundParent = parent;
                foundVia = via;
                return;
            }
            moveTo(layer + 1);
        }
        int entry = arena.add(layer, state, mask, used, parent, via);
        if (entry == Arena.NONE) {
            return;
        }
        if (layer > furthest) {
            furthest = layer;
            longest.clear();
        }
        if (layer == furthest && longest.size() < MAX_LONGEST) {
            longest.add(entry);
        }
        keep(entry);
    }

    private void placeReads(int state) {
        for (int w = 0; w < maskWords; w++) {
            long open = pendingReads[w] & ~mask[w];
            while (open != 0) {
                int slot = (w << 6) + Long.numberOfTrailingZeros(open);
                open &= open - 1;
                if (steps.step(state, part.okKind[slotOp[slot]]) != Transitions.ILLEGAL) {
                    mask[w] |= 1L << slot;
                }
            }
        }
    }

    /// Adds to the candidates all that may be placed before the operation that has to come next, most promising first.
    final void collect(int state) {
        int first = candidates;
        int forced = part.okKind[layer];
        expansion++;
        kindSeen[forced] = expansion;
        for (int w = 0; w < maskWords; w++) {
            long open = pending[w] & ~pendingReads[w] & ~pendingIdle[w] & ~mask[w];
            while (open != 0) {
                int op = slotOp[(w << 6) + Long.numberOfTrailingZeros(open)];
                open &= open - 1;
                if (op != layer && part.okKind[op] != forced) {
                    offer(op, state, part.okKind[op], forced, 0);
                }
            }
        }
        sort(first);
        keepFirstOfEachKind(first);
        int last = part.classStart.length - 1;
        for (int c = 0; c < last; c++) {
            int kind = part.unknownKind[part.classStart[c]];
            if (kindSeen[kind] == expansion) {
                continue;
            }
            int next = nextUnused(part.classStart[c], part.classStart[c + 1]);
            if (next >= 0 && part.unknownFrom[next] <= layer) {
                offer(~next, state, kind, forced, 1);
            }
        }
        sort(first);
    }

    /// The rank: those after which the forced operation fits, OK ones before unknown ones, by completion.
    private void offer(int via, int state, int kind, int forced, int unknown) {
        int next = steps.step(state, kind);
        if (next == Transitions.ILLEGAL) {
            return;
        }
        if (unknown == 1 && next == state && !(part.blind[kind] && idleIsPending())) {
            return;
        }
        if (candidates == candidateVia.length) {
            candidateVia = Arrays.copyOf(candidateVia, 2 * candidates);
            candidateState = Arrays.copyOf(candidateState, 2 * candidates);
            candidateRank = Arrays.copyOf(candidateRank, 2 * candidates);
        }
        long helps = steps.step(next, forced) == Transitions.ILLEGAL ? 1 : 0;
        candidateVia[candidates] = via;
        candidateState[candidates] = next;
        candidateRank[candidates] = helps << 33 | (long) unknown << 32 | (via >= 0 ? via : ~via);
        candidates++;
    }

    private boolean idleIsPending() {
        boolean open = false;
        for (int w = 0; w < maskWords; w++) {
            open |= (pendingIdle[w] & ~mask[w]) != 0;
        }
        return open;
    }

    private void keepFirstOfEachKind(int first) {
        // Ranks of one kind differ only in the completion, so the first of a kind completes first.
        int kept = first;
        for (int i = first; i < candidates; i++) {
            int kind = part.okKind[candidateVia[i]];
            if (kindSeen[kind] != expansion) {
                kindSeen[kind] = expansion;
                candidateVia[kept] = candidateVia[i];
                candidateState[kept] = candidateState[i];
                candidateRank[kept] = candidateRank[i];
                kept++;
            }
        }
        candidates = kept;
    }

    /// By insertion: few, and nearly in order.
    private void sort(int first) {
        for (int i = first + 1; i < candidates; i++) {
            long rank = candidateRank[i];
            int via = candidateVia[i];
            int state = candidateState[i];
            int at = i;
            for (; at > first && candidateRank[at - 1] > rank; at--) {
                candidateRank[at] = candidateRank[at - 1];
                candidateVia[at] = candidateVia[at - 1];
                candidateState[at] = candidateState[at - 1];
            }
            candidateRank[at] = rank;
            candidateVia[at] = via;
            candidateState[at] = state;
        }
    }

    private int nextUnused(int from, int to) {
        for (int i = from; i < to; i++) {
            if ((used[i >>> 6] & 1L << i) == 0) {
                return i;
            }
        }
        return -1;
    }

    private void moveTo(int target) {
        while (layer < target) {
            clear(layer);
            layer++;
            activate(layer);
        }
        while (layer > target) {
            for (int i = part.startsAt[layer]; i < part.startsAt[layer + 1]; i++) {
                clear(part.starting[i]);
            }
            layer--;
            set(layer);
        }
    }

    private void activate(int at) {
        for (int i = part.startsAt[at]; i < part.startsAt[at + 1]; i++) {
            set(part.starting[i]);
        }
    }

    private void set(int op) {
        int slot = part.okSlot[op];
        slotOp[slot] = op;
        pending[slot >>> 6] |= 1L << slot;
        if (part.readsOnly[part.okKind[op]]) {
            pendingReads[slot >>> 6] |= 1L << slot;
        }
        if (part.idle[part.okKind[op]]) {
            pendingIdle[slot >>> 6] |= 1L << slot;
        }
    }

    private void clear(int op) {
        int slot = part.okSlot[op];
        pending[slot >>> 6] &= ~(1L << slot);
        pendingReads[slot >>> 6] &= ~(1L << slot);
        pendingIdle[slot >>> 6] &= ~(1L << slot);
    }
}

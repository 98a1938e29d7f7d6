package io.tombolo.chaos.check.linear;

import java.util.Arrays;

/// Follows one way as far as it goes, then turns back to the last choice. Finds most linearisations at once; when a
/// wrong choice shows only much later, it is lost.
final class DepthFirst extends Search {
    private static final int BEGIN = -1;

    private final int limit;
    /// The stack: entry, where its candidates are, which is next.
    private int[] frameEntry = new int[256];
    private int[] frameNext = new int[256];
    private int[] frameEnd = new int[256];
    private int depth;

    /// @param limit configurations, after which it ends as [Outcome#NARROW]
    DepthFirst(Part part, Transitions steps, boolean looksAhead, int limit) {
        super(part, steps, looksAhead);
        this.limit = limit;
    }

    @Override
    Outcome search(Bounds bounds) {
        for (int turn = 1; depth > 0 && !found; turn++) {
            Outcome exceeded = exceeded(bounds, turn);
            if (exceeded != null) {
                return exceeded;
            }
            if (arena.size() > limit) {
                return Outcome.NARROW;
            }
            advance();
        }
        return found ? Outcome.FOUND : Outcome.EXHAUSTED;
    }

    @Override
    void keep(int entry) {
        if (depth == frameEntry.length) {
            frameEntry = Arrays.copyOf(frameEntry, 2 * depth);
            frameNext = Arrays.copyOf(frameNext, 2 * depth);
            frameEnd = Arrays.copyOf(frameEnd, 2 * depth);
        }
        frameEntry[depth] = entry;
        frameNext[depth] = BEGIN;
        frameEnd[depth] = BEGIN;
        depth++;
    }

    /// One step: the next child of the configuration on top, or back.
    private void advance() {
        int top = depth - 1;
        int entry = frameEntry[top];
        int state = load(entry);
        if (frameNext[top] == BEGIN) {
            // First what has to come next anyway.
            frameNext[top] = candidates;
            int next = steps.step(state, part.okKind[layer]);
            if (next != Transitions.ILLEGAL) {
                tryPlace(layer, state, next, entry);
                return;
            }
        }
        if (frameEnd[top] == BEGIN) {
            collect(state);
            frameEnd[top] = candidates;
        }
        int at = frameNext[top]++;
        if (at == frameEnd[top]) {
            depth--;
            // Those of this frame are the last ones.
            candidates = depth == 0 ? 0 : Math.max(frameNext[depth - 1], frameEnd[depth - 1]);
            return;
        }
        tryPlace(candidateVia[at], state, candidateState[at], entry);
    }
}

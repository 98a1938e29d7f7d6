package io.tombolo.chaos.history;

/// What a reader of history files takes; a file from anywhere must not use up the heap or the stack.
///
/// @param maxChars      characters of the whole file
/// @param maxEvents     events of it
/// @param maxEventChars characters of one event
/// @param maxDepth      nesting of lists, maps and tags; at most [HistoryValues#MAX_DEPTH]
public record HistoryLimits(long maxChars, int maxEvents, int maxEventChars, int maxDepth) {
    /// A run of hours at 1,000 operations a second; events with lists of some ten thousand elements.
    public static final HistoryLimits DEFAULT = new HistoryLimits(4L << 30, 10_000_000, 1 << 20,
            HistoryValues.MAX_DEPTH);

    public HistoryLimits {
        if (maxChars <= 0 || maxEvents <= 0 || maxEventChars <= 0 || maxDepth <= 0
                || maxDepth > HistoryValues.MAX_DEPTH) {
            throw new IllegalArgumentException("limits out of range");
        }
    }
}

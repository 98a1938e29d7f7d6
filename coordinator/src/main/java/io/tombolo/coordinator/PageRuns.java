package io.tombolo.coordinator;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A set of pages as runs of consecutive ones, in order. Immutable; built page by page with [Builder].
///
/// It never has more than [#MAX_RUNS] runs: beyond that, the last run grows over the gap. It is a list of what to ask
/// for, and to ask for some pages too many only makes their statuses come back.
///
/// @param runs  in order, not touching
/// @param pages how many pages were put in; those of gaps are not counted
public record PageRuns(List<Run> runs, long pages) {
    /// No pages.
    public static final PageRuns NONE = new PageRuns(List.of(), 0);
    /// One call each; a pass over so many takes a second.
    static final int MAX_RUNS = 4_096;

    public PageRuns {
        runs = List.copyOf(runs);
    }

    /// Consecutive pages.
    public record Run(long first, long count) {
        long end() {
            return first + count;
        }
    }

    /// The first pages from `page` on that are in the set, at most `limit` and all of one run; empty when none is left.
    Optional<Run> next(long page, int limit) {
        int low = 0;
        int high = runs.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (runs.get(middle).end() > page) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        if (low == runs.size()) {
            return Optional.empty();
        }
        long first = Math.max(page, runs.get(low).first());
        return Optional.of(new Run(first, Math.min(limit, runs.get(low).end() - first)));
    }

    boolean isEmpty() {
        return runs.isEmpty();
    }

    /// Adds to a set. Pages come in ascending order.
    static final class Builder {
        private final List<Run> done = new ArrayList<>();
        private long first;
        private long end;
        private long pages;

        Builder(PageRuns start) {
            done.addAll(start.runs());
            pages = start.pages();
            if (!done.isEmpty()) {
                Run last = done.removeLast();
                first = last.first();
                end = last.end();
            }
        }

        void add(long page) {
            if (end == first) {
                first = page;
            } else if (page != end && done.size() + 1 < MAX_RUNS) {
                done.add(new Run(first, end - first));
                first = page;
            }
            end = page + 1;
            pages++;
        }

        PageRuns build() {
            List<Run> all = new ArrayList<>(done);
            if (end > first) {
                all.add(new Run(first, end - first));
            }
            return new PageRuns(all, pages);
        }
    }
}

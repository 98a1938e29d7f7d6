package io.tombolo.chaos.explore;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Walks all worlds of a [Model], breadth first, so that the first world that must not be is one of those with the
/// shortest way to it. After the walk every world must have a good one in reach without faults.
///
/// One thread; memory some 40 bytes a world and four bytes a step.
///
/// @param <W> a world
public final class Explorer<W> {
    private final Model<W> model;
    private final long maxStates;
    private StateStore store;
    private int[] edges = new int[1 << 16];
    private int edgeCount;
    private int[] edgeStart = new int[1 << 16];
    private long transitions;
    private int depth;
    private String found;
    private int foundAt = -1;

    /// @param maxStates the walk is given up beyond
    public Explorer(Model<W> model, long maxStates) {
        this.model = requireNonNull(model, "model is null");
        this.maxStates = maxStates;
    }

    /// How an exploration ended.
    ///
    /// @param complete every world was met
    /// @param states worlds met
    /// @param transitions steps taken
    /// @param depth steps of the longest shortest way
    /// @param millis time
    /// @param violation what is wrong, if anything
    /// @param trace the steps to it, then the world itself
    public record Result(boolean complete, int states, long transitions, int depth, long millis,
            Optional<String> violation, List<String> trace) {
        public Result {
            requireNonNull(violation, "violation is null");
            trace = List.copyOf(trace);
        }
    }

    /// Explores.
    public Result run() {
        long startNs = System.nanoTime();
        edgeCount = 0;
        transitions = 0;
        found = null;
        List<W> starts = model.starts();
        store = new StateStore(model.parts(starts.getFirst()).length);
        for (W start : starts) {
            meet(start, null, null, -1);
        }
        boolean complete = walk();
        if (found == null && complete) {
            findDeadEnd();
        }
        List<String> trace = found == null ? List.of() : trace(foundAt);
        return new Result(complete && found == null, store.size(), transitions, depth,
                (System.nanoTime() - startNs) / 1_000_000, Optional.ofNullable(found), trace);
    }

    /// How many values each part of a world took.
    public List<Integer> partSizes() {
        return store.partSizes();
    }

    private boolean walk() {
        int[] row = new int[store.partSizes().size()];
        int levelEnd = store.size();
        depth = 0;
        for (int at = 0; at < store.size() && found == null; at++) {
            if (at == levelEnd) {
                levelEnd = store.size();
                depth++;
            }
            if (store.size() > maxStates) {
                return false;
            }
            if (at + 1 >= edgeStart.length) {
                edgeStart = Arrays.copyOf(edgeStart, edgeStart.length * 2);
            }
            edgeStart[at] = edgeCount;
            store.copyRow(at, row);
            Object[] parts = store.world(row);
            int parent = at;
            model.steps(model.of(parts), new Model.Steps<>() {
                @Override
                public void step(String who, String what, W after) {
                    int number = meet(after, parts, row, parent);
                    if (number != parent) {
                        edge(number);
                    }
                }

                @Override
                public void fault(String who, String what, W after) {
                    meet(after, parts, row, parent);
                }
            });
            edgeStart[at + 1] = edgeCount;
        }
        return found == null;
    }

    private int meet(W world, Object[] from, int[] fromRow, int parent) {
        transitions++;
        Object[] parts = model.parts(world);
        int[] row = new int[parts.length];
        store.row(parts, from, fromRow, row);
        int number = store.add(row, parent);
        if (number >= 0) {
            return number;
        }
        int added = store.size() - 1;
        if (found == null) {
            model.violation(world).ifPresent(what -> {
                found = what;
                foundAt = added;
            });
        }
        return added;
    }

    private void edge(int to) {
        if (edgeCount == edges.length) {
            edges = Arrays.copyOf(edges, edges.length + edges.length / 2);
        }
        edges[edgeCount++] = to;
    }

    /// Good worlds are marked, then whatever leads to a marked one, until nothing changes.
    private void findDeadEnd() {
        boolean[] reaches = new boolean[store.size()];
        int[] row = new int[store.partSizes().size()];
        for (int at = 0; at < reaches.length; at++) {
            store.copyRow(at, row);
            reaches[at] = model.isGood(model.of(store.world(row)));
        }
        boolean changed = true;
        while (changed) {
            changed = false;
            for (int at = reaches.length - 1; at >= 0; at--) {
                for (int edge = edgeStart[at]; !reaches[at] && edge < edgeStart[at + 1]; edge++) {
                    if (reaches[edges[edge]]) {
                        reaches[at] = true;
                        changed = true;
                    }
                }
            }
        }
        for (int at = 0; at < reaches.length && found == null; at++) {
            if (!reaches[at]) {
                found = "no way leads from here to a good end";
                foundAt = at;
            }
        }
    }

    private W world(int number) {
        int[] row = new int[store.partSizes().size()];
        store.copyRow(number, row);
        return model.of(store.world(row));
    }

    /// The steps that led to a world, each found again by taking all steps of the one before.
    private List<String> trace(int number) {
        List<String> lines = new ArrayList<>();
        lines.add("   = " + world(number));
        for (int at = number; store.parent(at) >= 0; at = store.parent(at)) {
            Object[] wanted = model.parts(world(at));
            List<String> names = new ArrayList<>();
            model.steps(world(store.parent(at)), new Model.Steps<>() {
                @Override
                public void step(String who, String what, W after) {
                    if (Arrays.equals(model.parts(after), wanted)) {
                        names.add(who + ": " + what);
                    }
                }

                @Override
                public void fault(String who, String what, W after) {
                    if (Arrays.equals(model.parts(after), wanted)) {
                        names.add(who + ": " + what + "   (fault)");
                    }
                }
            });
            lines.addFirst(names.getFirst());
        }
        for (int i = 0; i < lines.size() - 1; i++) {
            lines.set(i, String.format("%3d %s", i + 1, lines.get(i)));
        }
        return lines;
    }
}

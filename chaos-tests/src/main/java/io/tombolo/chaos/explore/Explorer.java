package io.tombolo.chaos.explore;

import static java.util.Objects.requireNonNull;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// Walks all worlds of a [Model], breadth first, so that the first world that must not be is one of those with the
/// shortest way to it. After the walk every world must have a good one in reach without faults.
///
/// One thread; memory: [#BYTES_PER_WORLD].
///
/// @param <W> a world
public final class Explorer<W> {
    /// A world with its steps, generously: most of those explored so far need half of it.
    public static final long BYTES_PER_WORLD = 80;
    private static final int PROGRESS = 1_000_000;
    private static final String DEAD_END = "no way leads from here to a good end";

    private final Model<W> model;
    private final long maxStates;
    private final Consumer<String> progress;
    private StateStore store;
    private final Edges edges = new Edges();
    private long transitions;
    private int depth;
    private String found;
    private int foundAt = -1;

    /// @param maxStates the walk is given up beyond
    /// @param progress told now and then how far the walk is
    public Explorer(Model<W> model, long maxStates, Consumer<String> progress) {
        this.model = requireNonNull(model, "model is null");
        this.maxStates = maxStates;
        this.progress = requireNonNull(progress, "progress is null");
    }

    /// How an exploration ended.
    ///
    /// @param complete every world was met
    /// @param states worlds met
    /// @param transitions steps taken
    /// @param depth steps of the longest shortest way
    /// @param millis time
    /// @param violation what is wrong, if anything
    /// @param trace the steps to it; the first is how it began
    public record Result(boolean complete, int states, long transitions, int depth, long millis,
            Optional<String> violation, List<TraceStep> trace) {
        public Result {
            requireNonNull(violation, "violation is null");
            trace = List.copyOf(trace);
        }

        /// How many steps lead to the violation.
        public int steps() {
            return Math.max(0, trace.size() - 1);
        }
    }

    /// One step of a trace.
    ///
    /// @param fault whether it is one of the faults
    /// @param changed what it changed of the world's facts, as they are after it
    public record TraceStep(String who, String what, boolean fault, Map<String, String> changed) {
        public TraceStep {
            changed = Collections.unmodifiableMap(new LinkedHashMap<>(changed));
        }

        /// On one line.
        @Override
        public String toString() {
            String step = who + (who.isEmpty() ? "" : ": ") + what + (fault ? " (fault)" : "");
            String facts = changed.entrySet().stream().map(fact -> fact.getKey() + " " + fact.getValue())
                    .collect(Collectors.joining("; "));
            return facts.isEmpty() ? step : String.format(Locale.ROOT, "%-52s | %s", step, facts);
        }
    }

    /// Explores.
    public Result run() {
        long startNs = System.nanoTime();
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
        List<TraceStep> trace = found == null ? List.of() : trace(foundAt);
        return new Result(complete && found == null, store.size(), transitions, depth,
                (System.nanoTime() - startNs) / 1_000_000, Optional.ofNullable(found), trace);
    }

    /// What the worlds met take, for whoever looks where memory goes.
    String sizes() {
        return "parts " + store.partSizes() + ", pairs " + store.pairs() + ", bytes of edges " + edges.bytes();
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
            if (at > 0 && at % PROGRESS == 0) {
                progress.accept(String.format(Locale.ROOT, "%s: looked at %,d of %,d worlds", model.name(), at,
                        store.size()));
            }
            edges.next();
            store.copyRow(at, row);
            Object[] parts = store.world(row);
            int parent = at;
            model.steps(model.of(parts), new Model.Steps<>() {
                @Override
                public void step(String who, String what, W after) {
                    int number = meet(after, parts, row, parent);
                    if (number != parent) {
                        edges.add(number);
                    }
                }

                @Override
                public void fault(String who, String what, W after) {
                    meet(after, parts, row, parent);
                }
            });
        }
        return found == null;
    }

    private int meet(W met, Object[] from, int[] fromRow, int parent) {
        transitions++;
        W world = model.canonical(met);
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

    /// Good worlds are marked, then whatever leads to a marked one, until nothing changes.
    private void findDeadEnd() {
        BitSet reaches = new BitSet(store.size());
        int[] row = new int[store.partSizes().size()];
        for (int at = 0; at < store.size(); at++) {
            store.copyRow(at, row);
            reaches.set(at, model.isGood(model.of(store.world(row))));
        }
        boolean changed = true;
        while (changed) {
            changed = false;
            for (int at = reaches.previousClearBit(store.size() - 1); at >= 0; at = reaches.previousClearBit(at - 1)) {
                if (edges.anyTo(at, reaches::get)) {
                    reaches.set(at);
                    changed = true;
                }
            }
        }
        int first = reaches.nextClearBit(0);
        if (first < store.size()) {
            found = DEAD_END;
            foundAt = first;
        }
    }

    /// The steps that led to a world, each found again by taking all steps of the one before: under the names that its
    /// start has.
    private List<TraceStep> trace(int number) {
        ArrayDeque<Integer> way = new ArrayDeque<>();
        for (int at = number; at >= 0; at = store.parent(at)) {
            way.addFirst(at);
        }
        Object[] start = parts(way.removeFirst());
        W before = model.starts().stream().filter(world -> isKeptAs(world, start)).findFirst().orElseThrow();
        List<TraceStep> steps = new ArrayList<>();
        steps.add(new TraceStep("", "in the beginning", false, model.facts(before)));
        for (int at : way) {
            Object[] wanted = parts(at);
            Optional<W> after = follow(before, wanted, steps);
            // Of a world that stands for others all of this is known, if not by the names of before.
            before = after.isPresent()
                    ? after.get()
                    : follow(model.of(parts(store.parent(at))), wanted, steps).orElseThrow();
        }
        return steps;
    }

    private Optional<W> follow(W before, Object[] wanted, List<TraceStep> steps) {
        List<W> found = new ArrayList<>();
        model.steps(before, new Model.Steps<>() {
            @Override
            public void step(String who, String what, W to) {
                take(who, what, false, to);
            }

            @Override
            public void fault(String who, String what, W to) {
                take(who, what, true, to);
            }

            private void take(String who, String what, boolean fault, W to) {
                if (found.isEmpty() && isKeptAs(to, wanted)) {
                    Map<String, String> changed = new LinkedHashMap<>(model.facts(to));
                    changed.entrySet().removeAll(model.facts(before).entrySet());
                    steps.add(new TraceStep(who, what, fault, changed));
                    found.add(to);
                }
            }
        });
        return found.stream().findFirst();
    }

    private boolean isKeptAs(W world, Object[] parts) {
        return Arrays.equals(model.parts(model.canonical(world)), parts);
    }

    private Object[] parts(int number) {
        int[] row = new int[store.partSizes().size()];
        store.copyRow(number, row);
        return store.world(row);
    }
}

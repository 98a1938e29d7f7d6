package io.tombolo.chaos.check.linear;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.SimulatedHistories;
import io.tombolo.chaos.check.SimulatedHistories.Shape;
import io.tombolo.chaos.check.Verdict;
import io.tombolo.chaos.check.linear.LinearizabilityChecker.Effort;
import io.tombolo.chaos.check.model.AppendModel;
import io.tombolo.chaos.check.model.Call;
import io.tombolo.chaos.check.model.Model;
import io.tombolo.chaos.check.model.RegisterModel;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.history.OpType;
import io.tombolo.chaos.history.Operation;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/// The checker, with all that it leaves out of its search, against Wing and Gong's search with Lowe's memory and
/// nothing left out, on histories of a dozen to thirty operations: good ones, and the same with one answer changed.
class LongerHistoriesTest {
    private static final int HISTORIES = Integer.getInteger("tombolo.bruteforce.histories", 600);
    private static final CheckContext CONTEXT = CheckContext.defaults().withThreads(1);

    @Test
    void agreesOnCasRegistersOfFewValues() {
        agrees(() -> new RegisterModel(null, true), new Shape(30, 1, 5, 3, 0.25, true));
    }

    @Test
    void agreesOnRegistersOfManyValues() {
        agrees(() -> new RegisterModel(null, false), new Shape(30, 1, 6, 1_000, 0.25, false));
    }

    @Test
    void agreesOnLists() {
        int bad = 0;
        for (long seed = 0; seed < HISTORIES; seed++) {
            Random random = new Random(seed);
            History history = lists(random);
            bad += agree(history, AppendModel::new, seed) ? 0 : 1;
            bad += agree(mutatedList(history, random), AppendModel::new, seed) ? 0 : 1;
        }
        assertThat(bad).isBetween(HISTORIES / 4, 3 * HISTORIES / 2);
    }

    private static void agrees(Supplier<Model> model, Shape shape) {
        int bad = 0;
        for (long seed = 0; seed < HISTORIES; seed++) {
            History history = SimulatedHistories.single(shape, seed);
            assertThat(agree(history, model, seed)).as("seed %d", seed).isTrue();
            bad += agree(mutated(history, new Random(seed), shape.values()), model, seed) ? 0 : 1;
        }
        assertThat(bad).isBetween(HISTORIES / 6, HISTORIES);
    }

    private static boolean agree(History history, Supplier<Model> model, long seed) {
        boolean expected = isLinearizable(history, model.get());
        if (history.operations().stream().anyMatch(Operation::isOk)) {
            for (Effort effort : List.of(Effort.USUAL, new Effort(0, 1))) {
                assertThat(new LinearizabilityChecker("x", model, false, effort).check(history, CONTEXT).verdict())
                        .as(() -> "seed " + seed + ": " + history.events())
                        .isEqualTo(expected ? Verdict.VALID : Verdict.INVALID);
            }
        }
        return expected;
    }

    private static boolean isLinearizable(History history, Model model) {
        List<Operation> operations = history.operations().stream().filter(o -> o.outcome() != OpType.FAIL).toList();
        return fits(operations, new BitSet(), model.initial(), model, new HashSet<>());
    }

    private static boolean fits(List<Operation> operations, BitSet placed, Object state, Model model,
            Set<List<Object>> seen) {
        long earliest = Long.MAX_VALUE;
        for (int i = placed.nextClearBit(0); i < operations.size(); i = placed.nextClearBit(i + 1)) {
            if (operations.get(i).isOk()) {
                earliest = Math.min(earliest, operations.get(i).completion().index());
            }
        }
        if (earliest == Long.MAX_VALUE) {
            return true;
        }
        List<Object> configuration = new ArrayList<>(List.of(placed.clone()));
        configuration.add(state);
        if (!seen.add(configuration)) {
            return false;
        }
        for (int i = placed.nextClearBit(0); i < operations.size(); i = placed.nextClearBit(i + 1)) {
            Operation operation = operations.get(i);
            if (operation.invocation().index() > earliest) {
                break;
            }
            Object next = model.step(state,
                    new Call(operation.f(), operation.input(), operation.output(), operation.isOk()));
            if (Model.isIllegal(next)) {
                continue;
            }
            placed.set(i);
            boolean fits = fits(operations, placed, next, model, seen);
            placed.clear(i);
            if (fits) {
                return true;
            }
        }
        return false;
    }

    private static History mutated(History history, Random random, int values) {
        List<HistoryEvent> events = new ArrayList<>(history.events());
        List<Integer> reads = places(events, "read");
        if (!reads.isEmpty()) {
            int at = reads.get(random.nextInt(reads.size()));
            // A value that was there at some time, or may have been.
            Object other = random.nextBoolean()
                    ? events.get(reads.get(random.nextInt(reads.size()))).value()
                    : (Object) (long) random.nextInt(values);
            events.set(at, with(events.get(at), other));
        }
        return History.of(events);
    }

    private static History mutatedList(History history, Random random) {
        List<HistoryEvent> events = new ArrayList<>(history.events());
        List<Integer> reads = places(events, "read");
        if (!reads.isEmpty()) {
            int at = reads.get(random.nextInt(reads.size()));
            List<Object> list = new ArrayList<>((List<?>) events.get(at).value());
            if (list.isEmpty() || random.nextInt(3) == 0) {
                list.add((long) random.nextInt(30));
            } else {
                Object moved = list.remove(random.nextInt(list.size()));
                if (random.nextBoolean()) {
                    list.add(random.nextInt(list.size() + 1), moved);
                }
            }
            events.set(at, with(events.get(at), list));
        }
        return History.of(events);
    }

    private static List<Integer> places(List<HistoryEvent> events, String f) {
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < events.size(); i++) {
            if (events.get(i).type() == OpType.OK && events.get(i).f().equals(f)) {
                places.add(i);
            }
        }
        return places;
    }

    private static HistoryEvent with(HistoryEvent e, Object value) {
        return new HistoryEvent(e.index(), e.timeNs(), e.type(), e.process(), e.f(), value, e.error());
    }

    /// A real list under four processes: each operation takes effect at one step between its events.
    private static History lists(Random random) {
        List<HistoryEvent> events = new ArrayList<>();
        List<Object> list = new ArrayList<>();
        int processes = 4;
        String[] open = new String[processes];
        Object[] input = new Object[processes];
        Object[] output = new Object[processes];
        boolean[] applied = new boolean[processes];
        long[] ids = {0, 1, 2, 3};
        int left = 12;
        for (int steps = 0; steps < 200; steps++) {
            int p = random.nextInt(processes);
            if (open[p] == null) {
                if (left-- > 0) {
                    int kind = random.nextInt(10);
                    open[p] = kind < 4 ? "read" : kind < 9 ? "append" : "write";
                    input[p] = kind < 4 ? null : kind < 9 ? (Object) (long) steps : List.of((long) steps);
                    applied[p] = false;
                    events.add(event(events, OpType.INVOKE, ids[p], open[p], input[p]));
                }
            } else if (!applied[p] && random.nextInt(8) != 0) {
                applied[p] = true;
                switch (open[p]) {
                    case "read" -> output[p] = List.copyOf(list);
                    case "append" -> list.add(input[p]);
                    default -> {
                        list.clear();
                        list.addAll((List<?>) input[p]);
                    }
                }
            } else {
                boolean ok = applied[p] && random.nextInt(8) != 0;
                events.add(event(events, ok ? OpType.OK : OpType.INFO, ids[p], open[p],
                        ok && open[p].equals("read") ? output[p] : input[p]));
                ids[p] += ok ? 0 : processes;
                open[p] = null;
            }
        }
        return History.of(events);
    }

    private static HistoryEvent event(List<HistoryEvent> before, OpType type, long process, String f, Object value) {
        return new HistoryEvent(before.size(), before.size(), type, process, f, value, null);
    }
}

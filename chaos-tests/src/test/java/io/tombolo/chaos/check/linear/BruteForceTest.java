package io.tombolo.chaos.check.linear;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.SimulatedHistories;
import io.tombolo.chaos.check.SimulatedHistories.Shape;
import io.tombolo.chaos.check.Verdict;
import io.tombolo.chaos.check.model.AppendModel;
import io.tombolo.chaos.check.model.BankModel;
import io.tombolo.chaos.check.model.Model;
import io.tombolo.chaos.check.model.RegisterModel;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.history.OpType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/// The checker against every order, on thousands of small histories of every model. A failure prints its seed and the
/// history.
class BruteForceTest {
    /// More with `-Dtombolo.bruteforce.histories=N`.
    private static final int HISTORIES = Integer.getInteger("tombolo.bruteforce.histories", 2_000);
    private static final LinearizabilityChecker.Effort LAYERS_ONLY = new LinearizabilityChecker.Effort(0, 1);
    private static final int MOST_OPERATIONS = 7;
    private static final CheckContext CONTEXT = CheckContext.defaults().withThreads(1);

    @Test
    void agreesOnRandomCasRegisters() {
        agrees(() -> new RegisterModel(null, true), random -> random(random, BruteForceTest::casOperation));
    }

    @Test
    void agreesOnRandomRegisters() {
        agrees(() -> new RegisterModel(0L, false), random -> random(random, BruteForceTest::registerOperation));
    }

    @Test
    void agreesOnRandomLists() {
        agrees(AppendModel::new, random -> random(random, BruteForceTest::listOperation));
    }

    @Test
    void agreesOnRandomBanks() {
        agrees(() -> new BankModel(Map.of("a", 2L, "b", 1L), false),
                random -> random(random, BruteForceTest::bankOperation));
    }

    @Test
    void agreesOnBanksWithUnknownBalances() {
        agrees(() -> new BankModel(null, false), random -> random(random, BruteForceTest::bankOperation));
    }

    @Test
    void agreesOnGoodHistoriesWithOneReadChanged() {
        Shape shape = new Shape(MOST_OPERATIONS, 1, 4, 3, 0.3, true);
        agrees(() -> new RegisterModel(null, true),
                random -> mutated(SimulatedHistories.single(shape, random.nextLong()), random));
    }

    @Test
    void acceptsEveryHistoryOfARealRegister() {
        for (long seed = 0; seed < 2_000; seed++) {
            Shape shape = new Shape(60, 1, 6, 4, 0.2, true);
            History history = SimulatedHistories.single(shape, seed);

            assertThat(verdict(history, () -> new RegisterModel(null, true))).as("seed %d", seed)
                    .isNotEqualTo(Verdict.INVALID);
        }
    }

    /// Half of the histories must be good and half bad, roughly, or the comparison says little.
    private static void agrees(Supplier<Model> model, Function<Random, History> histories) {
        int good = 0;
        int bad = 0;
        for (long seed = 0; seed < HISTORIES; seed++) {
            History history = histories.apply(new Random(seed));
            boolean expected = BruteForce.isLinearizable(history, model.get());
            Verdict verdict = verdict(history, model);
            if (verdict == Verdict.UNKNOWN) {
                continue;
            }
            assertThat(verdict).as("seed %d:%n%s", seed, text(history))
                    .isEqualTo(expected ? Verdict.VALID : Verdict.INVALID);
            good += expected ? 1 : 0;
            bad += expected ? 0 : 1;
        }
        assertThat(Math.min(good, bad)).as("good %d, bad %d", good, bad).isGreaterThan(HISTORIES / 20);
    }

    private static Verdict verdict(History history, Supplier<Model> model) {
        CheckResult result = new LinearizabilityChecker(model, false).check(history, CONTEXT);
        CheckResult other = new LinearizabilityChecker("layers", model, false, LAYERS_ONLY).check(history, CONTEXT);
        assertThat(other.verdict()).as(() -> text(history)).isEqualTo(result.verdict());
        if (result.verdict() == Verdict.UNKNOWN) {
            assertThat(result.details().get(CheckResult.REASON)).asString().startsWith("no operation is ok");
        }
        return result.verdict();
    }

    private static String text(History history) {
        StringBuilder text = new StringBuilder();
        history.events().forEach(e -> text.append(e).append('\n'));
        return text.toString();
    }

    /// One operation: f, its input, and an answer that it may have had.
    private record Guess(String f, Object input, Object output) {
    }

    private static History random(Random random, Function<Random, Guess> operations) {
        int total = 2 + random.nextInt(MOST_OPERATIONS - 1);
        List<HistoryEvent> events = new ArrayList<>();
        Map<Long, Guess> open = new TreeMap<>();
        long nextProcess = 0;
        while (nextProcess < total || !open.isEmpty()) {
            if (nextProcess < total && (open.isEmpty() || (open.size() < 4 && random.nextBoolean()))) {
                Guess guess = operations.apply(random);
                open.put(nextProcess, guess);
                events.add(event(events, OpType.INVOKE, nextProcess++, guess.f(), guess.input()));
            } else {
                long process = List.copyOf(open.keySet()).get(random.nextInt(open.size()));
                Guess guess = open.remove(process);
                int outcome = random.nextInt(10);
                if (outcome == 0) {
                    events.add(event(events, OpType.FAIL, process, guess.f(), guess.input()));
                } else if (outcome <= 2) {
                    events.add(event(events, OpType.INFO, process, guess.f(), guess.input()));
                } else if (outcome > 3) {
                    events.add(event(events, OpType.OK, process, guess.f(), guess.output()));
                }
            }
        }
        return History.of(events);
    }

    private static HistoryEvent event(List<HistoryEvent> before, OpType type, long process, String f, Object value) {
        return new HistoryEvent(before.size(), before.size(), type, process, f, value, null);
    }

    private static Guess casOperation(Random random) {
        long value = random.nextInt(2);
        return switch (random.nextInt(3)) {
            case 0 -> new Guess("read", null, value);
            case 1 -> new Guess("write", value, value);
            default -> {
                Object pair = List.of((long) random.nextInt(2), (long) random.nextInt(2));
                yield new Guess("cas", pair, pair);
            }
        };
    }

    private static Guess registerOperation(Random random) {
        long value = random.nextInt(3);
        return random.nextBoolean() ? new Guess("read", null, value) : new Guess("write", value, value);
    }

    private static Guess listOperation(Random random) {
        List<Object> list = new ArrayList<>();
        for (int i = random.nextInt(3); i > 0; i--) {
            list.add((long) random.nextInt(2));
        }
        return switch (random.nextInt(7)) {
            case 0, 1, 2 -> new Guess("read", null, list.isEmpty() ? null : list);
            case 3 -> new Guess("write", list, list);
            default -> new Guess("append", (long) random.nextInt(2), null);
        };
    }

    private static Guess bankOperation(Random random) {
        if (random.nextInt(5) < 2) {
            long a = random.nextInt(4);
            return new Guess("read", null, random.nextInt(4) == 0 ? Map.of("a", a) : Map.of("a", a, "b", 3 - a));
        }
        boolean there = random.nextBoolean();
        return new Guess("transfer", Map.of("from", there ? "a" : "b", "to", there ? "b" : "a", "amount",
                1L + random.nextInt(2)), null);
    }

    private static History mutated(History history, Random random) {
        List<HistoryEvent> events = new ArrayList<>(history.events());
        List<Integer> reads = new ArrayList<>();
        for (int i = 0; i < events.size(); i++) {
            if (events.get(i).type() == OpType.OK && events.get(i).f().equals("read")) {
                reads.add(i);
            }
        }
        if (!reads.isEmpty()) {
            int at = reads.get(random.nextInt(reads.size()));
            HistoryEvent e = events.get(at);
            events.set(at, new HistoryEvent(e.index(), e.timeNs(), e.type(), e.process(), e.f(),
                    (long) random.nextInt(3), e.error()));
        }
        return History.of(events);
    }
}

package io.tombolo.chaos.generator;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.chaos.generator.Generator.Next;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.history.OpType;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class GeneratorsTest {
    private static final List<Integer> THREADS = List.of(Context.NEMESIS, 0, 1, 2, 3);

    /// What a generator gives when every thread is done at once, a millisecond after the other; "-" for nothing.
    private static List<String> run(Generator generator, int steps, int ms) {
        List<String> all = new ArrayList<>();
        Generator now = generator;
        for (int i = 0; i < steps; i++) {
            switch (now.next(new Context(1_000_000L * i * ms, THREADS, THREADS))) {
                case Next.Emit e -> {
                    all.add(e.thread() + ":" + e.call().f() + (e.call().value() == null ? "" : e.call().value()));
                    now = e.then();
                }
                case Next.Wait w -> {
                    all.add("-");
                    now = w.then();
                }
                case Next.Done _ -> {
                    all.add("end");
                    return all;
                }
            }
        }
        return all;
    }

    private static Generator named(String name) {
        return Generators.calls(_ -> new Call(name, null));
    }

    private static Call random(SplittableRandom random) {
        return new Call("op", random.nextLong(1000));
    }

    @Test
    void theSameSeedGivesTheSameSequenceAndAnotherSeedAnother() {
        List<String> first = run(Generators.calls(1, GeneratorsTest::random), 50, 1);
        assertThat(run(Generators.calls(1, GeneratorsTest::random), 50, 1)).isEqualTo(first);
        assertThat(run(Generators.calls(2, GeneratorsTest::random), 50, 1)).isNotEqualTo(first);
    }

    @Test
    void askingTwiceGivesTheSameAnswer() {
        Generator mix = Generators.mix(7, List.of(named("a"), named("b"), named("c")));
        assertThat(run(mix, 30, 1)).isEqualTo(run(mix, 30, 1)).anyMatch(op -> op.contains("c"));
    }

    @Test
    void aLimitEndsAfterSoManyCalls() {
        assertThat(run(Generators.limit(2, named("a")), 5, 1)).containsExactly("-1:a", "-1:a", "end");
    }

    @Test
    void aTimeLimitCountsFromTheFirstQuestion() {
        assertThat(run(Generators.timeLimit(2_500_000, named("a")), 9, 1)).containsExactly("-1:a", "-1:a", "-1:a",
                "end");
    }

    @Test
    void clientsAndNemesisGetTheirOwnThreads() {
        assertThat(run(Generators.any(Generators.nemesis(Generators.limit(1, named("fault"))),
                Generators.clients(Generators.limit(2, named("op")))), 9, 1))
                .containsExactly("-1:fault", "0:op", "0:op", "end");
    }

    @Test
    void aPhaseWaitsUntilAllThreadsOfTheOneBeforeAreBack() {
        Generator phases = Generators.phases(Generators.limit(1, named("a")), named("b"));
        Next first = phases.next(new Context(0, THREADS, THREADS));
        assertThat(first).isInstanceOf(Next.Emit.class);
        Generator then = ((Next.Emit) first).then();
        assertThat(then.next(new Context(1, List.of(0, 1), THREADS))).isInstanceOf(Next.Wait.class);
        assertThat(then.next(new Context(2, THREADS, THREADS))).isInstanceOfSatisfying(Next.Emit.class,
                emit -> assertThat(emit.call().f()).isEqualTo("b"));
    }

    @Test
    void staggeredCallsAreOnAverageThatFarApart() {
        List<String> all = run(Generators.stagger(10_000_000, 3, named("a")), 10_000, 1);
        assertThat(all.stream().filter(op -> !op.equals("-")).count()).isBetween(850L, 1150L);
    }

    @Test
    void aKeyEndsAfterSoManyCallsAndTheGroupsTakeTurns() {
        Generator keys = Generators.perKey(List.of(0, 1, 2, 3), 2, 3, 9, _ -> named("r"));
        assertThat(run(Generators.clients(keys), 12, 1)).containsExactly("0:r[0, null]", "2:r[1, null]",
                "0:r[0, null]", "2:r[1, null]", "0:r[0, null]", "2:r[1, null]", "0:r[2, null]", "2:r[3, null]",
                "0:r[2, null]", "2:r[3, null]", "0:r[2, null]", "2:r[3, null]");
    }

    @Test
    void aKeyWithTooManyUnknownsOrThatIsGoneIsGivenUp() {
        Context context = new Context(0, List.of(0, 1), List.of(0, 1));
        Generator keys = Generators.perKey(List.of(0, 1), 2, 100, 2, _ -> named("r"));
        Generator once = keys.update(context, 0, event(OpType.INFO, List.of(0L, 1L), null));
        assertThat(key(once, context)).isZero();
        assertThat(key(once.update(context, 1, event(OpType.INFO, List.of(0L, 1L), null)), context)).isEqualTo(1);
        assertThat(key(keys.update(context, 1, event(OpType.FAIL, List.of(0L, 1L), Generators.KEY_GONE)), context))
                .isEqualTo(1);
        assertThat(key(keys.update(context, 1, event(OpType.FAIL, List.of(0L, 1L), "mismatch")), context)).isZero();
    }

    private static long key(Generator keys, Context context) {
        Next.Emit emit = (Next.Emit) keys.next(context);
        return (Long) ((List<?>) emit.call().value()).getFirst();
    }

    private static HistoryEvent event(OpType type, Object value, String error) {
        return new HistoryEvent(0, 0, type, 0, "r", value, error);
    }

    @Test
    void sleepDoesNothingForItsTime() {
        assertThat(run(Generators.sleep(3_000_000), 9, 1)).containsExactly("-", "-", "-", "end");
    }
}

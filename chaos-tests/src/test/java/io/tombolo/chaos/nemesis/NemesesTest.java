package io.tombolo.chaos.nemesis;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.chaos.generator.Call;
import io.tombolo.chaos.generator.Context;
import io.tombolo.chaos.generator.Generator;
import io.tombolo.chaos.generator.Generator.Next;
import io.tombolo.chaos.nemesis.Nemeses.Tally;
import io.tombolo.chaos.workload.Completion;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class NemesesTest {
    private static final long PACE_NS = 1_000_000_000;
    private static final List<Integer> THREADS = List.of(Context.NEMESIS);

    private record Fake(String name, List<String> done) implements Nemesis {
        @Override
        public Map<String, Object> choose(SplittableRandom random) {
            return Map.of("pick", random.nextLong(1000));
        }

        @Override
        public Object begin(Map<String, Object> chosen) {
            done.add("begin " + name);
            return chosen.get("pick");
        }

        @Override
        public Object end() {
            done.add("end " + name);
            return "healed";
        }

        @Override
        public boolean tookEffect() {
            return name.equals("a");
        }
    }

    private final List<String> done = new ArrayList<>();

    private Nemeses nemeses(long seed) {
        return new Nemeses(List.of(new Fake("a", done), new Fake("b", done), new Fake("c", done)), seed, PACE_NS);
    }

    /// The calls of some minutes.
    private static List<Call> calls(Nemeses nemeses, int count) {
        List<Call> calls = new ArrayList<>();
        Generator now = nemeses.generator();
        for (long ms = 0; calls.size() < count; ms++) {
            switch (now.next(new Context(ms * 1_000_000, THREADS, THREADS))) {
                case Next.Emit e -> {
                    assertThat(e.thread()).isEqualTo(Context.NEMESIS);
                    calls.add(e.call());
                    now = e.then();
                }
                case Next.Wait w -> now = w.then();
                case Next.Done _ -> throw new AssertionError("it ends");
            }
        }
        return calls;
    }

    @Test
    void theSameSeedGivesTheSameFaultsAndAnotherSeedOthers() {
        assertThat(calls(nemeses(1), 60)).isEqualTo(calls(nemeses(1), 60));
        assertThat(calls(nemeses(1), 60)).isNotEqualTo(calls(nemeses(2), 60));
    }

    @Test
    void everyKindBeginsOnceInARoundAndNeverWhileItIsAtWork() {
        Set<String> active = new HashSet<>();
        List<String> begun = new ArrayList<>();
        for (Call call : calls(nemeses(3), 120)) {
            String name = call.f().substring(call.f().indexOf('-') + 1);
            if (call.f().startsWith("start-")) {
                assertThat(active.add(name)).as("%s begins", name).isTrue();
                begun.add(name);
            } else {
                assertThat(active.remove(name)).as("%s ends", name).isTrue();
            }
            assertThat(active).hasSizeLessThanOrEqualTo(2);
        }
        for (int i = 0; i + 3 <= begun.size(); i += 3) {
            assertThat(begun.subList(i, i + 3)).containsExactlyInAnyOrder("a", "b", "c");
        }
    }

    @Test
    void carriesOutWhatItSaysAndHealsEverythingAtTheEnd() {
        Nemeses nemeses = nemeses(4);
        Call start = calls(nemeses, 1).getFirst();
        Completion completion = nemeses.invoke(-1, start);
        assertThat(completion.value()).isEqualTo(((Map<?, ?>) start.value()).get("pick"));
        Generator now = nemeses.healing();
        while (now.next(new Context(0, THREADS, THREADS)) instanceof Next.Emit emit) {
            var _ = nemeses.invoke(-1, emit.call());
            now = emit.then();
        }
        assertThat(done).hasSize(4).contains("end a", "end b", "end c");
    }

    @Test
    void countsHowOftenAFaultWasBegunAndHowOftenItHit() {
        Nemeses nemeses = nemeses(5);
        for (String name : List.of("start-a", "stop-a", "stop-a", "start-b", "stop-b", "start-a")) {
            var _ = nemeses.invoke(-1, new Call(name, Map.of("pick", 1L)));
        }
        assertThat(nemeses.tallies()).containsExactly(Map.entry("a", new Tally(2, 1)), Map.entry("b", new Tally(1, 0)),
                Map.entry("c", new Tally(0, 0)));
    }
}

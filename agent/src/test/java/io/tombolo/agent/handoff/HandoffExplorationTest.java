package io.tombolo.agent.handoff;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Walks every interleaving of one hand-off, breadth first, with up to two crashes or lapses: at no point two runners,
/// at no point a runner whose epoch is not the owner word's, and every end is one that the case table in
/// docs/architecture.md has.
final class HandoffExplorationTest {
    private record Came(HandoffWorld before, String step) {
    }

    @ParameterizedTest(name = "faults={0} claims={1} refuses={2} copies={3}")
    @CsvSource({"0,false,false,false", "0,true,true,false", "1,false,true,false", "1,true,true,false",
            "2,false,true,false", "2,true,true,false", "0,true,false,true", "0,true,true,true", "1,true,true,true",
            "2,true,true,true"})
    void everyInterleavingHasAtMostOneRunnerAndADefinedEnd(int faults, boolean claims, boolean refuses,
            boolean copies) {
        Map<HandoffWorld, Came> seen = new HashMap<>();
        ArrayDeque<HandoffWorld> next = new ArrayDeque<>();
        HandoffWorld start = HandoffWorld.start(faults, claims, refuses, copies);
        seen.put(start, new Came(null, "start"));
        next.add(start);
        int[] ends = new int[1];
        while (!next.isEmpty()) {
            HandoffWorld world = next.poll();
            assertThat(world.violation()).as(() -> trace(seen, world)).isEmpty();
            List<String> own = new ArrayList<>();
            world.steps((step, after) -> {
                if (!step.endsWith("dies") && !step.endsWith("lapses") && !after.equals(world)) {
                    own.add(step);
                }
                if (seen.putIfAbsent(after, new Came(world, step)) == null) {
                    next.add(after);
                }
            });
            if (own.isEmpty()) {
                ends[0]++;
                Optional<String> bad = world.badEnd();
                assertThat(bad).as(() -> trace(seen, world)).isEmpty();
            }
        }
        System.out.println(
                "hand-off explored: faults=" + faults + " claims=" + claims + " refuses=" + refuses + " copies="
                        + copies + " states="
                        + seen.size() + " ends=" + ends[0]);
        assertThat(seen).hasSizeGreaterThan(50);
        assertThat(ends[0]).isPositive();
    }

    private static String trace(Map<HandoffWorld, Came> seen, HandoffWorld world) {
        List<String> steps = new ArrayList<>();
        for (HandoffWorld at = world; at != null; at = seen.get(at).before()) {
            steps.addFirst(seen.get(at).step());
        }
        return String.join("\n", steps) + "\n" + world;
    }
}

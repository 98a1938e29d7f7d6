package io.tombolo.chaos.explore;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A world that stands for others goes on as they do, so nothing is missed by keeping it alone.
final class PageSymmetryTest {
    private static final long SEED = Long.getLong("tombolo.seed", 1);

    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    void aWorldAndTheOneThatStandsForItLeadToTheSameWorlds(int faults) {
        PageModel model = new PageModel(new MoverSteps(2), faults, 3);
        Random random = new Random(SEED + faults);
        int renamed = 0;
        // Where the owner may die, most walks are short.
        for (int walk = 0; walk < (faults == 0 ? 60 : 400); walk++) {
            PageWorld world = model.starts().getFirst();
            for (int step = 0; step < 150; step++) {
                PageWorld kept = model.canonical(world);
                renamed += kept.equals(world) ? 0 : 1;
                assertThat(model.canonical(kept)).as("seed %d", SEED).isEqualTo(kept);
                assertThat(model.isGood(kept)).isEqualTo(model.isGood(world));
                assertThat(model.violation(kept)).isEqualTo(model.violation(world)).isEmpty();
                List<PageWorld> next = after(model, world);
                assertThat(keptOf(model, next, kept)).as("seed %d: after %s", SEED, world)
                        .isEqualTo(keptOf(model, after(model, kept), kept));
                if (next.isEmpty()) {
                    break;
                }
                world = next.get(random.nextInt(next.size()));
            }
        }
        assertThat(renamed).isGreaterThan(500);
    }

    /// A step that changes nothing but names is none.
    private static Set<PageWorld> keptOf(PageModel model, List<PageWorld> worlds, PageWorld before) {
        Set<PageWorld> kept = new HashSet<>(List.of(before));
        worlds.forEach(world -> kept.add(model.canonical(world)));
        return kept;
    }

    private static List<PageWorld> after(PageModel model, PageWorld world) {
        List<PageWorld> after = new ArrayList<>();
        model.steps(world, new Model.Steps<>() {
            @Override
            public void step(String who, String what, PageWorld to) {
                after.add(to);
            }

            @Override
            public void fault(String who, String what, PageWorld to) {
                after.add(to);
            }
        });
        return after;
    }
}

package io.tombolo.chaos.explore;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What an exploration keeps, against collections that anybody believes.
final class StateStoreTest {
    private static final long SEED = Long.getLong("tombolo.seed", 1);

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8, 9})
    void aWorldHasOneNumberAndComesBackByIt(int width) {
        Random random = new Random(SEED + width);
        StateStore store = new StateStore(width);
        Map<List<Object>, Integer> numbers = new HashMap<>();
        List<int[]> rows = new ArrayList<>();
        for (int i = 0; i < 40_000; i++) {
            Object[] world = new Object[width];
            Arrays.setAll(world, _ -> "part " + random.nextInt(width < 4 ? 150 : 9));
            int[] row = new int[width];
            store.row(world, null, null, row);
            int number = store.add(row, i);
            Integer known = numbers.putIfAbsent(List.of(world), numbers.size());
            assertThat(number).as("seed %d, world %d", SEED, i).isEqualTo(known == null ? -numbers.size() : known);
            if (known == null) {
                rows.add(row);
                assertThat(store.parent(numbers.size() - 1)).isEqualTo(i);
            }
        }
        assertThat(store.size()).isEqualTo(numbers.size());
        int[] row = new int[width];
        numbers.forEach((world, number) -> {
            store.copyRow(number, row);
            assertThat(row).isEqualTo(rows.get(number));
            assertThat(store.world(row)).containsExactly(world.toArray());
        });
    }

    @Test
    void edgesComeBackAlsoAcrossBlocks() {
        Random random = new Random(SEED);
        Edges edges = new Edges();
        List<List<Integer>> all = new ArrayList<>();
        for (int world = 0; world < 100_000; world++) {
            List<Integer> to = new ArrayList<>();
            edges.next();
            for (int i = random.nextInt(8); i > 0; i--) {
                to.add(random.nextBoolean() ? world + random.nextInt(100) + 1 : random.nextInt(Integer.MAX_VALUE));
            }
            to.forEach(edges::add);
            all.add(to);
        }
        assertThat(edges.bytes()).as("more than one block").isGreaterThan(1L << 20);
        for (int world = all.size() - 1; world >= 0; world--) {
            List<Integer> read = new ArrayList<>();
            assertThat(edges.anyTo(world, to -> {
                read.add(to);
                return false;
            })).isFalse();
            assertThat(read).as("seed %d, world %d", SEED, world).isEqualTo(all.get(world));
            TreeSet<Integer> last = new TreeSet<>(read);
            assertThat(edges.anyTo(world, to -> !last.isEmpty() && to == last.last())).isEqualTo(!last.isEmpty());
        }
    }
}

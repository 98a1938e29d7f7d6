package io.tombolo.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class PageRunsTest {
    private static PageRuns of(LongStream pages) {
        PageRuns.Builder builder = new PageRuns.Builder(PageRuns.NONE);
        pages.forEach(builder::add);
        return builder.build();
    }

    private static List<Long> walk(PageRuns runs, int limit) {
        List<Long> pages = new ArrayList<>();
        long next = 0;
        while (true) {
            Optional<PageRuns.Run> run = runs.next(next, limit);
            if (run.isEmpty()) {
                return pages;
            }
            assertThat(run.get().count()).isBetween(1L, (long) limit);
            LongStream.range(run.get().first(), run.get().end()).forEach(pages::add);
            next = run.get().end();
        }
    }

    @Test
    void givesBackExactlyThePagesThatWerePutIn() {
        long seed = System.nanoTime();
        System.out.println("PageRunsTest seed " + seed);
        Random random = new Random(seed);
        for (int run = 0; run < 500; run++) {
            List<Long> pages = LongStream.range(0, random.nextInt(200)).filter(_ -> random.nextInt(3) > 0).boxed()
                    .toList();
            int cut = random.nextInt(pages.size() + 1);
            PageRuns.Builder second = new PageRuns.Builder(of(pages.subList(0, cut).stream().mapToLong(p -> p)));
            pages.subList(cut, pages.size()).forEach(second::add);
            PageRuns runs = second.build();
            assertThat(runs.pages()).as("seed %d", seed).isEqualTo(pages.size());
            assertThat(walk(runs, 1 + random.nextInt(9))).as("seed %d", seed).isEqualTo(pages);
        }
    }

    @Test
    void neverHasMoreRunsThanItMayAndLosesNoPage() {
        PageRuns runs = of(LongStream.range(0, 20_000).map(page -> 2 * page));
        assertThat(runs.runs()).hasSize(PageRuns.MAX_RUNS);
        assertThat(runs.pages()).isEqualTo(20_000);
        assertThat(walk(runs, 65_536)).containsAll(LongStream.range(0, 20_000).map(page -> 2 * page).boxed().toList());
    }
}

package io.tombolo.agent.sim;

import static io.tombolo.agent.sim.GuestMemory.PAGE_BYTES;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class TranslationsTest {
    private static final long REACH_BYTES = 256L << 20;

    @Test
    void knowsNothingAtFirst() {
        for (long pages : new long[]{1, 2, 3, 1 << 16, 1 << 18}) {
            Translations translations = new Translations(pages);
            for (long page = 0; page < pages; page++) {
                assertThat(translations.has(page * PAGE_BYTES)).as("page %d of %d", page, pages).isFalse();
            }
        }
    }

    @Test
    void knowsEveryAlignedAddressOfAnEnteredPageAndNoOther() {
        Translations translations = new Translations(1 << 18);
        long gpa = 5 * PAGE_BYTES + 16;
        assertThat(translations.add(gpa, 1234)).isEqualTo(1234);
        assertThat(translations.has(5 * PAGE_BYTES)).isTrue();
        assertThat(translations.has(6 * PAGE_BYTES - 8)).isTrue();
        assertThat(translations.there(6 * PAGE_BYTES - 8)).isEqualTo(1234);
        assertThat(translations.has(gpa + 1)).isFalse();
        assertThat(translations.has(6 * PAGE_BYTES)).isFalse();
        assertThat(translations.has(gpa + REACH_BYTES)).isFalse();
        assertThat(translations.has(gpa | Long.MIN_VALUE)).isFalse();
        assertThat(translations.has(-8)).isFalse();
        assertThat(translations.has(-1)).isFalse();
    }

    @Test
    void anEntryTakesThePlaceOfAnotherAtTheSameDistance() {
        Translations translations = new Translations(1 << 18);
        translations.add(0, 1);
        translations.add(REACH_BYTES, 2);
        assertThat(translations.has(0)).isFalse();
        assertThat(translations.there(REACH_BYTES)).isEqualTo(2);
    }

    @Test
    void forgetsAllHoweverManyThereAre() {
        Translations translations = new Translations(1 << 16);
        SplittableRandom random = new SplittableRandom(1);
        for (int count : new int[]{1, 4095, 4096, 4097, 9000}) {
            for (int i = 0; i < count; i++) {
                translations.add(random.nextLong(1 << 16) * PAGE_BYTES, i);
            }
            translations.forget();
            for (long page = 0; page < 1 << 16; page++) {
                assertThat(translations.has(page * PAGE_BYTES)).as("page %d after %d", page, count).isFalse();
            }
        }
    }
}

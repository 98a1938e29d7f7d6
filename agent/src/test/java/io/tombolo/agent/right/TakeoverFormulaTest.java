package io.tombolo.agent.right;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class TakeoverFormulaTest {
    private static final long GIB_PAGES = (1L << 30) / 4096;

    @Test
    void theDefaultStaysBelowFiveSecondsForAGibibyteWrittenAsFastAsItCanBe() {
        TakeoverFormula formula = TakeoverFormula.of(Timings.standard(), 4 * GIB_PAGES, GIB_PAGES);

        assertThat(formula.dirtyPages()).isEqualTo(TakeoverFormula.DIRTY_PAGES_MAX);
        assertThat(formula.totalNs()).isLessThanOrEqualTo(5_000_000_000L);
    }

    @Test
    void theSumIsThatOfItsTermsAndEachFollowsItsFigure() {
        TakeoverFormula formula = new TakeoverFormula(new Timings(500), 1_000, 200, 30);

        assertThat(formula.terms()).extracting(TakeoverFormula.Term::name).containsExactly("detection", "look",
                "fenceOrder", "watchdogBound", "recovery", "rollback", "tableWalk", "resume");
        assertThat(formula.terms()).extracting(TakeoverFormula.Term::ns).containsExactly(2_750_000_000L, 100_000_000L,
                100_000_000L, Timings.standard().certainlyStoppedNs(PetMode.TIMESTAMPED), 100_000L, 30_000L, 20_000L,
                100_000_000L);
        assertThat(formula.totalNs()).isEqualTo(4_352_451_000L);
        assertThat(formula.terms().get(5).values()).isEqualTo("1 us * 30");
    }

    @Test
    void aLongerBaseMakesALongerFormula() {
        assertThat(TakeoverFormula.of(new Timings(1_000), 0, 0).totalNs())
                .isGreaterThan(TakeoverFormula.of(new Timings(500), 0, 0).totalNs());
        assertThatThrownBy(() -> new TakeoverFormula(Timings.standard(), 0, -1, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }
}

package io.tombolo.agent.right;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.region.TomboloException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TimingsTest {
    private static final long MS = 1_000_000L;

    @Test
    void derivesEveryFigureFromTheBase() {
        Timings t = new Timings(500);

        assertThat(t.sessionMs()).isEqualTo(2000);
        assertThat(t.deadlineNs(7, 2000)).isEqualTo(7 + 1500 * MS);
        assertThat(t.warnAtNs(7, 2000)).isEqualTo(7 + 1000 * MS);
        assertThat(t.watchdogMs()).isEqualTo(1000);
        assertThat(t.petPeriodMs()).isEqualTo(250);
        assertThat(t.checkPeriodNs()).isEqualTo(MS);
        assertThat(t.detectionMs()).isEqualTo(2750);
        // (1000 + 1 + 50 + 250) ms * 1.001
        assertThat(t.certainlyStoppedNs(PetMode.TIMESTAMPED)).isEqualTo(1_302_301_000L);
        // (2 * 1000 + 125 + 50 + 250) ms * 1.001
        assertThat(t.certainlyStoppedNs(PetMode.PLAIN)).isEqualTo(2_427_425_000L);
        assertThat(t.figures()).hasSize(18).containsEntry("watchdogMs", 1000L);
    }

    @Test
    void leavesRoomForRecoveryInsideTheDefaultTakeoverBoundOfFiveSeconds() {
        Timings t = Timings.standard();

        assertThat(t.detectionMs() * MS + t.certainlyStoppedNs(PetMode.TIMESTAMPED)).isLessThan(4_500 * MS);
    }

    @ParameterizedTest
    @ValueSource(ints = {50, 51, 100, 333, 500, 2000, 60_000})
    void keepsTheFiguresInTheOrderThatTheArgumentNeeds(int baseMs) {
        Timings t = new Timings(baseMs);

        assertThat(t.sessionMs()).isBetween(2 * t.zooKeeperTickMs(), 20 * t.zooKeeperTickMs());
        assertThat(3L * t.heartbeatPeriodMs() * MS).isLessThanOrEqualTo(t.warnAtNs(0, t.sessionMs()));
        assertThat(t.warnAtNs(0, t.sessionMs())).isLessThan(t.deadlineNs(0, t.sessionMs()));
        assertThat(t.deadlineNs(0, t.sessionMs())).isLessThan(t.sessionMs() * MS);
        assertThat(t.petPeriodMs() * 4).isBetween(t.watchdogMs() - 3, t.watchdogMs());
        assertThat(t.keeperTickMs()).isLessThanOrEqualTo(t.petPeriodMs());
        assertThat(t.plainCheckAgeLimitNs()).isLessThan(t.petPeriodMs() * MS);
    }

    @ParameterizedTest
    @ValueSource(ints = {Integer.MIN_VALUE, 0, 49, 60_001, Integer.MAX_VALUE})
    void refusesABaseOutOfRange(int baseMs) {
        assertThatThrownBy(() -> new Timings(baseMs)).isInstanceOf(TomboloException.class)
                .hasMessageStartingWith("TIMING_BASE_INVALID").hasMessageContaining("baseMs=" + baseMs);
    }

    @Test
    void refusesAnEnsembleThatGrantsAnotherSession() {
        Timings t = new Timings(100);

        t.requireGranted(400);
        assertThatThrownBy(() -> t.requireGranted(4000))
                .hasMessageStartingWith("TIMING_BASE_NOT_GRANTED: the base timing is below")
                .hasMessageContaining("grantedMs=4000").hasMessageContaining("set baseMs to 1000");
        assertThatThrownBy(() -> t.requireGranted(200)).hasMessageContaining("is above");
    }

    @Test
    void declaresTheBoundItPromises() {
        Timings t = Timings.standard();

        for (PetMode mode : PetMode.values()) {
            assertThat(t.watchdogBound(mode, true).boundNs()).isEqualTo(t.certainlyStoppedNs(mode));
            assertThat(t.watchdogBound(mode, true).petFactor()).isEqualTo(mode.factor());
        }
    }
}

package io.tombolo.deploy.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.region.TomboloException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class UnitsTest {
    @ParameterizedTest
    @CsvSource({"4096, 4096", "64K, 65536", "512M, 536870912", "1G, 1073741824", "2T, 2199023255552"})
    void readsSizes(String text, long bytes) {
        assertThat(Units.parseBytes(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "-1", "1g", "1 G", "1.5G", "1GB", "1GiB", "G", "0x10", "9223372036854775808",
            "8388608T", "99999999999999999999"})
    void refusesWhatIsNotASize(String text) {
        assertThatThrownBy(() -> Units.parseBytes(text)).isInstanceOf(TomboloException.class)
                .hasMessageStartingWith("SIZE_INVALID: ").hasMessageContaining("Next: ");
    }

    @ParameterizedTest
    @CsvSource({"1ns, 1", "500us, 500000", "5ms, 5000000", "2s, 2000000000", "1m, 60000000000", "1h, 3600000000000"})
    void readsDurations(String text, long ns) {
        assertThat(Units.parseNanos(text)).isEqualTo(ns);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "5", "0ms", "-1s", "1.5s", "1 s", "1S", "1d", "9999999999h"})
    void refusesWhatIsNotADuration(String text) {
        assertThatThrownBy(() -> Units.parseNanos(text)).hasMessageStartingWith("DURATION_INVALID: ");
    }

    @Test
    void writesSizesAndDurationsShort() {
        assertThat(Units.bytes(17)).isEqualTo("17 B");
        assertThat(Units.bytes(1 << 30)).isEqualTo("1 GiB");
        assertThat(Units.bytes(1_572_864)).isEqualTo("1.5 MiB");
        assertThat(Units.nanos(850)).isEqualTo("850 ns");
        assertThat(Units.nanos(2_549)).isEqualTo("2.55 us");
        assertThat(Units.nanos(1_200_000)).isEqualTo("1.2 ms");
        assertThat(Units.nanos(3_000_000_000L)).isEqualTo("3 s");
    }

    @Test
    void aTablePadsColumnsAndPutsNumbersToTheRight() {
        String text = new TextTable("NAME", "BYTES").row("a", "1 MiB").row("longer", "12 KiB").text();

        assertThat(text).isEqualTo("NAME     BYTES\na        1 MiB\nlonger  12 KiB\n");
        assertThatThrownBy(() -> new TextTable("ONE").row(1, 2)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void statisticsOfOneOfManyAndNone() {
        assertThat(Statistics.of(new long[]{7_777_777})).isEqualTo(new Statistics(7_777_777, 7_777_777, 7_777_777));
        long[] hundred = new long[100];
        Arrays.setAll(hundred, i -> i + 1L);
        assertThat(Statistics.of(hundred)).isEqualTo(new Statistics(50, 99, 100));
        assertThat(Statistics.of(new long[0])).isEqualTo(new Statistics(0, 0, 0));
        assertThatThrownBy(() -> Statistics.of(new long[]{-1})).isInstanceOf(IllegalArgumentException.class);
    }
}

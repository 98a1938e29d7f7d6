package io.tombolo.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.agent.AgentConfig.LocalTierConfig;
import io.tombolo.coordinator.ConfigFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LocalTierConfigTest {
    private static final String LEAST = """
            name: host-1
            hostUuid: 11111111-2222-3333-4444-555555555555
            clusterName: demo
            clusterUuid: 11111111-2222-3333-4444-666666666666
            zookeeper: {connect: "zk1:2181"}
            regionFile: /dev/shm/r
            runDirectory: /run/x
            """;

    private static LocalTierConfig parse(String localTier) {
        return ConfigFile.parse("test", LEAST + localTier, AgentConfig.class).localTier();
    }

    @Test
    void isHalfAGibibyteInTheRunDirectoryIfNothingIsSaid() {
        assertThat(parse("")).isEqualTo(new LocalTierConfig(512L << 20, "", "none"));
        assertThat(parse("localTier: {bytes: 0}").bytes()).isZero();
        assertThat(parse("localTier: {bytes: 8589934592, directory: /mnt/huge, hugePages: hugetlbfs}"))
                .isEqualTo(new LocalTierConfig(8L << 30, "/mnt/huge", "hugetlbfs"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {"{bytes: 4096};localTier.bytes", "{bytes: -2097152};localTier.bytes",
            "{hugePages: always};localTier.hugePages", "{hugePages: hugetlbfs};localTier.directory"})
    void refusesWhatCannotBeByItsKey(String value, String key) {
        assertThatThrownBy(() -> parse("localTier: " + value)).hasMessageStartingWith("CONFIG_INVALID_VALUE")
                .hasMessageContaining("key=" + key);
    }

    @Test
    void refusesAKeyThatItDoesNotKnow() {
        assertThatThrownBy(() -> parse("localTier: {size: 1}")).hasMessageStartingWith("CONFIG_UNKNOWN_KEY")
                .hasMessageContaining("key=localTier.size");
    }
}

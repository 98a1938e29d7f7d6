package io.tombolo.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigFileTest {
    private static final String SMALLEST = """
            id: c1
            clusterName: demo
            clusterUuid: 00000000-0000-0001-0000-000000000002
            zookeeper:
              connect: 127.0.0.1:2181
            regionFile: /dev/shm/demo/region
            """;

    @TempDir
    private Path directory;

    private CoordinatorConfig load(String text) throws IOException {
        Path file = directory.resolve("coordinator.yaml");
        Files.writeString(file, text);
        return ConfigFile.load(file, CoordinatorConfig.class);
    }

    private TomboloException refusalOf(String text) {
        TomboloException refusal = catchThrowableOfType(TomboloException.class, () -> load(text));
        assertThat(refusal).as(text).isNotNull();
        assertThat(refusal.facts()).containsEntry("file", directory.resolve("coordinator.yaml").toString());
        return refusal;
    }

    @Test
    void fillsInTheDefaults() throws IOException {
        CoordinatorConfig config = load(SMALLEST);
        assertThat(config.zookeeper().sessionTimeoutMs()).isEqualTo(2000);
        assertThat(config.zookeeper().rootFor("demo")).isEqualTo("/tombolo/demo");
        assertThat(config.rpc()).isEqualTo(new RpcConfig("127.0.0.1", 0, ""));
        assertThat(config.handoff().prepareMs()).isEqualTo(20_000);
    }

    @Test
    void readsWhatItWrites() throws IOException {
        CoordinatorConfig config = load(SMALLEST + "rpc: {bindAddress: 10.0.0.1, port: 7, advertisedAddress: h1}\n");
        assertThat(load(ConfigFile.format(config))).isEqualTo(config);
    }

    @Test
    void namesAnUnknownKeyAndTheKnownOnes() {
        TomboloException refusal = refusalOf(SMALLEST + "handoff: {baseMS: 100}\n");
        assertThat(refusal.code()).isEqualTo(CoordinatorError.CONFIG_UNKNOWN_KEY);
        assertThat(refusal.facts()).containsEntry("key", "handoff.baseMS").containsEntry("known", "baseMs");
        assertThat(refusalOf(SMALLEST + "region: /x\n").facts()).containsEntry("key", "region")
                .hasEntrySatisfying("known", known -> assertThat(known).contains("regionFile"));
    }

    @Test
    void namesAMissingKey() {
        TomboloException refusal = refusalOf(SMALLEST.replace("  connect: 127.0.0.1:2181", "  root: /x"));
        assertThat(refusal.code()).isEqualTo(CoordinatorError.CONFIG_MISSING_KEY);
        assertThat(refusal.facts()).containsEntry("key", "zookeeper.connect");
    }

    @Test
    void namesTheKeyOfAWrongValue() {
        TomboloException refusal = refusalOf(SMALLEST + "rpc: {port: 70000}\n");
        assertThat(refusal.code()).isEqualTo(CoordinatorError.CONFIG_INVALID_VALUE);
        assertThat(refusal.facts()).containsEntry("key", "rpc.port").containsEntry("found", "70000");
        assertThat(refusalOf(SMALLEST.replace("id: c1", "id: C 1")).facts()).containsEntry("key", "id");
        assertThat(refusalOf(SMALLEST + "rpc: {bindAddress: 0.0.0.0}\n").facts()).containsEntry("key",
                "rpc.advertisedAddress");
    }

    @Test
    void namesTheKeyOfAValueOfAnotherType() {
        for (String port : new String[]{"many", "1.5", "[1]", "{a: 1}", "true"}) {
            TomboloException refusal = refusalOf(SMALLEST + "rpc: {port: " + port + "}\n");
            assertThat(refusal.code()).as(port).isEqualTo(CoordinatorError.CONFIG_MALFORMED);
            assertThat(refusal.facts()).as(port).containsEntry("key", "rpc.port");
        }
        assertThat(refusalOf(SMALLEST + "handoff: 7\n").code()).isEqualTo(CoordinatorError.CONFIG_MALFORMED);
    }

    @Test
    void refusesWhatIsNotYamlOrHasAKeyTwice() {
        for (String text : new String[]{"", "just words", "- a\n- b\n", "id: [", SMALLEST + "id: c2\n",
                "\u0000\u0001"}) {
            assertThat(refusalOf(text).code()).as(text).isEqualTo(CoordinatorError.CONFIG_MALFORMED);
        }
    }

    @Test
    void namesAFileThatIsNotThere() {
        TomboloException refusal = catchThrowableOfType(TomboloException.class,
                () -> ConfigFile.load(directory.resolve("none.yaml"), CoordinatorConfig.class));
        assertThat(refusal.code()).isEqualTo(CoordinatorError.CONFIG_UNREADABLE);
        assertThat(refusal.facts()).containsEntry("cause", "no such file");
    }
}

package io.tombolo.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The main job with real processes: ZooKeeper, coordinators, agents.
final class DrillIT {
    @TempDir
    Path directory;

    @Test
    void aVmHopsRoundTheHostsAndNothingIsLostOrLeftBehind() throws IOException {
        JsonNode report = drill("--warm-up", "2", "--hops", "5", "--seed", "7");

        assertThat(report.get("hops").asInt()).isEqualTo(5);
        assertThat(report.get("bytesCopied").asLong()).isZero();
        assertThat(report.get("verification").get("doubleOwners").asInt()).isZero();
        assertThat(report.get("verification").get("framesLeaked").asInt()).isZero();
        assertThat(report.get("downtimeNs").get("p50").asLong()).isPositive();
        assertThat(report.has("clients")).isFalse();
        assertThat(new ObjectMapper().readTree(directory.resolve("report.json").toFile())).isEqualTo(report);
    }

    @ParameterizedTest
    @ValueSource(strings = {"kv", "bank"})
    void clientsGoOnWorkingWhileTheVmHopsAndSeeNothingWrong(String program) throws IOException {
        JsonNode report = drill("--warm-up", "2", "--hops", "4", "--seed", "8", "--program", program);

        assertThat(report.get("hops").asInt()).isEqualTo(4);
        assertThat(report.get("verification").get("selfCheckErrors").asLong()).isZero();
        JsonNode clients = report.get("clients");
        assertThat(clients.get("count").asInt()).isEqualTo(2);
        // Two answers each before the first hop and after every hop, which begins with the old host's refusal.
        assertThat(clients.get("acknowledged").asLong()).isGreaterThanOrEqualTo(2 * 2 * 5);
        assertThat(clients.get("repeats").asLong()).isGreaterThanOrEqualTo(2 * 4);
        assertThat(clients.get("wrongAnswers").asLong()).isZero();
        assertThat(clients.get("longestGapNs").asLong()).isPositive();
        assertThat(report.get("checks").findValuesAsText("name")).contains("operations acknowledged",
                "clients saw no wrong answer");
    }

    @Test
    void aTransitTakesEveryPageThroughSharedMemoryWhileTheGuestRuns() throws IOException {
        JsonNode report = drill("--mode", "transit", "--warm-up", "1", "--hops", "3", "--seed", "9");

        assertThat(report.get("mode").asText()).isEqualTo("transit");
        assertThat(report.get("hops").asInt()).isEqualTo(3);
        assertThat(report.get("perHop").findValuesAsText("pagesToShared")).containsOnly("4096").hasSize(3);
        assertThat(report.get("perHop").findValuesAsText("pagesToLocal")).containsOnly("4096");
        assertThat(report.get("perHop").findValuesAsText("bytesMoved")).containsOnly(Long.toString(2 * (16L << 20)));
        assertThat(report.get("bytesCopied").asLong()).isZero();
        JsonNode speed = report.get("modes").get(0).get("opsPerSecond");
        for (String when : List.of("before", "during", "after")) {
            assertThat(speed.get(when).asLong()).as(when).isPositive();
        }
        assertThat(report.get("modes").get(0).get("speed").size()).isGreaterThan(3);
        // Whether a vCPU meets a page while it moves is chance; that the hosts tell of it is not.
        JsonNode mode = report.get("modes").get(0);
        assertThat(mode.get("longestStallNs").asLong())
                .isEqualTo(Math.max(mode.get("pageWaits").get("maxNs").asLong(),
                        mode.get("downtimeNs").get("max").asLong()));
    }

    @Test
    void allModesTakeTheSameGuestRoundInOneCluster() throws IOException {
        JsonNode report = drill("--compare-modes", "--warm-up", "1", "--hops", "2", "--seed", "10", "--rest", "100ms");

        JsonNode modes = report.get("modes");
        assertThat(modes.findValuesAsText("mode")).containsExactly("handoff", "transit", "copy");
        for (JsonNode mode : modes) {
            assertThat(mode.get("hops").asInt()).isEqualTo(2);
            assertThat(mode.get("verification").get("identical").asBoolean()).isTrue();
            assertThat(mode.get("verification").get("doubleOwners").asInt()).isZero();
            assertThat(mode.get("verification").get("framesLeaked").asLong()).isZero();
            assertThat(mode.get("verification").get("bytesCompared").asLong()).isEqualTo(16 << 20);
            assertThat(mode.get("downtimeNs").get("p50").asLong()).isPositive();
            assertThat(mode.get("opsPerSecond").get("during").asLong()).isPositive();
        }
        assertThat(modes.get(0).get("bytesMoved").asLong()).isZero();
        assertThat(modes.get(1).get("bytesMoved").asLong()).isEqualTo(2 * (16L << 20));
        assertThat(modes.get(2).get("bytesMoved").asLong()).isPositive();
        assertThat(report.get("checks").findValuesAsText("name")).contains(
                "transit downtime p50 <= 1/50 of copy's", "transit downtime p50 <= hand-off's + 10 us");
    }

    /// Two hosts and 16 MiB; the drill must succeed and leave nothing.
    private JsonNode drill(String... more) throws IOException {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> arguments = new ArrayList<>(
                List.of("drill", "--hosts", "2", "--memory", "16M", "--json", "--base", "2s",
                        "--report", directory.toString()));
        arguments.addAll(List.of(more));

        int status = Tombolo.run(new LiveServices(), new PrintWriter(out, true), new PrintWriter(err, true),
                arguments.toArray(String[]::new));

        assertThat(status).as(err.toString()).isZero();
        try (Stream<Path> left = Files.list(Path.of("/dev/shm"))) {
            String own = "tombolo-drill-" + ProcessHandle.current().pid();
            assertThat(left).noneMatch(f -> f.getFileName().toString().startsWith(own));
        }
        assertThat(ProcessHandle.current().descendants().filter(ProcessHandle::isAlive)).isEmpty();
        JsonNode report = new ObjectMapper().readTree(out.toString());
        assertThat(report.get("verification").get("identical").asBoolean()).isTrue();
        assertThat(report.get("verification").get("bytesCompared").asLong())
                .isEqualTo(report.get("modes").size() * (16L << 20));
        return report;
    }
}

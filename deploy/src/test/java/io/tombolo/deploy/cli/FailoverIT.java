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

/// Hosts that fail under a protected VM with real processes: ZooKeeper, coordinators, agents.
final class FailoverIT {
    @TempDir
    Path directory;

    @Test
    void aProtectedVmOutlivesEveryKindOfFailureOfItsHostAndNothingAcknowledgedIsLost() throws IOException {
        JsonNode report = drill("--memory", "16M", "--seed", "11");

        assertThat(report.get("failures").findValuesAsText("kind")).containsExactly("kill", "stop", "partition");
        for (JsonNode failure : report.get("failures")) {
            assertThat(failure.get("to").asText()).isNotEqualTo(failure.get("from").asText());
            assertThat(failure.get("rtoNs").asLong()).isPositive();
            assertThat(failure.get("confirmedStoppedNs").asLong()).isPositive()
                    .isLessThanOrEqualTo(failure.get("rtoNs").asLong());
            long sum = 0;
            for (JsonNode phase : failure.get("phases")) {
                assertThat(phase.asLong()).isNotNegative();
                sum += phase.asLong();
            }
            assertThat(sum).isEqualTo(failure.get("answeredNs").asLong());
        }
        assertThat(report.get("lostAcknowledged").asLong()).isZero();
        assertThat(report.get("doubleOwners").asInt()).isZero();
        assertThat(report.get("framesLeaked").asLong()).isZero();
        assertThat(report.get("regionFindings").asLong()).isZero();
        assertThat(report.get("clients").get("acknowledged").asLong()).isPositive();
        assertThat(report.get("formulaNs").asLong()).isPositive();
        assertThat(new ObjectMapper().readTree(directory.resolve("report.json").toFile())).isEqualTo(report);
    }

    @Test
    void afterEverythingWasKilledAllProtectedVmsGoOnFromTheirLastCommit() throws IOException {
        JsonNode report = drill("--cold-start", "4", "--memory", "4M", "--seed", "12");

        assertThat(report.get("coldStart").get("vms").asInt()).isEqualTo(4);
        assertThat(report.get("coldStart").get("running").asInt()).isEqualTo(4);
        assertThat(report.get("coldStart").get("allNs").asLong()).isPositive();
        assertThat(report.get("framesLeaked").asLong()).isZero();
    }

    /// The drill must succeed and leave nothing.
    private JsonNode drill(String... more) throws IOException {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        List<String> arguments = new ArrayList<>(
                List.of("drill", "--failover", "--json", "--base", "1s", "--report", directory.toString()));
        arguments.addAll(List.of(more));

        int status = Tombolo.run(new LiveServices(), new PrintWriter(out, true), new PrintWriter(err, true),
                arguments.toArray(String[]::new));

        assertThat(status).as(err.toString()).isZero();
        try (Stream<Path> left = Files.list(Path.of("/dev/shm"))) {
            String own = "tombolo-failover-" + ProcessHandle.current().pid();
            assertThat(left).noneMatch(f -> f.getFileName().toString().startsWith(own));
        }
        assertThat(ProcessHandle.current().descendants().filter(ProcessHandle::isAlive)).isEmpty();
        return new ObjectMapper().readTree(out.toString());
    }
}

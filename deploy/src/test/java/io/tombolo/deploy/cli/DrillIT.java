package io.tombolo.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The main job with real processes: ZooKeeper, coordinators, agents.
final class DrillIT {
    @TempDir
    Path directory;

    @Test
    void aVmHopsRoundTheHostsAndNothingIsLostOrLeftBehind() throws IOException {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();

        int status = Tombolo.run(new LiveServices(), new PrintWriter(out, true), new PrintWriter(err, true), "drill",
                "--hosts", "2", "--hops", "5", "--memory", "16M", "--seed", "7", "--json", "--report",
                directory.toString());

        assertThat(status).as(err.toString()).isZero();
        JsonNode report = new ObjectMapper().readTree(out.toString());
        assertThat(report.get("hops").asInt()).isEqualTo(5);
        assertThat(report.get("bytesCopied").asLong()).isZero();
        assertThat(report.get("verification").get("identical").asBoolean()).isTrue();
        assertThat(report.get("verification").get("doubleOwners").asInt()).isZero();
        assertThat(report.get("verification").get("framesLeaked").asInt()).isZero();
        assertThat(report.get("verification").get("bytesCompared").asLong()).isEqualTo(16 << 20);
        assertThat(report.get("downtimeNs").get("p50").asLong()).isPositive();
        assertThat(new ObjectMapper().readTree(directory.resolve("report.json").toFile())).isEqualTo(report);
        try (Stream<Path> left = Files.list(Path.of("/dev/shm"))) {
            String own = "tombolo-drill-" + ProcessHandle.current().pid();
            assertThat(left).noneMatch(f -> f.getFileName().toString().startsWith(own));
        }
        assertThat(ProcessHandle.current().descendants().filter(ProcessHandle::isAlive)).isEmpty();
    }
}

package io.tombolo.chaos.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.chaos.history.Histories;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryLimits;
import io.tombolo.chaos.junit.ChaosTest;
import java.nio.file.Files;
import org.junit.jupiter.api.DisplayName;

/// Short runs on real processes. The long ones are commands of their own.
@DisplayName("a chaos run")
class ChaosRunTest {
    @ChaosTest(nemesis = {"kill", "partition", "stall"}, time = "10s", seed = 11)
    void leavesAFolderThatOthersCanRead(ChaosResult result) {
        // How many of its sequence fit into ten seconds is the machine's affair.
        assertThat(result.faults()).containsOnlyKeys("kill", "partition", "stall");
        assertThat(result.faults().values()).anySatisfy(count -> assertThat(count.tookEffect()).isPositive());
        History json = Histories.readJsonLines(result.folder().resolve("history.jsonl"), HistoryLimits.DEFAULT);
        History edn = Histories.readEdn(result.folder().resolve("history.edn"), HistoryLimits.DEFAULT);
        assertThat(edn.events()).isEqualTo(json.events()).hasSizeGreaterThan(200);
        assertThat(result.folder().resolve("run.json")).content().contains("\"ownership\"", "\"migrations\"");
        assertThat(result.folder().resolve("results.json")).content().contains("\"single-owner\" : \"valid\"");
        assertThat(result.folder().resolve("report.html")).content().contains("\"verdict\":\"valid\"");
        assertThat(result.folder().resolve("logs").resolve("host-1.log")).exists();
        assertThat(result.folder().resolve("state")).doesNotExist();
    }

    @ChaosTest(workload = "append", nemesis = "none", time = "5s", seed = 12, hosts = 2)
    void givesTheClusterToTheTestWhileItGoesOn(ClusterUnderTest cluster, ChaosResult result) {
        assertThat(cluster.hosts()).containsExactly("host-1", "host-2");
        assertThat(Files.exists(cluster.processes().runDirectory())).as("stopped by now").isFalse();
        assertThat(result.migrations()).isPositive();
    }
}

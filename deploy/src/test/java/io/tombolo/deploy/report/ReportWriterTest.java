package io.tombolo.deploy.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ReportWriterTest {
    private static final List<String> PHASES = List.of("prepare", "quiesce", "publish", "switch", "resume", "commit");

    @TempDir
    Path directory;

    @Test
    void theKeysOfReportJsonAreStable() throws IOException {
        ReportWriter.write(SampleReports.simulated(), directory);

        JsonNode report = new ObjectMapper().readTree(directory.resolve("report.json").toFile());
        assertThat(keys(report)).containsExactly("guest", "mode", "hops", "vmBytes", "downtimeNs", "phases", "warmUp",
                "contextSwitchNs",
                "bytesCopied", "modes", "verification", "vm", "seed", "startedAt", "elapsedMs", "versions", "host",
                "perHop",
                "checks", "passed");
        assertThat(keys(report.get("downtimeNs"))).containsExactly("p50", "p99", "max");
        assertThat(keys(report.get("phases"))).containsExactlyElementsOf(PHASES);
        assertThat(keys(report.get("warmUp"))).containsExactly("hops", "downtimeNs");
        PHASES.forEach(p -> assertThat(keys(report.get("phases").get(p))).containsExactly("p50", "p99", "max"));
        assertThat(keys(report.get("contextSwitchNs"))).containsExactly("p50", "pinned", "unpinned");
        assertThat(keys(report.get("verification"))).containsExactly("identical", "doubleOwners", "framesLeaked",
                "method", "bytesCompared", "selfCheckErrors");
        assertThat(keys(report.get("perHop").get(0))).containsExactly("mode", "hop", "from", "to", "epoch", "atMs",
                "downtimeNs", "prepareNs", "quiesceNs", "publishNs", "switchNs", "resumeNs", "commitNs", "stateBytes",
                "bytesCopied", "measured", "totalNs", "bytesMoved", "pagesToShared", "pagesToLocal", "toSharedNs",
                "toLocalNs");
        assertThat(keys(report.get("checks").get(0))).containsExactly("name", "verdict", "detail");
        assertThat(report.get("hops").asInt()).isEqualTo(30).isEqualTo(report.get("perHop").size());
        assertThat(report.get("seed").asLong()).isEqualTo(-4_611_686_018_427_387_905L);
    }

    @Test
    void theKeysOfModesAreStable() throws IOException {
        JsonNode report = new ObjectMapper().readTree(ReportWriter.json(SampleReports.comparedModes()));

        JsonNode modes = report.get("modes");
        assertThat(modes.findValuesAsText("mode")).containsExactly("handoff", "transit", "copy");
        JsonNode transit = modes.get(1);
        assertThat(keys(transit)).containsExactly("mode", "hops", "totalNs", "downtimeNs", "bytesMoved",
                "bytesCopied", "toShared", "toLocal", "opsPerSecond", "longestStallNs", "pageWaits", "verification",
                "speed");
        for (String figure : List.of("totalNs", "downtimeNs")) {
            assertThat(keys(transit.get(figure))).containsExactly("p50", "p99", "max");
        }
        for (String direction : List.of("toShared", "toLocal")) {
            assertThat(keys(transit.get(direction))).containsExactly("pages", "ns", "bytesPerSecond");
        }
        assertThat(keys(transit.get("opsPerSecond"))).containsExactly("before", "during", "after");
        assertThat(keys(transit.get("pageWaits"))).containsExactly("count", "p99Ns", "maxNs");
        assertThat(keys(transit.get("speed").get(0))).containsExactly("atMs", "opsPerSecond");
        assertThat(transit.get("verification")).isNotNull();
        assertThat(report.get("perHop").findValuesAsText("mode")).hasSize(24);
    }

    @Test
    void aDrillThatDidNotMeasureTheGuestsSpeedSaysSoByLeavingItOut() throws IOException {
        JsonNode report = new ObjectMapper().readTree(ReportWriter.json(SampleReports.simulated()));

        assertThat(keys(report.get("modes").get(0))).containsExactly("mode", "hops", "totalNs", "downtimeNs",
                "bytesMoved", "bytesCopied", "verification", "speed");
        assertThat(TerminalReport.text(SampleReports.simulated())).doesNotContain("OPS/S");
    }

    @Test
    void theTerminalShowsTheModesInOneTable() {
        assertThat(TerminalReport.text(SampleReports.comparedModes())).startsWith("24 hops in 3 modes of a simulated")
                .containsPattern(
                        "transit +8 +352\\.06 ms +\\S+ us +\\S+ us +512 MiB +400 M +331 M +398 M +48\\.2 us")
                .containsPattern("handoff +- +- +- +- +- +- +1234 +21 us +48")
                .containsPattern("transit +65536 +150 ms +1\\.7 GiB")
                .contains("TIME OF HANDOFF");
    }

    @Test
    void theKeysOfTheComparisonAreStable() throws IOException {
        JsonNode compare = new ObjectMapper().readTree(ReportWriter.json(SampleReports.linuxCompared())).get("compare");

        assertThat(keys(compare)).containsExactly("bareHop", "precopy");
        for (String kind : List.of("bareHop", "precopy")) {
            assertThat(keys(compare.get(kind))).containsExactly("totalNs", "downtimeNs", "bytes", "runs", "corrupted");
            assertThat(keys(compare.get(kind).get("totalNs"))).containsExactly("p50");
            assertThat(keys(compare.get(kind).get("downtimeNs"))).containsExactly("p50", "max");
        }
    }

    @Test
    void theKeysOfClientsAreStableAndBothReportsForPeopleTellOfThem() throws IOException {
        DrillReport report = SampleReports.withClients();

        JsonNode clients = new ObjectMapper().readTree(ReportWriter.json(report)).get("clients");
        assertThat(keys(clients)).containsExactly("count", "acknowledged", "repeats", "wrongAnswers", "longestGapNs");
        assertThat(clients.get("longestGapNs").asLong()).isEqualTo(23_400_000);
        assertThat(TerminalReport.text(report)).contains(
                "clients: 2, 4321 operations acknowledged, 87 sent again, 1 wrong answer, longest gap 23.4 ms");
        assertThat(TerminalReport.text(SampleReports.simulated())).doesNotContain("clients");
        assertThat(ReportWriter.html(report)).contains("report.clients.longestGapNs");
    }

    @Test
    void thePageAsksNoNetworkForAnything() {
        String page = ReportWriter.html(SampleReports.linuxCompared());

        assertThat(page).doesNotContainPattern("(?i)\\b(src|href)\\s*=\\s*[\"']?(https?:)?//")
                .doesNotContainPattern("(?i)@import|url\\(\\s*[\"']?https?:").doesNotContain("<link rel=\"stylesheet\"")
                .doesNotContain("sourceMappingURL").doesNotContain("<script src").doesNotContain("/*DATA*/")
                .doesNotContain("/*CHART_JS*/").contains("Chart.js v");
    }

    @Test
    void thePageHoldsTheReportAndNothingInItEndsTheScript() throws IOException {
        DrillReport report = SampleReports.simulated();
        Matcher data = Pattern.compile("<script id=\"data\" type=\"application/json\">(.*?)</script>", Pattern.DOTALL)
                .matcher(ReportWriter.html(report));

        assertThat(data.find()).isTrue();
        ObjectMapper mapper = new ObjectMapper();
        assertThat(mapper.readTree(data.group(1))).isEqualTo(mapper.readTree(ReportWriter.json(report)));
        assertThat(report.host().cpuModel()).contains("</script>");
    }

    @Test
    void refusesADirectoryThatCannotBeMade() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "");

        assertThatThrownBy(() -> ReportWriter.write(SampleReports.simulated(), file.resolve("report")))
                .isInstanceOf(TomboloException.class).hasMessageStartingWith("REPORT_NOT_WRITTEN: ")
                .hasMessageContaining("Next: ");
    }

    private static List<String> keys(JsonNode node) {
        List<String> keys = new ArrayList<>();
        node.fieldNames().forEachRemaining(keys::add);
        return keys;
    }
}

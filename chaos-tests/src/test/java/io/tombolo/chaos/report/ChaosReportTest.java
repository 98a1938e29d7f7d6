package io.tombolo.chaos.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tombolo.chaos.history.Histories;
import io.tombolo.chaos.report.SampleRuns.Sample;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@DisplayName("the report of a run")
class ChaosReportTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern DATA = Pattern.compile(
            "<script id=\"data\" type=\"application/json\">([^<]*)</script>");

    @TempDir
    private Path folder;

    @Test
    void holdsWhatTheFolderHolds() throws IOException {
        JsonNode data = data(SampleRuns.stale(900));

        assertThat(data.get("verdict").asText()).isEqualTo("invalid");
        assertThat(data.get("seed").isTextual()).as("a script's numbers are too short for it").isTrue();
        assertThat(data.get("seed").asText()).isEqualTo("-4611686018427387905");
        assertThat(data.get("checkers")).hasSize(3);
        assertThat(data.get("faults").get(0).get("chosen").asText()).contains("kind ring").contains("pick 3");
        assertThat(data.get("faults").get(0).get("done").asText()).isEqualTo("ring, (a>b, b>a)");
        assertThat(data.get("faults").get(1).get("healed").asText()).isEmpty();
        assertThat(data.get("ownership")).hasSize(20);
        assertThat(data.get("migrations")).hasSize(19);
        assertThat(data.get("stops")).hasSize(1);
        assertThat(data.get("operations").get("total").asInt()).isEqualTo(900);
        assertThat(data.get("operations").get("everyOk").asInt()).isEqualTo(1);
        assertThat(columnLengths(data.get("operations"))).containsOnly(900);
    }

    @Test
    void factsOfCheckersAreWords() throws IOException {
        JsonNode checkers = data(SampleRuns.valid(900)).get("checkers");

        assertThat(checkers.get(0).get("name").asText()).isEqualTo("linearizable");
        assertThat(texts(checkers.get(0).get("facts"))).contains("parts 8").anyMatch(f -> f.matches("elapsed .* .?s"))
                .noneMatch(fact -> fact.contains("{"));
        assertThat(texts(checkers.get(1).get("facts"))).anyMatch(f -> f.matches("write: .*ok \\d+.*"));
        assertThat(texts(checkers.get(2).get("problems")))
                .containsExactly("host-1.log:12: ERROR " + SampleRuns.HOSTILE);
    }

    @Test
    void aViolationNamesTheOperationThatCannotBePlacedAndWhatWasConcurrent() throws IOException {
        JsonNode violations = data(SampleRuns.stale(900)).get("violations");

        assertThat(violations).hasSize(1);
        JsonNode violation = violations.get(0);
        assertThat(violation.get("checker").asText()).isEqualTo("linearizable");
        assertThat(violation.get("proven").asBoolean()).isTrue();
        JsonNode stuck = operation(violation, violation.get("stuck").asLong());
        assertThat(stuck.get("text").asText()).matches("read → \\d");
        assertThat(stuck.get("client").asText()).matches("client [0-5]");
        assertThat(stuck.get("endNs").asLong()).isGreaterThan(stuck.get("startNs").asLong());
        assertThat(violation.get("concurrent")).isNotEmpty().allSatisfy(id -> {
            JsonNode other = operation(violation, id.asLong());
            assertThat(other.get("id").asLong()).isLessThan(stuck.get("end").asLong());
            assertThat(other.get("end").asLong() < 0 || other.get("end").asLong() > stuck.get("id").asLong()).isTrue();
        });
        JsonNode longest = violation.get("linearisations").get(0);
        assertThat(longest.get("steps")).isNotEmpty().allSatisfy(step -> {
            assertThat(operation(violation, step.get("id").asLong()).get("text").asText())
                    .matches("(read →|write) \\d");
            assertThat(step.get("state").asText()).matches("\\d");
        });
        assertThat(longest.get("placed").asInt()).isGreaterThanOrEqualTo(longest.get("steps").size());
        assertThat(texts(longest.get("pending"))).contains(violation.get("stuck").asText());
        assertThat(stuck.get("text").asText()).as("what it read is not what is there")
                .isNotEqualTo("read → " + longest.get("state").asText());
    }

    @Test
    void aProcessThatFollowsAnotherIsTheSameClient() throws IOException {
        JsonNode data = data(SampleRuns.valid(900));

        assertThat(texts(data.get("clients"))).containsExactly("client 0", "client 1", "client 2", "client 3",
                "client 4", "client 5");
        JsonNode processes = data.get("operations").get("process");
        assertThat(processes).anySatisfy(process -> assertThat(process.asLong()).isGreaterThan(5));
        for (int i = 0; i < processes.size(); i++) {
            assertThat(data.get("operations").get("row").get(i).asLong()).isEqualTo(processes.get(i).asLong() % 6);
        }
    }

    @Test
    void countsAllOperationsInTheRateHoweverManyAreDrawn() throws IOException {
        Sample sample = SampleRuns.stale(9_000);

        JsonNode data = JSON.valueToTree(PageData.of(JSON.valueToTree(sample.run()), sample.history(), 1_000));

        JsonNode drawn = data.get("operations");
        int violation = data.get("violations").get(0).get("operations").size();
        assertThat(columnLengths(drawn)).containsOnly(drawn.get("start").size());
        assertThat(drawn.get("start").size()).isBetween(500, 1_000 + violation);
        assertThat(drawn.get("total").asInt()).isEqualTo(9_000);
        assertThat(drawn.get("everyOk").asInt()).isGreaterThan(1);
        assertThat(drawn.get("everyOther").asInt()).isEqualTo(1);
        long counted = 0;
        for (JsonNode series : data.get("rate").get("series")) {
            for (JsonNode n : series.get("counts")) {
                counted += n.asLong();
            }
        }
        assertThat(counted).isEqualTo(9_000);
        assertThat(data.get("rate").get("series").get(0).get("counts").size()).isLessThanOrEqualTo(300);
    }

    @Test
    void moreOperationsThanAPageHoldsAreAPageOfAFewMegabytes() {
        Sample sample = SampleRuns.valid(OperationColumns.LIMIT + 10_000);

        String page = ChaosReport.html(JSON.valueToTree(sample.run()), sample.history());

        assertThat(page.length()).isBetween(800_000, 5_000_000);
    }

    @Test
    void nothingInItEndsItsElementOrAsksTheNetwork() throws IOException {
        Sample sample = SampleRuns.stale(900);
        String page = ChaosReport.html(JSON.valueToTree(sample.run()), sample.history());

        assertThat(page).doesNotContain("alert(1)</script>").doesNotContain("<!--").doesNotContain("/*INCLUDE")
                .doesNotContain("/*CHART_JS*/").doesNotContainPattern("(?i)\\b(src|href)\\s*=\\s*[\"']?(https?:)?//")
                .doesNotContain("sourceMappingURL").contains("Chart.js v").contains("default-src 'none'");
        // The template's own elements and no more: what is not in one of them would be an element of the data's.
        assertThat(page.split("<script", -1)).hasSize(4);
        assertThat(page.split("</script", -1)).hasSize(4);
        JsonNode texts = data(sample).get("operations").get("texts");
        assertThat(texts(texts)).contains(SampleRuns.HOSTILE);
    }

    @Test
    void writesTheReportOfAFolderAgain() throws IOException {
        Sample sample = SampleRuns.stale(900);
        Files.writeString(folder.resolve("run.json"), JSON.writeValueAsString(sample.run()));
        Histories.writeJsonLines(sample.history(), folder.resolve("history.jsonl"));
        ChaosReport.write(folder, sample.run(), sample.history());
        String first = Files.readString(folder.resolve("report.html"));
        Files.delete(folder.resolve("report.html"));

        StringWriter out = new StringWriter();
        int status = new CommandLine(new ReportCommand()).setOut(new PrintWriter(out)).execute(folder.toString());

        assertThat(status).isZero();
        assertThat(out.toString().strip()).isEqualTo(folder.resolve("report.html").toString());
        assertThat(folder.resolve("report.html")).hasContent(first);
    }

    @Test
    void refusesWhatIsNoResultFolder() throws IOException {
        assertThatThrownBy(() -> ChaosReport.rewrite(folder.resolve("none"))).isInstanceOf(TomboloException.class)
                .hasMessageStartingWith("CHAOS_RESULT_UNREADABLE: ").hasMessageContaining("Next: ");
        for (String text : List.of("", "{}", "[]", "null", "{\"results\":3}", "not json")) {
            Files.writeString(folder.resolve("run.json"), text);
            assertThatThrownBy(() -> ChaosReport.rewrite(folder)).as(text).isInstanceOf(TomboloException.class)
                    .hasMessageStartingWith("CHAOS_RESULT_UNREADABLE: ");
        }
        assertThat(folder.resolve("report.html")).doesNotExist();
    }

    private static JsonNode data(Sample sample) throws IOException {
        Matcher data = DATA.matcher(ChaosReport.html(JSON.valueToTree(sample.run()), sample.history()));
        assertThat(data.find()).isTrue();
        return JSON.readTree(data.group(1));
    }

    private static JsonNode operation(JsonNode violation, long id) {
        for (JsonNode operation : violation.get("operations")) {
            if (operation.get("id").asLong() == id) {
                return operation;
            }
        }
        throw new AssertionError("not among the operations that are shown: " + id);
    }

    private static List<Integer> columnLengths(JsonNode operations) {
        List<Integer> lengths = new ArrayList<>();
        for (String column : List.of("start", "length", "row", "process", "type", "f", "asked", "answered")) {
            lengths.add(operations.get(column).size());
        }
        return lengths;
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(element -> texts.add(element.asText()));
        return texts;
    }
}

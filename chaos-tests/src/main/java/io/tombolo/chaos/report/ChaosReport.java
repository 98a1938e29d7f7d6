package io.tombolo.chaos.report;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tombolo.chaos.ChaosError;
import io.tombolo.chaos.history.Histories;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryLimits;
import io.tombolo.deploy.report.ReportPage;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Writes `report.html` into the result folder of a run. The page needs nothing but itself; docs/chaos.md says what is
/// on it.
public final class ChaosReport {
    /// In the result folder.
    public static final String FILE = "report.html";

    private static final ObjectMapper JSON = new ObjectMapper();

    private ChaosReport() {
    }

    /// Writes the report of a run that has just ended.
    ///
    /// @param run what is in the folder's `run.json`
    /// @throws TomboloException `CHAOS_RESULT_NOT_WRITTEN`
    public static void write(Path folder, Object run, History history) {
        write(folder, html(JSON.valueToTree(run), history));
    }

    /// Writes the report of any result folder again, from its `run.json` and `history.jsonl`.
    ///
    /// @return the file
    /// @throws TomboloException `CHAOS_RESULT_UNREADABLE`, `CHAOS_RESULT_NOT_WRITTEN`, and those of [Histories]
    public static Path rewrite(Path folder) {
        requireNonNull(folder, "folder is null");
        Path file = folder.resolve("run.json");
        JsonNode run;
        try {
            run = JSON.readTree(file.toFile());
        } catch (IOException e) {
            throw unreadable(file).fact("cause", e).cause(e).build();
        }
        if (!run.path("results").path("checkers").isObject()) {
            throw unreadable(file).fact("missing", "results.checkers").build();
        }
        return write(folder,
                html(run, Histories.readJsonLines(folder.resolve("history.jsonl"), HistoryLimits.DEFAULT)));
    }

    /// The page.
    ///
    /// @param run what is in `run.json`
    static String html(JsonNode run, History history) {
        try {
            return ReportPage.html(ChaosReport.class, FILE,
                    JSON.writeValueAsString(PageData.of(run, history, OperationColumns.LIMIT)));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the data of a report cannot be written as JSON", e);
        }
    }

    private static Path write(Path folder, String page) {
        Path file = folder.resolve(FILE);
        try {
            return Files.writeString(file, page);
        } catch (IOException e) {
            throw TomboloException.error(ChaosError.CHAOS_RESULT_NOT_WRITTEN, "the report cannot be written")
                    .fact("path", file).fact("cause", e).next("check the directory and the room on its file system")
                    .cause(e).build();
        }
    }

    private static TomboloException.Builder unreadable(Path file) {
        return TomboloException.error(ChaosError.CHAOS_RESULT_UNREADABLE, "this is not the result folder of a run")
                .fact("file", file).next("give a folder that a run of tombolo chaos has filled to the end");
    }
}

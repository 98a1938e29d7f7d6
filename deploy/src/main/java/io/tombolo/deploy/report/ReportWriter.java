package io.tombolo.deploy.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.tombolo.deploy.DeployError;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Writes report.json and report.html.
public final class ReportWriter {
    private ReportWriter() {
    }

    /// Writes both files into a directory, which is made if it is not there; files of an earlier report are replaced.
    ///
    /// @throws TomboloException `REPORT_NOT_WRITTEN`
    public static void write(DrillReport report, Path directory) {
        write(json(report), html(report), directory);
    }

    /// The same of a failover drill.
    public static void write(FailoverReport report, Path directory) {
        write(json(report), html(report), directory);
    }

    private static void write(String json, String html, Path directory) {
        try {
            Files.createDirectories(directory);
            Files.writeString(directory.resolve("report.json"), json + "\n");
            Files.writeString(directory.resolve("report.html"), html);
        } catch (IOException e) {
            throw TomboloException.error(DeployError.REPORT_NOT_WRITTEN, "the report cannot be written")
                    .fact("directory", directory.toAbsolutePath()).fact("cause", e)
                    .next("choose a directory that can be written with --report").cause(e).build();
        }
    }

    /// The report as indented JSON.
    public static String json(DrillReport report) {
        return indented(report);
    }

    public static String json(FailoverReport report) {
        return indented(report);
    }

    private static String indented(Object report) {
        try {
            return new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(report);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a report cannot be written as JSON", e);
        }
    }

    /// The report as one HTML page.
    public static String html(DrillReport report) {
        return ReportPage.html(ReportWriter.class, "report.html", json(report));
    }

    public static String html(FailoverReport report) {
        return ReportPage.html(ReportWriter.class, "failover.html", json(report));
    }
}

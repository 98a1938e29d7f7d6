package io.tombolo.deploy.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.tombolo.deploy.DeployError;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;

/// Writes report.json and report.html. The page needs nothing but itself: Chart.js and the data are inlined, and it
/// asks no network for anything.
public final class ReportWriter {
    private static final String CHART_JS = "/META-INF/maven/org.webjars.npm/chart.js/pom.properties";

    private ReportWriter() {
    }

    /// Writes both files into a directory, which is made if it is not there; files of an earlier report are replaced.
    ///
    /// @throws TomboloException `REPORT_NOT_WRITTEN`
    public static void write(DrillReport report, Path directory) {
        try {
            Files.createDirectories(directory);
            Files.writeString(directory.resolve("report.json"), json(report) + "\n");
            Files.writeString(directory.resolve("report.html"), html(report));
        } catch (IOException e) {
            throw TomboloException.error(DeployError.REPORT_NOT_WRITTEN, "the report cannot be written")
                    .fact("directory", directory.toAbsolutePath()).fact("cause", e)
                    .next("choose a directory that can be written with --report").cause(e).build();
        }
    }

    /// The report as indented JSON.
    public static String json(DrillReport report) {
        try {
            return new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(report);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a report cannot be written as JSON", e);
        }
    }

    /// The report as one HTML page.
    public static String html(DrillReport report) {
        // `</` would end the script element wherever it stands; in JSON and JavaScript strings `<\/` means the same.
        String data = json(report).replace("</", "<\\/");
        return resource("/io/tombolo/deploy/report/report.html").replace("/*DATA*/", data).replace("/*CHART_JS*/",
                chartJs());
    }

    private static String chartJs() {
        Properties properties = new Properties();
        try (InputStream in = open(CHART_JS)) {
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + CHART_JS, e);
        }
        String script = resource("/META-INF/resources/webjars/chart.js/" + properties.getProperty("version")
                + "/dist/chart.umd.min.js");
        // A browser's developer tools would ask for the map.
        return script.replaceAll("(?m)^//# sourceMappingURL=.*$", "");
    }

    private static String resource(String name) {
        try (InputStream in = open(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + name, e);
        }
    }

    private static InputStream open(String name) {
        InputStream in = ReportWriter.class.getResourceAsStream(name);
        if (in == null) {
            throw new IllegalStateException("not on the class path: " + name);
        }
        return in;
    }
}

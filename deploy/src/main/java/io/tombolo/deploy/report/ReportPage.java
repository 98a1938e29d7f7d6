package io.tombolo.deploy.report;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// One HTML page with its data, for every kind of report. It needs nothing but itself: Chart.js, styles, scripts and
/// data are inlined, and it asks no network for anything.
///
/// A template may hold these, each replaced once:
///
/// | what | by |
/// |---|---|
/// | `/*DATA*/` | the data, for a script element of type `application/json` |
/// | `/*CHART_JS*/` | Chart.js |
/// | `/*INCLUDE name*/` | a resource beside the template, or, with a slash in front, of the class path |
///
/// `page.css` and `page.js` beside this class are what all reports have in common.
public final class ReportPage {
    private static final String CHART_JS = "/META-INF/maven/org.webjars.npm/chart.js/pom.properties";
    private static final Pattern PLACE = Pattern.compile("/\\*(DATA|CHART_JS|INCLUDE ([\\w./-]+))\\*/");

    private ReportPage() {
    }

    /// Fills a template. What is put into it is never looked at for places again, so no text of the data can become
    /// anything else.
    ///
    /// @param owner    the class that the template lies beside
    /// @param template name of the resource
    /// @param json     the data
    public static String html(Class<?> owner, String template, String json) {
        requireNonNull(json, "json is null");
        Matcher place = PLACE.matcher(resource(owner, template));
        StringBuilder page = new StringBuilder();
        while (place.find()) {
            String text = switch (place.group(1)) {
                case "DATA" -> inScript(json);
                case "CHART_JS" -> chartJs();
                default -> resource(owner, place.group(2));
            };
            place.appendReplacement(page, Matcher.quoteReplacement(text));
        }
        return place.appendTail(page).toString();
    }

    /// JSON in which nothing can end or change the script element around it: `</script` would end it, and `<!--` with
    /// `<script` behind it would keep its end from being seen. `<` occurs in strings only, where the escape means the
    /// same.
    private static String inScript(String json) {
        return json.replace("<", "\\u003c");
    }

    private static String chartJs() {
        Properties properties = new Properties();
        try (InputStream in = open(ReportPage.class, CHART_JS)) {
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + CHART_JS, e);
        }
        String script = resource(ReportPage.class, "/META-INF/resources/webjars/chart.js/"
                + properties.getProperty("version") + "/dist/chart.umd.min.js");
        // A browser's developer tools would ask for the map.
        return script.replaceAll("(?m)^//# sourceMappingURL=.*$", "");
    }

    private static String resource(Class<?> owner, String name) {
        try (InputStream in = open(owner, name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + name, e);
        }
    }

    private static InputStream open(Class<?> owner, String name) {
        InputStream in = owner.getResourceAsStream(name);
        if (in == null) {
            throw new IllegalStateException("not on the class path: " + name);
        }
        return in;
    }
}

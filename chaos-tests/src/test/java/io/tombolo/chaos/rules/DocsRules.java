package io.tombolo.chaos.rules;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/// What the documents promise about themselves. Every method returns findings; none means the rule holds.
final class DocsRules {
    private static final Pattern TEST_LINK = Pattern
            .compile("\\[`?([A-Za-z0-9]+)(?:#([A-Za-z0-9_]+))?`?\\]\\(([^)\\s]+\\.java)\\)");
    private static final int GUARANTEES = 8;

    private final Function<String, String> contentOrNull;

    /// `contentOrNull` answers a path below the root with its text, null if there is no such file, "" for a folder.
    DocsRules(Function<String, String> contentOrNull) {
        this.contentOrNull = contentOrNull;
    }

    /// Relative links lead to a file of this repository, and what follows `#` to a heading in it.
    List<String> brokenLinks(Markdown file) {
        List<String> found = new ArrayList<>();
        for (Markdown.Link link : file.links()) {
            if (link.target().matches("(https?|mailto):.*")) {
                continue;
            }
            String[] parts = link.target().split("#", 2);
            String path = parts[0].isEmpty() ? file.path() : resolve(file.path(), parts[0]);
            String content = contentOrNull.apply(path);
            if (content == null) {
                found.add(file.path() + ":" + link.line() + ": link to nothing: " + link.target());
            } else if (parts.length == 2 && path.endsWith(".md")
                    && !Markdown.parse(path, content.lines().toList()).anchors().contains(parts[1])) {
                found.add(file.path() + ":" + link.line() + ": no such heading: " + link.target());
            }
        }
        return found;
    }

    /// Each guarantee I1 to I8 names the crash kinds and, under "Tests", tests that exist or says what is pending.
    List<String> unkeptGuarantees(Markdown file) {
        List<String> found = new ArrayList<>();
        Map<String, List<String>> sections = file.sections(2);
        for (int i = 1; i <= GUARANTEES; i++) {
            String number = "I" + i + " ";
            List<String> body = sections.entrySet().stream().filter(e -> e.getKey().startsWith(number))
                    .map(Map.Entry::getValue).findFirst().orElse(null);
            if (body == null) {
                found.add(file.path() + ": no section " + number.strip());
                continue;
            }
            if (body.stream().noneMatch(line -> line.matches("Crash kinds: .*\\b[PH]\\b.*"))) {
                found.add(file.path() + ": " + number + "says no crash kinds");
            }
            List<String> tests = body.stream().dropWhile(line -> !line.equals("Tests:"))
                    .filter(line -> line.startsWith("- ")).toList();
            if (tests.isEmpty()) {
                found.add(file.path() + ": " + number + "names no test and nothing pending");
            }
            tests.forEach(test -> found.addAll(unbacked(file.path(), number + "- ", test.substring(2))));
        }
        return found;
    }

    /// The last cell of every row of the failure table is a test that exists, or says pending.
    List<String> untestedCases(Markdown file) {
        List<String> lines = file.sections(2).getOrDefault("Failure cases", List.of());
        List<List<String>> rows = Markdown.rows(lines);
        if (rows.isEmpty()) {
            return List.of(file.path() + ": no table of failure cases");
        }
        return rows.stream()
                .flatMap(row -> unbacked(file.path(), "case " + row.getFirst() + ": ", row.getLast()).stream())
                .toList();
    }

    /// Decisions are numbered without a gap and say what was rejected.
    static List<String> badDecisions(Markdown file) {
        List<String> found = new ArrayList<>();
        List<String> titles = List.copyOf(file.sections(2).keySet());
        IntStream.range(0, titles.size()).filter(i -> !titles.get(i).startsWith((i + 1) + ". "))
                .forEach(i -> found.add(file.path() + ": not number " + (i + 1) + ": " + titles.get(i)));
        file.sections(2).forEach((title, body) -> {
            for (String part : List.of("Context:", "Decision:", "Rejected:")) {
                if (body.stream().noneMatch(line -> line.startsWith(part))) {
                    found.add(file.path() + ": " + title + ": no " + part);
                }
            }
        });
        return found;
    }

    /// A reader finds what to run before line 25.
    static List<String> lateCommands(Markdown readme, List<String> lines) {
        List<String> top = lines.stream().limit(25).toList();
        return List.of("./tombolo drill", "./mvnw verify").stream()
                .filter(command -> top.stream().noneMatch(line -> line.contains(command)))
                .map(command -> readme.path() + ": not by line 25: " + command).toList();
    }

    private List<String> unbacked(String path, String where, String claim) {
        if (claim.startsWith("pending")) {
            return List.of();
        }
        Matcher link = TEST_LINK.matcher(claim);
        if (!link.find()) {
            return List.of(path + ": " + where + "neither a test nor pending: " + claim);
        }
        String content = contentOrNull.apply(resolve(path, link.group(3)));
        if (content == null || !link.group(3).endsWith("/" + link.group(1) + ".java")) {
            return List.of(path + ": " + where + "no such test: " + claim);
        }
        if (link.group(2) != null && !content.contains(" " + link.group(2) + "(")) {
            return List.of(path + ": " + where + "no such test method: " + claim);
        }
        return List.of();
    }

    private static String resolve(String from, String target) {
        Path parent = Path.of(from).getParent();
        Path path = parent == null ? Path.of(target) : parent.resolve(target);
        return path.normalize().toString();
    }
}

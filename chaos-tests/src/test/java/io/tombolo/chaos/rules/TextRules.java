package io.tombolo.chaos.rules;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// The house rules that can be read off a file's text. Each takes a path and its lines and returns one finding per
/// breach, `path:line: what`; nothing found means the rule holds.
enum TextRules {
    LINES_ARE_AT_MOST_120_WIDE, //
    FILES_ARE_AT_MOST_600_LINES_LONG, //
    METHODS_ARE_AT_MOST_80_LINES_LONG, //
    NO_UNFINISHED_WORK, //
    NO_REGISTRY_HOSTS, //
    NO_PATHS_OF_ONE_MACHINE, //
    CLEAN_WHITE_SPACE, //
    TESTS_DO_NOT_SLEEP, //
    TESTS_ARE_NOT_DISABLED, //
    TEST_FILES_ARE_RUN, //
    NO_PREVIEW_FEATURES, //
    PUBLIC_TYPES_ARE_DOCUMENTED;

    private static final int WIDTH = 120;
    private static final int FILE_LINES = 600;
    private static final String TEXT_BLOCK = "\"".repeat(3);
    private static final int METHOD_LINES = 80;

    // The words are put together, so that this file does not break its own rules.
    private static final Pattern UNFINISHED = Pattern.compile("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b");
    private static final Pattern REGISTRY = Pattern.compile("(?i)(" + String.join("|", "repo1?\\.maven\\.",
            "jitpack\\.",
            "(central|oss)\\.sona" + "type", "plugins\\.gradle\\.", "registry\\.npm" + "js", "pypi\\." + "org",
            "crates\\." + "io", "proxy\\.go" + "lang", "(deb|security|snapshot)\\.debian\\.", "docker\\." + "io",
            "(ghcr|quay)\\." + "io", "archive\\.apache\\.") + ")");
    private static final Pattern MACHINE_PATH = Pattern
            .compile("(?<![\\w.~$}])/(home/[a-z]{2}|root/|Users/[A-Za-z]|work/(wt|main|shared)\\b)");
    // A loop with a deadline may pause between two looks (parkNanos, Awaitility); a bare sleep only hopes.
    private static final Pattern SLEEP = Pattern.compile("Thread\\.sle" + "ep\\(|TimeUnit\\.\\w+\\.sle" + "ep\\(");
    private static final Pattern PUBLIC_TYPE = Pattern.compile("^public ((final|sealed|non-sealed|abstract|strictfp) )*"
            + "(class|interface|record|enum|@interface) \\w+.*");
    private static final Pattern RUN_BY_SUREFIRE = Pattern.compile(".*(Test|IT)\\.java");

    List<String> findings(String path, List<String> lines) {
        return switch (this) {
            case LINES_ARE_AT_MOST_120_WIDE -> width(path, lines);
            case FILES_ARE_AT_MOST_600_LINES_LONG -> length(path, lines);
            case METHODS_ARE_AT_MOST_80_LINES_LONG -> methods(path, lines);
            case NO_UNFINISHED_WORK -> unfinished(path, lines);
            case NO_REGISTRY_HOSTS -> registries(path, lines);
            case NO_PATHS_OF_ONE_MACHINE -> machinePaths(path, lines);
            case CLEAN_WHITE_SPACE -> whiteSpace(path, lines);
            case TESTS_DO_NOT_SLEEP -> sleeps(path, lines);
            case TESTS_ARE_NOT_DISABLED -> disabled(path, lines);
            case TEST_FILES_ARE_RUN -> testNames(path, lines);
            case NO_PREVIEW_FEATURES -> preview(path, lines);
            case PUBLIC_TYPES_ARE_DOCUMENTED -> documented(path, lines);
        };
    }

    private static List<String> width(String path, List<String> lines) {
        if (path.endsWith(".md") || path.equals("LICENSE") || !(isCode(path) || path.endsWith(".xml"))) {
            return List.of();
        }
        List<String> found = new ArrayList<>();
        boolean inTextBlock = false;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            inTextBlock ^= line.contains(TEXT_BLOCK);
            // One long word (a digest, an address), a quoted message and a row of a table cannot be broken.
            boolean breakable = line.strip().contains(" ") && !line.strip().matches("<\\w+>[^<]*</\\w+>")
                    && !inTextBlock && !line.contains("\"") && !line.strip().startsWith("/// |");
            if (line.codePointCount(0, line.length()) > WIDTH && breakable) {
                found.add(at(path, i) + "wider than " + WIDTH + ": " + line.length());
            }
        }
        return found;
    }

    private static List<String> length(String path, List<String> lines) {
        return path.endsWith(".java") && lines.size() > FILE_LINES
                ? List.of(path + ": longer than " + FILE_LINES + " lines: " + lines.size())
                : List.of();
    }

    /// Leans on the formatter: a member of a top-level type opens and closes at an indentation of four.
    private static List<String> methods(String path, List<String> lines) {
        if (!isMainJava(path)) {
            return List.of();
        }
        List<String> found = new ArrayList<>();
        int opened = -1;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.matches(" {4}[^ ].*\\) (throws .*)?\\{")) {
                opened = i;
            } else if (line.equals("    }") && opened >= 0) {
                if (i - opened - 1 > METHOD_LINES) {
                    found.add(at(path, opened) + "method longer than " + METHOD_LINES + " lines: " + (i - opened - 1));
                }
                opened = -1;
            }
        }
        return found;
    }

    private static List<String> unfinished(String path, List<String> lines) {
        return matches(path, lines, UNFINISHED, "unfinished work");
    }

    private static List<String> registries(String path, List<String> lines) {
        return matches(path, lines, REGISTRY, "names a registry host");
    }

    private static List<String> machinePaths(String path, List<String> lines) {
        return matches(path, lines, MACHINE_PATH, "path of one machine");
    }

    private static List<String> whiteSpace(String path, List<String> lines) {
        if (path.equals("LICENSE")) {
            return List.of();
        }
        List<String> found = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.endsWith(" ") || line.endsWith("\t") || line.endsWith("\r")) {
                found.add(at(path, i) + "white space at the end");
            }
            if (line.indexOf('\t') >= 0 && (isCode(path) || path.endsWith(".xml")) && !path.endsWith(".c")) {
                found.add(at(path, i) + "tab");
            }
        }
        return found;
    }

    private static List<String> sleeps(String path, List<String> lines) {
        return isTestJava(path) ? matches(path, lines, SLEEP, "sleeps; wait for a condition") : List.of();
    }

    private static List<String> disabled(String path, List<String> lines) {
        return isTestJava(path)
                ? matches(path, lines, Pattern.compile("^\\s*@Disab" + "led\\b"), "disabled test")
                : List.of();
    }

    private static List<String> testNames(String path, List<String> lines) {
        boolean holdsTests = lines.stream()
                .anyMatch(line -> line.strip().matches("@(Test|ParameterizedTest|RepeatedTest|TestFactory)\\b.*"));
        boolean isAbstract = lines.stream()
                .anyMatch(line -> line.matches("^(public )?(abstract .*class|interface) .*"));
        return isTestJava(path) && holdsTests && !isAbstract && !RUN_BY_SUREFIRE.matcher(path).matches()
                ? List.of(path + ": holds tests but its name is neither *Test nor *IT, so nothing runs it")
                : List.of();
    }

    private static List<String> preview(String path, List<String> lines) {
        return matches(path, lines, Pattern.compile("--enable-pre" + "view"), "preview features");
    }

    private static List<String> documented(String path, List<String> lines) {
        if (!isMainJava(path) || path.endsWith("package-info.java")) {
            return List.of();
        }
        List<String> found = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            if (PUBLIC_TYPE.matcher(lines.get(i)).matches() && !hasDocAbove(lines, i)) {
                found.add(at(path, i) + "public type without a /// comment");
            }
        }
        return found;
    }

    /// Annotations, also of several lines, may stand between the comment and the type.
    private static boolean hasDocAbove(List<String> lines, int type) {
        for (int i = type - 1; i >= 0; i--) {
            String line = lines.get(i);
            if (line.startsWith("///")) {
                return true;
            }
            if (line.isBlank() || line.startsWith("import ") || line.startsWith("}")) {
                return false;
            }
        }
        return false;
    }

    private static List<String> matches(String path, List<String> lines, Pattern pattern, String what) {
        List<String> found = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            if (pattern.matcher(lines.get(i)).find()) {
                found.add(at(path, i) + what + ": " + lines.get(i).strip());
            }
        }
        return found;
    }

    private static boolean isCode(String path) {
        return path.matches(".*\\.(java|sh|c|js|css|yaml|yml|properties)")
                || path.matches("mvnw|tombolo|\\.ci/run|\\.mvn/benchmark");
    }

    private static boolean isMainJava(String path) {
        return path.contains("/src/main/java/") && path.endsWith(".java");
    }

    private static boolean isTestJava(String path) {
        return path.contains("/src/test/java/") && path.endsWith(".java");
    }

    private static String at(String path, int index) {
        return path + ":" + (index + 1) + ": ";
    }
}

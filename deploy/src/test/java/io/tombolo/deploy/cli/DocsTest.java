package io.tombolo.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.region.ErrorCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/// docs/cli.md and docs/errors.md are what the code says. `-Dtombolo.docs.update=true` writes them anew.
final class DocsTest {
    private static final List<String> MODULES = List.of("shared-region", "coordinator", "agent", "deploy");
    /// Stands above this one, so its enums can only be read as text.
    private static final String MODULE_ABOVE = "chaos-tests";
    private static final Pattern ENUM = Pattern.compile("enum (\\w+) implements ErrorCode");
    private static final Pattern CONSTANT = Pattern
            .compile("(?m)((?:^ *///.*\\R)+)^ *([A-Z][A-Z0-9_]+)(?:\\((\\d)?|,|;)");

    @Test
    void everyCommandIsDescribedAsItDescribesItself() throws IOException {
        StringBuilder text = new StringBuilder(
                """
                        # Commands

                        What `tombolo COMMAND --help` prints. A test compares this page with the program.

                        Every command that prints takes `--json`. Results go to standard output, progress and errors to standard error.
                        An error is one line, `CODE: what: facts. Next: what to do`; [errors.md](errors.md) lists the codes and the exit
                        statuses. A command line that cannot be understood ends with 2.

                        Sizes are whole numbers with an optional K, M, G or T (binary multiples of a byte); durations are whole numbers
                        with ns, us, ms, s, m or h.

                        The commands that attack a cluster and its protocols are where they are explained:
                        [chaos](chaos.md), [chaos check](checkers.md), [simulate](simulator.md).
                        """);
        describe(Tombolo.commandLine(new FakeServices(Path.of("."))), text);
        compare("docs/cli.md", text.toString());
    }

    @Test
    void everyErrorCodeIsListed() throws IOException {
        StringBuilder text = new StringBuilder(
                """
                        # Error codes

                        Every error is printed as `CODE: what: facts. Next: what to do`. A code never changes its name or meaning, so scripts
                        may match on it. A test makes this page from the enums in the code.

                        | exit status | means |
                        |---:|---|
                        | 0 | done |
                        | 1 | a defect of the program (`INTERNAL`), a drill whose checks did not hold, or a history that is not valid |
                        | 2 | bad input: correct it; also a command line that cannot be understood (`USAGE`), and a verdict that is not known |
                        | 3 | refused because of a state: it may work later or after another command |
                        | 4 | the environment: something is missing, full, unreachable or forbidden |
                        | 5 | damage: keep the files and look before going on |
                        """);
        for (String module : Stream.concat(MODULES.stream(), Stream.of(MODULE_ABOVE)).toList()) {
            text.append("\n## ").append(module).append("\n\n| code | exit | meaning |\n|---|---:|---|\n");
            new TreeMap<>(codes(module))
                    .forEach((name, row) -> text.append("| `").append(name).append("` | ").append(row).append(" |\n"));
        }
        compare("docs/errors.md", text.toString());
    }

    @Test
    void noCodeIsUsedTwiceAndEveryStatusIsOneOfFive() throws IOException {
        Map<String, String> seen = new HashMap<>();
        for (String module : MODULES) {
            for (ErrorCode code : constants(module)) {
                String other = seen.put(code.name(), code.getClass().getName());
                assertThat(other).as(code.name()).isNull();
                assertThat(code.exitStatus()).as(code.name()).isBetween(1, 5);
            }
        }
        assertThat(seen).hasSizeGreaterThan(50).containsKeys("REGION_MISSING", "VM_SPEC_INVALID", "QEMU_MISSING",
                "SIZE_INVALID");
    }

    private static void describe(CommandLine command, StringBuilder text) {
        if (command.getCommandSpec().usageMessage().hidden() || command.getCommandName().equals("help")) {
            return;
        }
        text.append("\n## ").append(command.getCommandSpec().qualifiedName()).append("\n\n```text\n")
                .append(command.getUsageMessage(Ansi.OFF).stripTrailing()).append("\n```\n");
        command.getSubcommands().values().forEach(c -> describe(c, text));
    }

    /// Name to the other two columns, from the documentation comments in the sources.
    private static Map<String, String> codes(String module) throws IOException {
        Map<String, String> comments = new HashMap<>();
        for (Path source : enums(module)) {
            Matcher matcher = CONSTANT.matcher(Files.readString(source));
            while (matcher.find()) {
                String meaning = matcher.group(1).replaceAll("(?m)^ */// ?", "").strip().replaceAll("\\s+", " ")
                        .replaceAll("\\[([^\\]]+)\\]", "`$1`").replace("|", "\\|");
                comments.put(matcher.group(2), meaning);
                if (module.equals(MODULE_ABOVE)) {
                    assertThat(matcher.group(3)).as(matcher.group(2)).isNotNull();
                    comments.put(matcher.group(2), matcher.group(3) + " | " + meaning);
                }
            }
        }
        if (module.equals(MODULE_ABOVE)) {
            return comments;
        }
        Map<String, String> rows = new HashMap<>();
        for (ErrorCode code : constants(module)) {
            assertThat(comments).as("every code has a comment").containsKey(code.name());
            rows.put(code.name(), code.exitStatus() + " | " + comments.get(code.name()));
        }
        return rows;
    }

    private static List<ErrorCode> constants(String module) throws IOException {
        List<ErrorCode> codes = new ArrayList<>();
        for (Path source : enums(module)) {
            String name = root().resolve(module).resolve("src/main/java").relativize(source).toString()
                    .replace(".java", "").replace('/', '.');
            try {
                codes.addAll(List.of((ErrorCode[]) Class.forName(name).getEnumConstants()));
            } catch (ClassNotFoundException e) {
                throw new IllegalStateException("a source without a class: " + source, e);
            }
        }
        return codes;
    }

    private static List<Path> enums(String module) throws IOException {
        try (Stream<Path> files = Files.walk(root().resolve(module).resolve("src/main/java"))) {
            List<Path> found = new ArrayList<>();
            for (Path file : files.filter(f -> f.toString().endsWith("Error.java")).sorted().toList()) {
                if (ENUM.matcher(Files.readString(file)).find()) {
                    found.add(file);
                }
            }
            return found;
        }
    }

    static void compare(String name, String expected) throws IOException {
        Path file = root().resolve(name);
        if (Boolean.getBoolean("tombolo.docs.update")) {
            Files.createDirectories(file.getParent());
            Files.writeString(file, expected);
        }
        List<String> found = Files.exists(file) ? Files.readAllLines(file) : List.of();
        List<String> wanted = expected.lines().toList();
        int line = 0;
        while (line < Math.min(found.size(), wanted.size()) && found.get(line).equals(wanted.get(line))) {
            line++;
        }
        boolean same = line == found.size() && line == wanted.size();
        assertThat(same)
                .as("%s is not what the code says, from line %d on: found [%s], expected [%s]; to write it anew:"
                        + " ./mvnw test -pl deploy -am -Dtest=DocsTest -Dtombolo.docs.update=true"
                        + " -Dsurefire.failIfNoSpecifiedTests=false", name, line + 1, at(found, line), at(wanted, line))
                .isTrue();
    }

    private static String at(List<String> lines, int index) {
        return index < lines.size() ? lines.get(index) : "end of file";
    }

    static Path root() {
        Path directory = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(directory.resolve("shared-region"))) {
            directory = directory.getParent();
        }
        return directory;
    }
}

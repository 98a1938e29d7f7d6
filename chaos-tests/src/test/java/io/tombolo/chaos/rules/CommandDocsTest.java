package io.tombolo.chaos.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.deploy.cli.Tombolo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/// The commands of this module, which `docs/cli.md` cannot hold because it is made in a module below, are described
/// where they are explained, as they describe themselves. `-Dtombolo.docs.update=true` writes those places anew.
final class CommandDocsTest {
    private static final Map<String, String> PAGES = Map.of("tombolo chaos", "docs/chaos.md", "tombolo chaos check",
            "docs/checkers.md", "tombolo chaos report", "docs/chaos.md", "tombolo simulate", "docs/simulator.md");
    private static final String FENCE = "```";

    @Test
    void everyCommandOfThisModuleIsDescribedAsItDescribesItself() throws IOException {
        for (Map.Entry<String, CommandLine> command : commands().entrySet()) {
            if (PAGES.containsKey(command.getKey())) {
                compare(PAGES.get(command.getKey()), command.getKey(), command.getValue());
            }
        }
    }

    @Test
    void everyCommandIsOnOnePage() throws IOException {
        List<String> headings = Files.readAllLines(RepositoryFiles.root().resolve("docs/cli.md")).stream()
                .filter(line -> line.startsWith("## ")).map(line -> line.substring(3)).toList();
        assertThat(headings).doesNotContainAnyElementsOf(PAGES.keySet());
        List<String> described = new ArrayList<>(headings);
        described.addAll(PAGES.keySet());
        assertThat(described).containsAll(commands().keySet());
    }

    /// All that a person can call, by their whole names.
    private static Map<String, CommandLine> commands() {
        Map<String, CommandLine> all = new TreeMap<>();
        collect(Tombolo.commands(), all);
        return all;
    }

    private static void collect(CommandLine command, Map<String, CommandLine> into) {
        if (!command.getCommandSpec().usageMessage().hidden()
                && !(command.getCommand() instanceof CommandLine.HelpCommand)) {
            into.put(command.getCommandSpec().qualifiedName(), command);
            command.getSubcommands().values().forEach(subcommand -> collect(subcommand, into));
        }
    }

    private static void compare(String page, String name, CommandLine command) throws IOException {
        Path file = RepositoryFiles.root().resolve(page);
        List<String> lines = new ArrayList<>(Files.readAllLines(file));
        int from = first(lines, 0, line -> line.equals("Usage: " + name) || line.startsWith("Usage: " + name + " ["));
        assertThat(from).as("%s has a block that begins with 'Usage: %s'", page, name).isPositive();
        int to = first(lines, from, FENCE::equals);
        List<String> usage = command.getUsageMessage(Ansi.OFF).stripTrailing().lines().toList();
        List<String> block = lines.subList(from, to);
        if (Boolean.getBoolean("tombolo.docs.update") && !block.equals(usage)) {
            block.clear();
            block.addAll(usage);
            Files.write(file, lines);
        }
        assertThat(block).as("%s is not what '%s --help' prints; to write it anew: ./mvnw test -pl chaos-tests"
                + " -am -Dtest=CommandDocsTest -Dtombolo.docs.update=true"
                + " -Dsurefire.failIfNoSpecifiedTests=false", page, name).isEqualTo(usage);
    }

    private static int first(List<String> lines, int from, Predicate<String> which) {
        int at = from;
        while (at < lines.size() && !which.test(lines.get(at))) {
            at++;
        }
        return at < lines.size() ? at : -1;
    }
}

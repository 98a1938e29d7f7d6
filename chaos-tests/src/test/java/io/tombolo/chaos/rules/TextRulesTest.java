package io.tombolo.chaos.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class TextRulesTest {
    private static final String MAIN = "agent/src/main/java/io/tombolo/agent/Planted.java";
    private static final String TEST = "agent/src/test/java/io/tombolo/agent/PlantedTest.java";
    private static final Set<String> TOP_LEVEL = Set.of("pom.xml", "shared-region", "coordinator", "agent", "deploy",
            "chaos-tests", "README.md", "LICENSE", "docs", "tombolo", "mvnw");

    private static final RepositoryFiles FILES = RepositoryFiles.here();

    @ParameterizedTest
    @EnumSource(TextRules.class)
    void holdsInEveryFile(TextRules rule) {
        List<String> findings = FILES.text().stream().flatMap(path -> rule.findings(path, FILES.lines(path)).stream())
                .toList();

        assertThat(findings).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("breaches")
    void findsAPlantedBreach(TextRules rule, String path, List<String> lines) {
        assertThat(rule.findings(path, lines)).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource(TextRules.class)
    void hasAPlantedBreachForEveryRule(TextRules rule) {
        assertThat(breaches().map(breach -> breach.get()[0])).contains(rule);
    }

    @ParameterizedTest
    @MethodSource("permitted")
    void permitsWhatOnlyLooksLikeABreach(TextRules rule, String path, List<String> lines) {
        assertThat(rule.findings(path, lines)).isEmpty();
    }

    @Test
    void topLevelHoldsTheModulesAndNothingElse() {
        assertThat(FILES.topLevel()).filteredOn(name -> !name.startsWith(".")).isSubsetOf(TOP_LEVEL);
    }

    @Test
    void seesTheFilesOfEveryModule() {
        for (String module : List.of("shared-region", "coordinator", "agent", "deploy", "chaos-tests")) {
            assertThat(FILES.text(".java")).anyMatch(path -> path.startsWith(module + "/"));
        }
    }

    static Stream<Arguments> breaches() {
        List<String> longMethod = new ArrayList<>(List.of("    void run() {"));
        longMethod.addAll(Collections.nCopies(81, "        step();"));
        longMethod.add("    }");
        return Stream.of(breach(TextRules.LINES_ARE_AT_MOST_120_WIDE, MAIN, "word ".repeat(25)),
                breach(TextRules.LINES_ARE_AT_MOST_120_WIDE, "tombolo", "word ".repeat(25)),
                Arguments.of(TextRules.FILES_ARE_AT_MOST_600_LINES_LONG, MAIN, Collections.nCopies(601, "x")),
                Arguments.of(TextRules.METHODS_ARE_AT_MOST_80_LINES_LONG, MAIN, longMethod),
                breach(TextRules.NO_UNFINISHED_WORK, MAIN, "// TO" + "DO later"),
                breach(TextRules.NO_REGISTRY_HOSTS, "pom.xml", "<url>https://repo.ma" + "ven.apache.org/maven2</url>"),
                breach(TextRules.NO_REGISTRY_HOSTS, "agent/guest.sh", "curl http://deb.deb" + "ian.org/debian"),
                breach(TextRules.NO_PATHS_OF_ONE_MACHINE, "docs/x.md", "see /ho" + "me/anna/notes"),
                breach(TextRules.NO_PATHS_OF_ONE_MACHINE, "docs/x.md", "see `/ro" + "ot/x`"),
                breach(TextRules.CLEAN_WHITE_SPACE, "docs/x.md", "ends here  "),
                breach(TextRules.CLEAN_WHITE_SPACE, "tombolo", "\tindented"),
                breach(TextRules.TESTS_DO_NOT_SLEEP, TEST, "Thread.sle" + "ep(10);"),
                breach(TextRules.TESTS_DO_NOT_SLEEP, TEST, "TimeUnit.SECONDS.sle" + "ep(1);"),
                breach(TextRules.TESTS_ARE_NOT_DISABLED, TEST, "    @Disab" + "led(\"later\")"),
                Arguments.of(TextRules.TEST_FILES_ARE_RUN, "agent/src/test/java/io/tombolo/agent/PlantedTests.java",
                        List.of("class PlantedTests {", "    @Test", "    void holds() {")),
                breach(TextRules.NO_PREVIEW_FEATURES, "pom.xml", "<arg>--enable-pre" + "view</arg>"),
                Arguments.of(TextRules.PUBLIC_TYPES_ARE_DOCUMENTED, MAIN,
                        List.of("import java.util.List;", "", "@Deprecated", "public final class Planted {")));
    }

    static Stream<Arguments> permitted() {
        return Stream.of(breach(TextRules.LINES_ARE_AT_MOST_120_WIDE, "mvnw", "DIGEST=" + "0".repeat(128)),
                breach(TextRules.LINES_ARE_AT_MOST_120_WIDE, "docs/x.md", "| word ".repeat(30)),
                breach(TextRules.NO_PATHS_OF_ONE_MACHINE, "tombolo", "~/ro" + "ot/x $HOME/ho" + "me/x"),
                breach(TextRules.TESTS_DO_NOT_SLEEP, MAIN, "Thread.sle" + "ep(10);"),
                Arguments.of(TextRules.TEST_FILES_ARE_RUN, "agent/src/test/java/io/tombolo/agent/DriverContract.java",
                        List.of("abstract class DriverContract {", "    @Test", "    void holds() {")),
                Arguments.of(TextRules.PUBLIC_TYPES_ARE_DOCUMENTED, MAIN,
                        List.of("/// Documented.", "@Command(name = \"x\",", "        description = \"y\")",
                                "public final class Planted {")));
    }

    private static Arguments breach(TextRules rule, String path, String line) {
        return Arguments.of(rule, path, List.of(line));
    }
}

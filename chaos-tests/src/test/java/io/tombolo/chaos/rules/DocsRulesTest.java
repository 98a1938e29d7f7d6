package io.tombolo.chaos.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DocsRulesTest {
    private static final RepositoryFiles FILES = RepositoryFiles.here();
    private static final DocsRules RULES = new DocsRules(DocsRulesTest::contentOrNull);

    /// A small repository with a test in it, for the planted breaches.
    private static final DocsRules PLANTED = new DocsRules(
            Map.of("docs/a.md", "# One heading", "docs/b.md", "", "agent/XTest.java", "    void holds() {")::get);

    @Test
    void everyRelativeLinkLeadsSomewhere() {
        assertThat(FILES.text(".md").stream().flatMap(path -> RULES.brokenLinks(markdown(path)).stream())).isEmpty();
    }

    @Test
    void everyGuaranteeHasATestOrSaysPending() {
        assertThat(RULES.unkeptGuarantees(markdown("docs/guarantees.md"))).isEmpty();
    }

    @Test
    void everyFailureCaseHasATestOrSaysPending() {
        assertThat(RULES.untestedCases(markdown("docs/architecture.md"))).isEmpty();
    }

    @Test
    void decisionsAreNumberedAndSayWhatWasRejected() {
        assertThat(DocsRules.badDecisions(markdown("docs/decisions.md"))).isEmpty();
    }

    @Test
    void readmeShowsTheCommandsFirst() {
        assertThat(DocsRules.lateCommands(markdown("README.md"), FILES.lines("README.md"))).isEmpty();
    }

    @Test
    void mapOfTheDocsNamesEveryFile() {
        String map = FILES.content("docs/README.md");

        assertThat(FILES.text(".md")).filteredOn(path -> path.matches("docs/(?!README)[^/]*\\.md"))
                .allMatch(path -> map.contains("(" + path.substring("docs/".length()) + ")"));
    }

    @Test
    void findsALinkToNothing() {
        assertThat(PLANTED.brokenLinks(planted("see [x](gone.md)"))).hasSize(1);
        assertThat(PLANTED.brokenLinks(planted("see [x](a.md#another-heading)"))).hasSize(1);
        assertThat(PLANTED.brokenLinks(planted("see [x](a.md#one-heading), `[x](y)`", "```", "[x](gone.md)", "```")))
                .isEmpty();
    }

    @Test
    void findsAGuaranteeWithoutATest() {
        assertThat(PLANTED.unkeptGuarantees(planted(guarantees("- [XTest#holds](../agent/XTest.java)")))).isEmpty();
        assertThat(PLANTED.unkeptGuarantees(planted(guarantees("- pending: the cluster")))).isEmpty();
        assertThat(PLANTED.unkeptGuarantees(planted(guarantees("- trust us")))).hasSize(1);
        assertThat(PLANTED.unkeptGuarantees(planted(guarantees("- [XTest#gone](../agent/XTest.java)")))).hasSize(1);
        assertThat(PLANTED.unkeptGuarantees(planted(guarantees("- [YTest](../agent/YTest.java)")))).hasSize(1);
        assertThat(PLANTED.unkeptGuarantees(planted(guarantees("")))).hasSize(1);
    }

    @Test
    void findsAFailureCaseWithoutATest() {
        String[] head = {"## Failure cases", "", "| word | test |", "|---|---|"};

        assertThat(PLANTED.untestedCases(planted(head[0]))).hasSize(1);
        assertThat(PLANTED.untestedCases(planted(head[0], head[2], head[3], "| a | pending |"))).isEmpty();
        assertThat(PLANTED.untestedCases(planted(head[0], head[2], head[3], "| a |  |"))).hasSize(1);
    }

    @Test
    void findsADecisionWithoutItsAlternatives() {
        assertThat(DocsRules.badDecisions(planted("## 1. x", "Context: a", "Decision: b", "Rejected: c"))).isEmpty();
        assertThat(DocsRules.badDecisions(planted("## 1. x", "Context: a", "Decision: b"))).hasSize(1);
        assertThat(DocsRules.badDecisions(planted("## 2. x", "Context: a", "Decision: b", "Rejected: c"))).hasSize(1);
    }

    @Test
    void findsCommandsThatComeLate() {
        assertThat(DocsRules.lateCommands(planted(""), List.of("# x", "./tombolo drill"))).hasSize(1);
    }

    private static String[] guarantees(String lastTest) {
        StringBuilder text = new StringBuilder();
        for (int i = 1; i <= 8; i++) {
            text.append("## I").append(i).append(" name\n\nCrash kinds: P and H.\n\nTests:\n")
                    .append(i < 8 ? "- pending: all of it" : lastTest).append("\n\n");
        }
        return text.toString().split("\n", -1);
    }

    private static Markdown planted(String... lines) {
        return Markdown.parse("docs/b.md", List.of(lines));
    }

    private static Markdown markdown(String path) {
        return Markdown.parse(path, FILES.lines(path));
    }

    private static String contentOrNull(String path) {
        Path file = RepositoryFiles.root().resolve(path);
        if (Files.isDirectory(file)) {
            return "";
        }
        return Files.isRegularFile(file) ? FILES.content(path) : null;
    }
}

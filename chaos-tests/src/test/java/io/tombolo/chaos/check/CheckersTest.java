package io.tombolo.chaos.check;

import static io.tombolo.chaos.check.Texts.history;
import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.chaos.check.RecoveryTime.Recovery;
import io.tombolo.chaos.check.UnexpectedErrors.Allowed;
import io.tombolo.chaos.check.UnexpectedErrors.Span;
import io.tombolo.chaos.check.RegionVerified.VerifiedRegion;
import io.tombolo.chaos.history.History;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CheckersTest {
    private static final History NOTHING = History.of(List.of());

    @TempDir
    private Path folder;

    @Test
    void totalStaysTheSame() {
        Checker bank = new ConstantTotal(null, false, false);

        assertValid(bank, "0 invoke read; 0 ok read {0 6, 1 14}; 1 invoke read; 1 ok read {0 20, 1 0}");
        assertInvalid(bank, "0 invoke read; 0 ok read {0 6, 1 14}; 1 invoke read; 1 ok read {0 20, 1 1}",
                "total is 21");
        assertInvalid(bank, "0 invoke read; 0 ok read {0 6, 1 14}; 1 invoke read; 1 ok read {0 21, 1 -1}", "negative");
        assertInvalid(bank, "0 invoke read; 0 ok read {0 6, 1 14}; 1 invoke read; 1 ok read {0 20}", "other accounts");
        assertInvalid(new ConstantTotal(21L, false, false), "0 invoke read; 0 ok read {0 20}", "not 21");
        assertValid(new ConstantTotal(20L, true, false), "0 invoke read; 0 ok read {0 21, 1 -1}");
        assertValid(new ConstantTotal(null, false, true),
                "0 invoke read [a nil]; 0 ok read [a {0 1}]; 0 invoke read [b nil]; 0 ok read [b {0 2}]");
        assertUnknown(bank, "0 invoke transfer nil; 0 ok transfer nil; 0 invoke read; 0 info read");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "0 invoke append 1; 0 ok append 1; 0 invoke read; 0 ok read nil|lost",
            "0 invoke append 1; 0 ok append; 0 invoke append 2; 0 ok append; 0 invoke read; 0 ok read [2]|lost",
            "0 invoke append 1; 0 ok append; 0 invoke read; 0 ok read [1 1]|duplicated",
            "0 invoke append 1; 0 ok append; 0 invoke append 2; 0 ok append; 0 invoke read; 0 ok read [2 1]|reordered",
            "0 invoke append 1; 1 invoke append 2; 0 info append; 1 info append; 2 invoke read; 2 ok read [1];"
                    + "2 invoke read; 2 ok read [2 1]|no beginning",
            "0 invoke append 1; 0 fail append 1; 0 invoke read; 0 ok read [1]|failed, and happened",
            "0 invoke read; 0 ok read [1]|never appended",
            "0 invoke read; 0 ok read [1]; 0 invoke append 1; 0 ok append|read before it was sent",
            "0 invoke append 1; 0 ok append; 0 invoke read; 0 ok read nil; 0 invoke read; 0 ok read [1]|stale read",
            "0 invoke append 1; 1 invoke read; 1 ok read [1]; 1 invoke read; 1 ok read nil|stale read"})
    void refusesLists(String text, String what) {
        assertInvalid(new LostOrDuplicate(false), text, what);
    }

    @Test
    void acceptsLists() {
        Checker lists = new LostOrDuplicate(false);

        assertValid(lists,
                "0 invoke append 1; 1 invoke read; 1 ok read [1]; 2 invoke read; 2 ok read [1]; 0 ok append");
        assertValid(lists,
                "0 invoke append 1; 1 invoke append 2; 0 info append; 1 ok append; 2 invoke read; 2 ok read [2]");
        // The same element from two.
        assertValid(lists,
                "0 invoke append 1; 0 ok append; 0 invoke append 1; 0 ok append; 0 invoke read; 0 ok read [1 1]");
        assertUnknown(lists, "0 invoke append 1; 0 ok append");
        // A list that is also written is left out.
        assertUnknown(lists, "0 invoke write [5]; 0 ok write [5]; 0 invoke read; 0 ok read [5]");
        CheckResult result = lists.check(history("0 invoke read; 0 ok read []; 0 invoke append 1; 0 ok append"),
                CheckContext.defaults());
        assertThat(result.details()).containsEntry("neverRead", 1L);
    }

    @Test
    void ownersDoNotOverlap() {
        RunInterval first = new RunInterval("vm", "a", 1, 0, 100);

        assertValid(new SingleOwner(List.of(first, new RunInterval("vm", "b", 2, 100, 200),
                new RunInterval("other", "b", 1, 50, 60), new RunInterval("vm", "a", 1, 10, 90))), "");
        assertInvalid(new SingleOwner(List.of(new RunInterval("vm", "b", 2, 99, 200), first)), "", "for 1 ns");
        assertInvalid(new SingleOwner(List.of(first, new RunInterval("vm", "a", 2, 50, 60))), "", "epoch 2");
        // A long one is remembered while short ones come and go.
        assertInvalid(new SingleOwner(List.of(first, new RunInterval("vm", "a", 1, 10, 20),
                new RunInterval("vm", "c", 3, 90, 95))), "", "vm on c");
        assertUnknown(new SingleOwner(List.of()), "");
    }

    @Test
    void epochsGrow() {
        EpochSeen one = new EpochSeen("vm", "a", 1, 0);

        assertValid(new EpochsGrow(List.of(one, one, new EpochSeen("vm", "b", 2, 1), new EpochSeen("x", "a", 1, 2))),
                "");
        assertInvalid(new EpochsGrow(List.of(new EpochSeen("vm", "b", 2, 1), one)), "", "went back");
        assertInvalid(new EpochsGrow(List.of(one, new EpochSeen("vm", "b", 1, 1))), "", "two holders");
        assertUnknown(new EpochsGrow(List.of()), "");
    }

    @Test
    void everyKindHadAnOk() {
        Checker any = new EveryKindHadAnOk(Set.of());

        assertValid(any, "0 invoke read; 0 fail read; 0 invoke read; 0 ok read");
        assertInvalid(any, "0 invoke read; 0 ok read; 0 invoke cas [1 2]; 0 fail cas", "no cas is ok");
        assertInvalid(new EveryKindHadAnOk(Set.of("write")), "0 invoke read; 0 ok read", "no write is ok");
        assertUnknown(any, "");
    }

    @Test
    void recoveriesKeepTheirBound() {
        Duration bound = Duration.ofNanos(100);

        assertValid(new RecoveryTime(List.of(new Recovery("x", 0, 0, 100L, bound))), "");
        assertValid(new RecoveryTime(List.of(new Recovery("x", 0, 50, 150L, bound))), "");
        assertInvalid(new RecoveryTime(List.of(new Recovery("x", 0, 0, 101L, bound))), "", "took 101 ns");
        assertInvalid(new RecoveryTime(List.of(new Recovery("x", 0, 0, null, bound))), "", "never recovered");
        assertUnknown(new RecoveryTime(List.of()), "");
    }

    @Test
    void logsHaveNoUnexpectedErrors() throws IOException {
        Path log = Files.writeString(folder.resolve("agent.log"), "INFO all is well\nERROR lost the session\n");
        List<Allowed> allowed = List.of(allowed("agent\\.log", "lost the session", Span.ALWAYS));

        assertValid(errors(List.of(log), allowed), "");
        assertInvalid(errors(List.of(log), List.of()), "", "agent.log:2: ERROR lost");
        assertUnknown(errors(List.of(log, folder.resolve("gone.log")), allowed), "");
        assertInvalid(errors(List.of(log, folder.resolve("gone.log")), List.of()), "", "agent.log:2");
        assertUnknown(errors(List.of(), allowed), "");
        Files.writeString(log, "Exception in thread \"main\" java.lang.Error\n");
        assertInvalid(errors(List.of(log), allowed), "", "agent.log:1");
    }

    @Test
    void anErrorIsAllowedOnlyToWhoMayMakeItAndWhenItMay() throws IOException {
        String text = "2026-01-01T00:00:03.500Z ERROR Session [main] lost\n\tERROR of the same time\n";
        Path log = Files.writeString(folder.resolve("host-1.log"), text);
        long second = 1_000_000_000L;

        assertValid(errors(List.of(log), List.of(allowed("host-\\d\\.log", "ERROR", new Span(3 * second, 4 * second)))),
                "");
        assertInvalid(
                errors(List.of(log), List.of(allowed("host-\\d\\.log", "ERROR", new Span(4 * second, 9 * second)))),
                "", "host-1.log:1 at 3500 ms");
        assertInvalid(errors(List.of(log), List.of(allowed("host-\\d\\.log", "ERROR", new Span(0, 3 * second)))), "",
                "host-1.log:2 at 3500 ms");
        assertInvalid(errors(List.of(log), List.of(allowed("zookeeper-\\d\\.log", "ERROR", Span.ALWAYS))), "",
                "host-1.log:1");
        assertInvalid(errors(List.of(log), List.of(allowed("host-\\d\\.log", "ERROR Other ", Span.ALWAYS))), "",
                "host-1.log:1");
    }

    @Test
    void regionsAreVerified() {
        assertValid(new RegionVerified(List.of(new VerifiedRegion("r", 8, 8, List.of()))), "");
        assertInvalid(new RegionVerified(List.of(new VerifiedRegion("r", 8, 7, List.of()))), "", "7 frames");
        assertInvalid(new RegionVerified(List.of(new VerifiedRegion("r", 8, 8, List.of("frame 3 leaks")))), "",
                "leaks");
        assertUnknown(new RegionVerified(List.of()), "");
    }

    @Test
    void nothingIsLeft() {
        assertValid(new NothingLeft(NothingLeft.KINDS, List.of()), "");
        assertInvalid(new NothingLeft(NothingLeft.KINDS, List.of("process 7")), "", "process 7");
        assertInvalid(new NothingLeft(Set.of(), List.of("process 7")), "", "process 7");
        assertUnknown(new NothingLeft(Set.of("processes"), List.of()), "");
    }

    @Test
    void theWorstVerdictWins() {
        Checker valid = new NothingLeft(NothingLeft.KINDS, List.of());
        Checker unknown = new SingleOwner(List.of());
        Checker invalid = new EpochsGrow(List.of(new EpochSeen("v", "a", 2, 0), new EpochSeen("v", "a", 1, 0)));

        assertThat(verdict(valid)).isEqualTo(Verdict.VALID);
        assertThat(verdict(valid, unknown)).isEqualTo(Verdict.UNKNOWN);
        assertThat(verdict(invalid, unknown, valid)).isEqualTo(Verdict.INVALID);
        assertThat(verdict()).isEqualTo(Verdict.UNKNOWN);
        assertThat(Verdicts.of(List.of(valid, invalid), NOTHING, CheckContext.defaults()).json()).containsEntry(
                "verdict", "invalid")
                .containsEntry("checkers", Map.of("nothing-left", "valid", "epochs-grow", "invalid"));
        assertThat(List.of(Verdict.values()).stream().map(Verdict::exitStatus)).containsExactly(0, 1, 2);
    }

    @Test
    void aCheckerThatFailsIsUnknown() {
        Checker broken = new Checker() {
            @Override
            public String name() {
                return "broken";
            }

            @Override
            public CheckResult check(History history, CheckContext context) {
                throw new UnsupportedOperationException("not today");
            }
        };

        assertThat(verdict(broken)).isEqualTo(Verdict.UNKNOWN);
        assertThat(Verdicts.of(List.of(new ConstantTotal(null, false, false)), history("0 invoke read; 0 ok read 5"),
                CheckContext.defaults()).results().getFirst().details().get(CheckResult.REASON)).asString()
                .startsWith("HISTORY_NOT_OF_MODEL");
    }

    private static Checker errors(List<Path> logs, List<Allowed> allowed) {
        return new UnexpectedErrors(logs, UnexpectedErrors.DEFAULT_ERRORS, allowed,
                Instant.parse("2026-01-01T00:00:00Z"));
    }

    private static Allowed allowed(String log, String line, Span span) {
        return new Allowed("known", Pattern.compile(log), Pattern.compile(line), List.of(span));
    }

    private static Verdict verdict(Checker... checkers) {
        return Verdicts.of(List.of(checkers), NOTHING, CheckContext.defaults()).verdict();
    }

    private static void assertValid(Checker checker, String text) {
        CheckResult result = checker.check(history(text), CheckContext.defaults());

        assertThat(result.verdict()).as("%s", result.details()).isEqualTo(Verdict.VALID);
    }

    private static void assertInvalid(Checker checker, String text, String problem) {
        CheckResult result = checker.check(history(text), CheckContext.defaults());

        assertThat(result.verdict()).as("%s", result.details()).isEqualTo(Verdict.INVALID);
        assertThat(result.details().get(CheckResult.PROBLEMS)).asString().contains(problem);
    }

    private static void assertUnknown(Checker checker, String text) {
        CheckResult result = checker.check(history(text), CheckContext.defaults());

        assertThat(result.verdict()).as("%s", result.details()).isEqualTo(Verdict.UNKNOWN);
        assertThat(result.details()).containsKey(CheckResult.REASON);
    }
}

package io.tombolo.chaos.check.linear;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.SimulatedHistories;
import io.tombolo.chaos.check.SimulatedHistories.Shape;
import io.tombolo.chaos.check.Texts;
import io.tombolo.chaos.check.Verdict;
import io.tombolo.chaos.check.model.AppendModel;
import io.tombolo.chaos.check.model.BankModel;
import io.tombolo.chaos.check.model.Model;
import io.tombolo.chaos.check.model.RegisterModel;
import io.tombolo.chaos.history.History;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KnownHistoriesTest {
    @ParameterizedTest
    @ValueSource(strings = {"0 invoke read; 0 ok read nil",
            "0 invoke write 1; 1 invoke read; 1 ok read 1; 0 ok write 1",
            "0 invoke write 1; 1 invoke read; 1 ok read nil; 0 ok write 1",
            // A write of unknown outcome is read long after.
            "0 invoke write 1; 0 info write 1; 1 invoke read; 1 ok read nil; 1 invoke read; 1 ok read 1",
            // One that never ended is read.
            "0 invoke write 1; 1 invoke read; 1 ok read 1",
            // And once only, between two others.
            "0 invoke write 1; 0 info write 1; 1 invoke write 2; 1 ok write 2; 1 invoke read; 1 ok read 1",
            "0 invoke write 1; 0 ok write 1; 0 invoke cas [1 2]; 0 ok cas [1 2]; 0 invoke read; 0 ok read 2",
            // A failed cas says nothing; one that answered false says that the value was another.
            "0 invoke write 1; 0 ok write 1; 0 invoke cas [1 2]; 0 fail cas [1 2]; 0 invoke read; 0 ok read 1",
            "0 invoke write 1; 0 ok write 1; 0 invoke cas [2 3]; 0 ok cas false; 0 invoke read; 0 ok read 1",
            // Unknown cas after unknown cas.
            "0 invoke cas [nil 1]; 0 info cas; 1 invoke cas [1 2]; 1 info cas; 2 invoke read; 2 ok read 2"})
    void acceptsARegister(String text) {
        assertThat(verdict(KnownHistoriesTest::cas, text)).isEqualTo(Verdict.VALID);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0 invoke read; 0 ok read 1",
            // A stale read.
            "0 invoke write 1; 0 ok write 1; 0 invoke write 2; 0 ok write 2; 1 invoke read; 1 ok read 1",
            // A value that goes away again while its write is open.
            "0 invoke write 1; 1 invoke read; 1 ok read 1; 1 invoke read; 1 ok read nil; 0 ok write 1",
            // A failed write that somebody read.
            "0 invoke write 1; 0 fail write 1; 1 invoke read; 1 ok read 1",
            // An unknown write that took effect twice.
            "0 invoke write 1; 0 info write 1; 1 invoke read; 1 ok read 1; 1 invoke write 2; 1 ok write 2;"
                    + "1 invoke read; 1 ok read 1",
            // An unknown write that took effect before it was sent.
            "1 invoke read; 1 ok read 1; 0 invoke write 1; 0 info write 1",
            // Two cas that both found the same value.
            "0 invoke cas [nil 1]; 1 invoke cas [nil 2]; 0 ok cas [nil 1]; 1 ok cas [nil 2]",
            "0 invoke write 1; 0 ok write 1; 0 invoke cas [1 2]; 0 ok cas false",
            // Two readers that disagree on the order of two writes.
            "0 invoke write 1; 1 invoke write 2; 2 invoke read; 2 ok read 1; 3 invoke read; 3 ok read 2;"
                    + "2 invoke read; 2 ok read 1; 0 ok write 1; 1 ok write 2"})
    void refusesWhatIsNoRegister(String text) {
        assertThat(verdict(KnownHistoriesTest::cas, text)).isEqualTo(Verdict.INVALID);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0 invoke append 1; 0 ok append 1; 0 invoke read; 0 ok read [1]",
            "0 invoke append 1; 1 invoke append 2; 0 ok append 1; 1 ok append 2; 0 invoke read; 0 ok read [2 1]",
            "0 invoke append 1; 0 info append; 1 invoke append 2; 1 ok append; 1 invoke read; 1 ok read [2];"
                    + "1 invoke read; 1 ok read [2 1]",
            "0 invoke append 1; 0 ok append; 1 invoke write [5 6]; 1 ok write; 0 invoke read; 0 ok read [5 6]"})
    void acceptsAList(String text) {
        assertThat(verdict(AppendModel::new, text)).isEqualTo(Verdict.VALID);
    }

    @ParameterizedTest
    @ValueSource(strings = {
            // Lost.
            "0 invoke append 1; 0 ok append 1; 0 invoke read; 0 ok read nil",
            // Done twice.
            "0 invoke append 1; 0 ok append 1; 0 invoke read; 0 ok read [1 1]",
            // In the wrong order.
            "0 invoke append 1; 0 ok append; 0 invoke append 2; 0 ok append; 0 invoke read; 0 ok read [2 1]"})
    void refusesWhatIsNoList(String text) {
        assertThat(verdict(AppendModel::new, text)).isEqualTo(Verdict.INVALID);
    }

    @Test
    void judgesBanks() {
        String move = "0 invoke transfer {:from 0 :to 1 :amount 4}; 0 ok transfer nil; 1 invoke read; 1 ok read ";
        String open = "0 invoke transfer {:from 0 :to 1 :amount 4}; 0 info transfer nil; 1 invoke read; 1 ok read ";
        String read = "1 invoke read; 1 ok read {0 10, 1 10};";

        for (Supplier<Model> bank : List.<Supplier<Model>>of(KnownHistoriesTest::bank,
                () -> new BankModel(null, false))) {
            assertThat(verdict(bank, read + move + "{0 6, 1 14}")).isEqualTo(Verdict.VALID);
            assertThat(verdict(bank, read + move + "{0 10, 1 10}")).isEqualTo(Verdict.INVALID);
            assertThat(verdict(bank, read + move + "{0 2, 1 18}")).isEqualTo(Verdict.INVALID);
            assertThat(verdict(bank, read + open + "{0 10, 1 10};" + read)).isEqualTo(Verdict.VALID);
            assertThat(verdict(bank, read + open + "{0 6, 1 14};" + read)).isEqualTo(Verdict.INVALID);
            assertThat(verdict(bank, read + "0 invoke transfer {:from 0 :to 1 :amount 40}; 0 ok transfer"))
                    .isEqualTo(Verdict.INVALID);
        }
        assertThat(verdict(KnownHistoriesTest::bank, move + "{0 5, 1 14}")).isEqualTo(Verdict.INVALID);
    }

    @Test
    void namesTheOperationThatCannotBePlaced() {
        CheckResult result = check(KnownHistoriesTest::cas,
                Texts.history("0 invoke write 1; 0 ok write 1; 1 invoke read; 2 invoke write 3;"
                        + "1 ok read 7; 2 ok write 3"),
                false);
        Map<?, ?> violation = (Map<?, ?>) ((List<?>) result.details().get("violations")).getFirst();

        assertThat(violation.get("operation")).asString().contains("read -> 7");
        List<?> longest = (List<?>) violation.get("longestLinearisations");
        assertThat(longest).isNotEmpty();
        assertThat(longest.toString()).contains("write 1 ok").contains("state");
    }

    /// The write is possible, but spoils the read after it, which is the one to blame.
    @Test
    void doesNotBlameWhatOnlySpoils() {
        CheckResult result = check(KnownHistoriesTest::cas,
                Texts.history("0 invoke write 2; 0 ok write 2; 0 invoke write 1; 0 ok write 1;"
                        + "1 invoke read; 1 ok read 2"),
                false);
        Map<?, ?> violation = (Map<?, ?>) ((List<?>) result.details().get("violations")).getFirst();

        assertThat(((Map<?, ?>) violation.get("operation")).get("text")).asString().startsWith("read -> 2");
        assertThat(violation.get("proven")).isEqualTo(true);
    }

    @Test
    void judgesKeysOneByOne() {
        String good = "0 invoke write [1 5]; 0 ok write [1 5]; 0 invoke read [2 nil]; 0 ok read [2 nil];";
        String bad = "0 invoke read [3 nil]; 0 ok read [3 5];";

        assertThat(check(KnownHistoriesTest::cas, Texts.history(good), true).verdict()).isEqualTo(Verdict.VALID);
        CheckResult result = check(KnownHistoriesTest::cas, Texts.history(good + bad), true);
        assertThat(result.verdict()).isEqualTo(Verdict.INVALID);
        assertThat(result.details().get("invalidKeys")).isEqualTo(List.of(3L));
    }

    @Test
    void refusesOperationsThatTheModelDoesNotHave() {
        assertNotOfModel("0 invoke append 1; 0 ok append 1", false);
        assertNotOfModel("0 invoke cas 1; 0 ok cas 1", false);
        assertNotOfModel("0 invoke write 1; 0 ok write 1", true);
        assertNotOfModel("0 invoke write [1 1]; 0 ok write [2 1]", true);
        assertThatThrownBy(() -> verdict(KnownHistoriesTest::bank, "0 invoke read; 0 ok read 5"))
                .hasMessageContaining("a map");
        assertThatThrownBy(() -> verdict(KnownHistoriesTest::bank, "0 invoke transfer {:from 1}; 0 ok transfer"))
                .hasMessageContaining("amount");
        assertThatThrownBy(() -> verdict(AppendModel::new, "0 invoke read; 0 ok read 5"))
                .hasMessageContaining("answers a list");
    }

    @Test
    void saysUnknownWhenNothingWasOk() {
        assertThat(verdict(KnownHistoriesTest::cas, "")).isEqualTo(Verdict.UNKNOWN);
        assertThat(verdict(KnownHistoriesTest::cas, "0 invoke write 1; 0 info write 1")).isEqualTo(Verdict.UNKNOWN);
    }

    /// Fifty writes of the same time, then reads that need each order to be tried: more than anybody can wait for.
    @Test
    void saysUnknownWhenTimeOrMemoryIsUp() {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 26; i++) {
            text.append(i).append(" invoke transfer {:from a").append(i).append(" :to b :amount ").append(1L << i)
                    .append("};");
        }
        text.append("99 invoke read; 99 ok read {b ").append((1L << 26) + 5).append("};");
        for (int i = 0; i < 26; i++) {
            text.append(i).append(" ok transfer;");
        }
        History history = Texts.history(text.toString());
        LinearizabilityChecker checker = new LinearizabilityChecker(() -> new BankModel(null, true), false);

        CheckResult late = checker.check(Texts.history(text + "99 invoke read; 99 ok read {b 1}"),
                CheckContext.defaults().withTimeLimit(Duration.ofMillis(200)));
        CheckResult full = checker.check(Texts.history(text + "99 invoke read; 99 ok read {b 1}"),
                CheckContext.defaults().withMemoryBytes(1 << 20));

        assertThat(history.operations()).hasSize(27);
        assertThat(late.verdict()).isEqualTo(Verdict.UNKNOWN);
        assertThat(late.details()).containsEntry(CheckResult.REASON, "out of time");
        assertThat(full.verdict()).isEqualTo(Verdict.UNKNOWN);
        assertThat(full.details()).containsEntry(CheckResult.REASON, "out of memory");
    }

    /// The figure that the project promises, with room for a slow machine; see docs/checkers.md for what it takes.
    @Test
    void judgesTenThousandOperationsInFiveSeconds() {
        History history = SimulatedHistories.independent(new Shape(10_000, 10, 20, 5, 0.1, true), 7);

        CheckResult result = new LinearizabilityChecker(KnownHistoriesTest::cas, true).check(history,
                CheckContext.defaults().withTimeLimit(Duration.ofSeconds(5)));

        assertThat(result.verdict()).isEqualTo(Verdict.VALID);
        assertThat((Long) result.details().get("unknownOperations")).isGreaterThan(400);
    }

    private static Model cas() {
        return new RegisterModel(null, true);
    }

    private static Model bank() {
        return new BankModel(Map.of("0", 10L, "1", 10L), false);
    }

    private static void assertNotOfModel(String text, boolean independent) {
        assertThatThrownBy(() -> check(KnownHistoriesTest::cas, Texts.history(text), independent))
                .hasMessageStartingWith("HISTORY_NOT_OF_MODEL");
    }

    private static Verdict verdict(Supplier<Model> model, String text) {
        return check(model, Texts.history(text), false).verdict();
    }

    private static CheckResult check(Supplier<Model> model, History history, boolean independent) {
        return new LinearizabilityChecker(model, independent).check(history, CheckContext.defaults());
    }
}

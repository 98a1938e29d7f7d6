package io.tombolo.chaos.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.tombolo.chaos.ChaosError;
import io.tombolo.chaos.check.SimulatedHistories;
import io.tombolo.chaos.check.SimulatedHistories.Shape;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HistoryFilesTest {
    private static final String INVOKE = "{:index 0, :time 1, :type :invoke, :process 0, :f :read, :value nil}\n";

    @TempDir
    private Path folder;

    @Test
    void readsJepsensForm() {
        History history = edn(
                """
                        {:index 0, :time 10, :type :invoke, :process 0, :f :write, :value [3 nil]} ; a comment
                        {:index 1, :time 20, :type :info, :process :nemesis, :f :kill, :value {:nodes #{"n2" "n1"}}}
                        #_ {:discarded true}
                        #jepsen.history.Op{:index 4, :time 30, :type :ok, :process 0, :f :write, :value [3 nil] :extra #inst "x"}
                        """);

        assertThat(history.events()).extracting(HistoryEvent::index).containsExactly(0L, 1L, 4L);
        assertThat(history.events().get(1).isNemesis()).isTrue();
        assertThat(history.events().get(1).value()).isEqualTo(Map.of("nodes", List.of("n1", "n2")));
        assertThat(history.operations()).hasSize(1);
        assertThat(history.operations().getFirst().input()).isEqualTo(Arrays.asList(3L, null));
        assertThat(history.operations().getFirst().outcome()).isEqualTo(OpType.OK);
    }

    @Test
    void readsAVectorAndAListOfEvents() {
        assertThat(edn("[" + INVOKE + INVOKE.replace("process 0", "process 1").replace("index 0", "index 1") + "]")
                .events()).hasSize(2);
        assertThat(edn("(" + INVOKE + "#_ ignored )").events()).hasSize(1);
        assertThat(edn("[]").events()).isEmpty();
        assertThat(edn("").events()).isEmpty();
    }

    @Test
    void readsEveryKindOfValue() {
        assertThat(
                value("[1 -2 3N 1.5 2M 1e3 true false nil \"a\\n\\u0041\\\"\" \\b \\newline \\u0042 :k ns/sym (1) {}]"))
                .isEqualTo(Arrays.asList(1L, -2L, 3L, 1.5, 2.0, 1000.0, true, false, null, "a\nA\"",
                        "b", "\n", "B", ":k", "ns/sym", List.of(1L), Map.of()));
        assertThat(value("{0 10, :from 1, \"a b\" 2}")).isEqualTo(Map.of("0", 10L, "from", 1L, "a b", 2L));
        assertThat(value("#{3 1 2}")).isEqualTo(List.of(1L, 2L, 3L));
        assertThat(value("#uuid \"00000000-0000-0000-0000-000000000001\""))
                .isEqualTo("00000000-0000-0000-0000-000000000001");
    }

    @Test
    void writesWhatItReads() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("0", -1L);
        map.put("from", Arrays.asList("x\"\\\n\u0001ü", null, true, 2.5));
        map.put("with space", List.of());
        History history = History.of(List.of(new HistoryEvent(3, 4, OpType.INVOKE, 5, "txn", map, null),
                new HistoryEvent(7, 8, OpType.INFO, HistoryEvent.NEMESIS, "kill it", ":all", null),
                new HistoryEvent(9, 10, OpType.INFO, 5, "txn", map, "timed \"out\"")));
        Path edn = folder.resolve("history.edn");
        Path json = folder.resolve("history.jsonl");

        Histories.writeEdn(history, edn);
        Histories.writeJsonLines(history, json);

        for (Path file : List.of(edn, json)) {
            assertThat(Histories.read(file, HistoryLimits.DEFAULT).events()).isEqualTo(history.events());
        }
        assertThat(Histories.readEdn(edn, HistoryLimits.DEFAULT).events()).isEqualTo(history.events());
        assertThat(Histories.readJsonLines(json, HistoryLimits.DEFAULT).events()).isEqualTo(history.events());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"{:type :invoke|ends in the middle",
            "{:type :invoke :process 0 :f :read]|a closing ]", "{:type :maybe :process 0 :f :read}|type of an event",
            "{:type :invoke :process 0}|without :f", "{:type :invoke :process -2 :f :read}|process of an event",
            "{:type :invoke :process :n1 :f :read}|process of an event", "42|not a map",
            "{:type :invoke :process 0 :f 3}|not a word", "{:a 1 :a 2}|key twice", "{:a}|a key and no value",
            "{:a 99999999999999999999}|more than 64 bits", "{:a 0x10}|not a number", "{:a ##Inf}|is not EDN",
            "{:a \"\\q\"}|escape", "{:a \"}|string without an end", "{:a \\nonsense}|not a character",
            "{:a 1/2}|not a number", "{:a ^b c}|begins no form", "{:index -1 :type :ok :process 0 :f :r}|:index",
            "{:a ::b}|not a word", "]|a closing ]", "{:a \"\\u12g4\"}|hexadecimal"})
    void refusesBadEdnWithItsLine(String text, String what) {
        TomboloException refused = catchThrowableOfType(TomboloException.class, () -> edn(INVOKE + "\n" + text));

        assertThat(refused.code()).isEqualTo(ChaosError.HISTORY_MALFORMED);
        assertThat(refused).hasMessageContaining(what);
        assertThat(refused.facts()).containsEntry("line", "3");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"{\"type\":\"invoke\"|not a JSON object",
            "[1]|not a JSON object", "null|not a JSON object", "{\"type\":\"x\",\"process\":0,\"f\":\"r\"}|type",
            "{\"type\":\"ok\",\"process\":0}|an f", "{\"type\":\"ok\",\"f\":\"r\"}|without process",
            "{\"type\":\"ok\",\"process\":-1,\"f\":\"r\"}|process is not a number",
            "{\"type\":\"ok\",\"process\":0,\"process\":0,\"f\":\"r\"}|Duplicate",
            "{\"type\":\"ok\",\"process\":99999999999999999999,\"f\":\"r\"}|more than 64 bits",
            "{\"type\":\"ok\",\"process\":0,\"f\":\"r\",\"value\":99999999999999999999}|cannot hold",
            "{\"type\":\"ok\",\"process\":0,\"f\":\"r\"} x|not a JSON object"})
    void refusesBadJsonWithItsLine(String text, String what) {
        String first = "{\"type\":\"invoke\",\"process\":0,\"f\":\"r\"}\n\n";
        TomboloException refused = catchThrowableOfType(TomboloException.class,
                () -> Histories.parse("x", first + text, HistoryLimits.DEFAULT));

        assertThat(refused.code()).isEqualTo(ChaosError.HISTORY_MALFORMED);
        assertThat(refused).hasMessageContaining(what);
        assertThat(refused.facts()).containsEntry("line", "3");
    }

    @Test
    void refusesEventsThatDoNotFit() {
        assertInconsistent(INVOKE + INVOKE);
        assertInconsistent(INVOKE + INVOKE.replace("index 0", "index 1"));
        assertInconsistent(INVOKE.replace(":invoke", ":ok"));
        assertInconsistent(INVOKE + "{:index 1 :process 0 :type :ok :f :write}");
        assertInconsistent(
                INVOKE + "{:index 1 :process 0 :type :ok :f :read} {:index 2 :process 0 :type :ok :f :read}");
    }

    @Test
    void refusesTooMuch() {
        HistoryLimits few = new HistoryLimits(1000, 2, 200, 5);
        String deep = INVOKE.replace("nil", "[".repeat(20) + "]".repeat(20));

        assertTooLarge(deep, few);
        assertTooLarge(INVOKE.replace("nil", "\"" + "x".repeat(200) + "\""), few);
        assertTooLarge(INVOKE + "\n".repeat(1000), new HistoryLimits(1000, 2, 2000, 5));
        assertTooLarge(INVOKE.repeat(3), few);
        assertTooLarge(INVOKE.replace("nil", "[".repeat(100_000)), HistoryLimits.DEFAULT);
        assertTooLarge(INVOKE.replace("nil", "#a ".repeat(100_000)), HistoryLimits.DEFAULT);
        assertThat(edn("#_ x ".repeat(100_000)).events()).isEmpty();
    }

    @Test
    void refusesAFileThatIsNotThereOrNoText() throws IOException {
        assertThatThrownBy(() -> Histories.read(folder.resolve("none"), HistoryLimits.DEFAULT))
                .hasMessageStartingWith("HISTORY_UNREADABLE");
        assertThatThrownBy(() -> Histories.read(folder, HistoryLimits.DEFAULT))
                .hasMessageStartingWith("HISTORY_UNREADABLE");
        Path binary = Files.write(folder.resolve("binary"), new byte[]{'{', ':', (byte) 0xff, (byte) 0xfe});
        assertThatThrownBy(() -> Histories.read(binary, HistoryLimits.DEFAULT))
                .hasMessageStartingWith("HISTORY_MALFORMED").hasMessageContaining("UTF-8");
    }

    /// Whatever is broken in a file, there is an error with a code and nothing else.
    @Test
    void damagedFilesAreReadOrRefused() throws IOException {
        History history = SimulatedHistories.independent(new Shape(20, 2, 3, 3, 0.2, true), 1);
        for (boolean edn : new boolean[]{true, false}) {
            Path file = folder.resolve("h");
            if (edn) {
                Histories.writeEdn(history, file);
            } else {
                Histories.writeJsonLines(history, file);
            }
            byte[] good = Files.readAllBytes(file);
            int refused = 0;
            for (long seed = 0; seed < 2_000; seed++) {
                Random random = new Random(seed);
                byte[] bad = Arrays.copyOf(good, random.nextInt(4) == 0 ? random.nextInt(good.length) : good.length);
                for (int i = random.nextInt(3); i >= 0 && bad.length > 0; i--) {
                    bad[random.nextInt(bad.length)] = (byte) (random.nextBoolean()
                            ? random.nextInt(256)
                            : "{}[]()\"\\#:;,-0".charAt(random.nextInt(14)));
                }
                try {
                    Histories.parse("seed " + seed, new String(bad, StandardCharsets.UTF_8), HistoryLimits.DEFAULT);
                } catch (TomboloException e) {
                    assertThat(e.code()).as("seed %d", seed).isInstanceOf(ChaosError.class);
                    refused++;
                }
            }
            assertThat(refused).isGreaterThan(1_000);
        }
    }

    @Test
    void anEventHoldsNothingThatAFileCannot() {
        assertThatThrownBy(() -> event(new Object())).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> event(Map.of(1, 2))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> event(Double.NaN)).isInstanceOf(IllegalArgumentException.class);
        Object deep = 1L;
        for (int i = 0; i <= HistoryValues.MAX_DEPTH; i++) {
            deep = List.of(deep);
        }
        Object tooDeep = deep;
        assertThatThrownBy(() -> event(tooDeep)).isInstanceOf(IllegalArgumentException.class);
        List<Object> mutable = new ArrayList<>(List.of(1));
        HistoryEvent event = event(mutable);
        mutable.add(2);
        assertThat(event.value()).isEqualTo(List.of(1L));
    }

    private static HistoryEvent event(Object value) {
        return new HistoryEvent(0, 0, OpType.INVOKE, 0, "f", value, null);
    }

    private static History edn(String text) {
        return Histories.parse("test.edn", text, HistoryLimits.DEFAULT);
    }

    private static Object value(String text) {
        return edn(INVOKE.replace("nil", text)).events().getFirst().value();
    }

    private static void assertInconsistent(String text) {
        assertThat(catchThrowableOfType(TomboloException.class, () -> edn(text)).code())
                .isEqualTo(ChaosError.HISTORY_INCONSISTENT);
    }

    private static void assertTooLarge(String text, HistoryLimits limits) {
        TomboloException refused = catchThrowableOfType(TomboloException.class,
                () -> Histories.parse("test", text, limits));

        assertThat(refused).as(text.substring(0, Math.min(100, text.length()))).isNotNull();
        assertThat(refused.code()).isEqualTo(ChaosError.HISTORY_TOO_LARGE);
    }
}

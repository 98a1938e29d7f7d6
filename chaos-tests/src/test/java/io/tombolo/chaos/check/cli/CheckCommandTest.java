package io.tombolo.chaos.check.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class CheckCommandTest {
    private static final String GOOD = """
            {:index 0, :time 1, :type :invoke, :process 0, :f :write, :value 1}
            {:index 1, :time 2, :type :ok, :process 0, :f :write, :value 1}
            {:index 2, :time 3, :type :invoke, :process 0, :f :read, :value nil}
            """;

    @TempDir
    private Path folder;

    private Path file;
    private final StringWriter out = new StringWriter();

    @BeforeEach
    void nameTheFile() {
        file = folder.resolve("history.edn");
    }

    @Test
    void endsWithZeroForAGoodHistory() throws IOException {
        assertThat(check(read(1), "--model", "cas-register")).isZero();
        assertThat(out.toString()).startsWith("VALID: 2 operations (2 ok, 0 fail, 0 info)")
                .contains("linearizable: VALID");
    }

    @Test
    void endsWithOneAndTellsWhatCannotBePlaced() throws IOException {
        assertThat(check(read(2), "--model", "register")).isEqualTo(1);
        assertThat(out.toString()).startsWith("INVALID").contains("cannot be placed: read -> 2")
                .contains("longest partial linearisation 1 of 1").contains("write 1");
    }

    @Test
    void endsWithTwoIfNothingIsKnown() throws IOException {
        assertThat(check("", "--model", "register")).isEqualTo(2);
        assertThat(out.toString()).startsWith("UNKNOWN").contains("nothing to check");
    }

    @Test
    void readsJsonLinesAndPrintsJson() throws IOException {
        String text = """
                {"type":"invoke","process":0,"f":"append","value":["k",1]}
                {"type":"ok","process":0,"f":"append","value":["k",1]}
                {"type":"invoke","process":0,"f":"read","value":["k",null]}
                {"type":"ok","process":0,"f":"read","value":["k",[]]}
                """;
        assertThat(check(text, "--model", "append", "--independent", "--json")).isEqualTo(1);

        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.path("verdict").asText()).isEqualTo("invalid");
        assertThat(json.path("ops").path("ok").asInt()).isEqualTo(2);
        assertThat(json.path("checkers").path("lost-or-duplicate").asText()).isEqualTo("invalid");
        assertThat(json.path("checkers").path("linearizable").asText()).isEqualTo("invalid");
        assertThat(json.path("details").path("linearizable").path("invalidKeys").path(0).asText()).isEqualTo("k");
    }

    @Test
    void takesTheInitialState() throws IOException {
        String read = "{:type :invoke :process 0 :f :read :value nil}{:type :ok :process 0 :f :read :value ";
        assertThat(check(read + "0}", "--model", "register")).isEqualTo(1);
        assertThat(check(read + "0}", "--model", "register", "--initial", "0")).isZero();
        assertThat(check(read + "{0 3, 1 4}}", "--model", "bank", "--initial", "{0 3, 1 4}")).isZero();
        assertThat(check(read + "{0 3, 1 4}}", "--model", "bank", "--initial", "{0 4, 1 4}")).isEqualTo(1);
        assertThat(check(read + "{0 -3, 1 4}}", "--model", "bank")).isEqualTo(1);
        assertThat(check(read + "{0 -3, 1 4}}", "--model", "bank", "--negative-balances")).isZero();
    }

    @Test
    void refusesBadInputWithItsCode() throws IOException {
        assertThat(check("{:type", "--model", "register")).isEqualTo(2);
        assertThat(out.toString()).contains("HISTORY_MALFORMED").contains("line=1");
        assertThat(check(GOOD.replace(":write", ":enqueue"), "--model", "register")).isEqualTo(2);
        assertThat(out.toString()).contains("HISTORY_NOT_OF_MODEL");
        assertThat(check(GOOD, "--model", "bank", "--initial", "5")).isEqualTo(2);
        assertThat(out.toString()).contains("INITIAL_STATE_INVALID");
        assertThat(check(GOOD, "--model", "queue")).isEqualTo(2);
        assertThat(out.toString()).contains("none of [cas-register, register, bank, append]");
        assertThat(run(folder.resolve("none").toString(), "--model", "register")).isEqualTo(2);
        assertThat(out.toString()).contains("HISTORY_UNREADABLE");
    }

    private static String read(int answer) {
        return GOOD + "{:index 3, :time 4, :type :ok, :process 0, :f :read, :value " + answer + "}\n";
    }

    private int check(String text, String... options) throws IOException {
        Files.writeString(file, text);
        String[] args = new String[options.length + 1];
        args[0] = file.toString();
        System.arraycopy(options, 0, args, 1, options.length);
        return run(args);
    }

    private int run(String... args) {
        out.getBuffer().setLength(0);
        PrintWriter writer = new PrintWriter(out, true);
        return new CommandLine(new CheckCommand()).setOut(writer).setErr(writer)
                .setExecutionExceptionHandler((e, command, result) -> {
                    writer.println(e.getMessage());
                    return e instanceof TomboloException known ? known.code().exitStatus() : 99;
                }).execute(args);
    }
}

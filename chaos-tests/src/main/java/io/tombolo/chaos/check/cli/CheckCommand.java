package io.tombolo.chaos.check.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.check.Verdicts;
import io.tombolo.chaos.history.Histories;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryLimits;
import io.tombolo.deploy.report.Units;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// `tombolo chaos check HISTORY`. Exit status 0 valid, 1 invalid, 2 unknown; errors have their own, bad input 2 as
/// well.
@Command(name = "check", description = {"Judge a history file from anywhere, without a cluster.",
        "Ends with 0 if it is valid, 1 if it is not, 2 if that is not known."})
public final class CheckCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "HISTORY", description = "Jepsen's history.edn or our JSON lines; which one is seen by how it begins.")
    private Path file;

    @Option(names = "--model", paramLabel = "MODEL", required = true, converter = ModelConverter.class, description = "What it is a history of: cas-register, register, bank or append.")
    private HistoryModel model;

    @Option(names = "--independent", description = "Every value is a pair of a key and the value proper; each key is an object of its own.")
    private boolean independent;

    @Option(names = "--initial", paramLabel = "EDN", description = "The state before the first operation: a value (nil), or the balances of a bank (what is read first), as in {0 10, 1 10}.")
    private String initial;

    @Option(names = "--negative-balances", description = "A bank's balances may be below zero.")
    private boolean mayBeNegative;

    @Option(names = "--time-limit", paramLabel = "DURATION", defaultValue = "60s", converter = NanosConverter.class, description = "After that it is unknown (${DEFAULT-VALUE}).")
    private long timeLimitNs;

    @Option(names = "--json", description = "Print one JSON value instead of text.")
    private boolean json;

    @Override
    public Integer call() {
        Object state = initial == null ? null : Histories.parseValue("--initial", initial);
        History history = Histories.read(file, HistoryLimits.DEFAULT);
        List<Checker> checkers = model.checkers(history, state, mayBeNegative, independent);
        CheckContext context = CheckContext.defaults().withTimeLimit(Duration.ofNanos(timeLimitNs));
        List<CheckResult> results = new ArrayList<>();
        for (Checker checker : checkers) {
            results.add(checker.check(history, context));
        }
        Verdicts verdicts = new Verdicts(results);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            Map<String, Object> value = new LinkedHashMap<>();
            value.put("history", file.toString());
            value.put("model", model.toString());
            value.put("ops", Verdicts.operationCounts(history));
            value.putAll(verdicts.json());
            out.println(toJson(value));
        } else {
            out.print(CheckText.of(verdicts, history));
            if (!independent && HistoryModel.looksIndependent(history.operations())) {
                out.println("note: every read answers a pair; if these are pairs of key and value, add --independent");
            }
        }
        out.flush();
        return verdicts.verdict().exitStatus();
    }

    private static String toJson(Object value) {
        try {
            return new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT).writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("cannot be written as JSON: " + value, e);
        }
    }

    /// By the word, not by the name of the constant.
    static final class ModelConverter implements ITypeConverter<HistoryModel> {
        @Override
        public HistoryModel convert(String value) {
            return Arrays.stream(HistoryModel.values()).filter(m -> m.toString().equals(value)).findFirst().orElseThrow(
                    () -> new TypeConversionException("'" + value + "' is none of " + Arrays.toString(
                            HistoryModel.values())));
        }
    }

    /// Durations as everywhere on the command line.
    static final class NanosConverter implements ITypeConverter<Long> {
        @Override
        public Long convert(String value) {
            return Units.parseNanos(value);
        }
    }
}

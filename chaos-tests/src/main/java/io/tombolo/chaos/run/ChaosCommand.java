package io.tombolo.chaos.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.Verdict;
import io.tombolo.chaos.check.cli.CheckCommand;
import io.tombolo.chaos.nemesis.Nemeses.Tally;
import io.tombolo.chaos.report.ChaosReport;
import io.tombolo.chaos.report.ReportCommand;
import io.tombolo.deploy.cluster.ClusterPlaces;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// `tombolo chaos`.
@Command(name = "chaos", description = {
        "Start a cluster of processes, hurt it while clients use its guests, heal it, and say whether what the clients saw can be.",
        "Ends with 0 if every check holds, 1 if one does not, 2 if one could not be decided."}, subcommands = {
                CheckCommand.class, ReportCommand.class})
public final class ChaosCommand implements Callable<Integer> {
    private static final String AGAIN = "again: ";

    @Spec
    private CommandSpec spec;

    @Option(names = "--workload", paramLabel = "W", split = ",", defaultValue = "kv", description = "What the clients do, one run after the other, which share the time: kv, bank, append, ownership, storm, membership (${DEFAULT-VALUE}).")
    private List<String> workloads;

    @Option(names = "--nemesis", paramLabel = "N", split = ",", defaultValue = "all", description = "Kinds of faults: kill, pause, partition, slow, connection, quorum, disk, stall, halt, damage, membership; all, or none for a run without (${DEFAULT-VALUE}).")
    private List<String> nemeses;

    @Option(names = "--time", paramLabel = "DURATION", defaultValue = "60s", description = "How long clients and faults are at work, in all runs together; start, healing, recovery, last looks and checks come on top (${DEFAULT-VALUE}).")
    private String time;

    @Option(names = "--seed", paramLabel = "N", description = "Decides on operations, faults, migrations and delays; without it a new one is taken, and printed. Of several workloads the second gets the next one, and so on.")
    private Long seed;

    @Option(names = "--hosts", paramLabel = "N", defaultValue = "3", description = "Agents (${DEFAULT-VALUE}).")
    private int hosts;

    @Option(names = "--network", paramLabel = "KIND", defaultValue = "proxy", description = "What is between the processes: proxy, which needs no rights, or namespaces, which needs root (${DEFAULT-VALUE}).")
    private String network;

    @Option(names = "--out", paramLabel = "DIR", description = "Result folder, which must be empty ($TOMBOLO_STATE/chaos/<workload>-<seed>).")
    private Path out;

    @Option(names = "--keep", description = "Keep a copy of the region in the result folder.")
    private boolean keep;

    @Option(names = "--unprotected", description = "Guests are not protected: one whose host dies is lost, and another one is created.")
    private boolean unprotected;

    @Option(names = "--json", description = "Print results.json instead of text; of several workloads, a list of them.")
    private boolean json;

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        List<ChaosResult> results = new ArrayList<>();
        for (ChaosPlan plan : plans()) {
            say(err, plan.command());
            boolean judged = false;
            try {
                results.add(new ChaosRun(plan, line -> say(err, line)).run());
                judged = true;
                say(err, plan.workload().text() + ": " + results.getLast().verdict());
            } finally {
                if (!judged) {
                    say(err, AGAIN + plan.command());
                }
            }
        }
        PrintWriter to = spec.commandLine().getOut();
        to.print(json ? json(results) + "\n" : text(results));
        to.flush();
        // Last, whatever else was printed: what somebody who sees a failure needs first.
        results.stream().filter(result -> result.verdict() != Verdict.VALID)
                .forEach(result -> say(json ? err : to, AGAIN + result.command()));
        return Verdict.worst(results.stream().map(ChaosResult::verdict).toList()).exitStatus();
    }

    private static void say(PrintWriter to, String line) {
        to.println(line);
        to.flush();
    }

    private List<ChaosPlan> plans() {
        long used = seed != null ? seed : PlanText.newSeed();
        List<ChaosPlan> plans = new ArrayList<>();
        for (int i = 0; i < workloads.size(); i++) {
            String workload = workloads.get(i);
            // Checked before its name becomes a folder's. A seed of its own: otherwise all would meet the same faults.
            ChaosPlan plan = PlanText.plan(workload, nemeses, time, used + i, hosts, network, Path.of("."), keep,
                    unprotected);
            plans.add(plan.share(workloads.size(), folder(workload, used + i)));
        }
        return plans;
    }

    private Path folder(String workload, long used) {
        if (out != null) {
            return workloads.size() > 1 ? out.resolve(workload) : out;
        }
        Path all = ClusterPlaces.standard().state().resolve("chaos");
        String name = workload + "-" + used;
        for (int i = 1;; i++) {
            Path folder = all.resolve(i == 1 ? name : name + "-" + i);
            if (!Files.exists(folder)) {
                return folder;
            }
        }
    }

    private static String json(List<ChaosResult> results) {
        try {
            ObjectMapper mapper = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
            List<?> all = results.stream().map(RunFiles::results).toList();
            return mapper.writeValueAsString(all.size() == 1 ? all.getFirst() : all);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String text(List<ChaosResult> results) {
        StringBuilder text = new StringBuilder();
        for (ChaosResult result : results) {
            for (CheckResult check : result.verdicts().results()) {
                text.append(String.format(Locale.ROOT, "%-24s %s%n", check.checker(), check.verdict()));
                Object why = check.details().getOrDefault(CheckResult.PROBLEMS,
                        check.details().get(CheckResult.REASON));
                if (check.verdict() != Verdict.VALID && why != null) {
                    text.append("    ").append(why).append('\n');
                }
            }
            text.append(String.format(Locale.ROOT, "operations %s, %d migrations%n", result.ops(),
                    result.migrations()));
            text.append("faults that took effect: ").append(effects(result.faults())).append('\n');
            text.append("seed ").append(result.seed()).append(", results in ").append(result.folder()).append('\n');
            text.append("report ").append(result.folder().resolve(ChaosReport.FILE)).append('\n');
            text.append(result.verdict()).append('\n');
        }
        if (results.size() > 1) {
            Map<String, Tally> all = new LinkedHashMap<>();
            results.forEach(result -> result.faults().forEach((name, tally) -> all.merge(name, tally, Tally::plus)));
            text.append("all runs, faults that took effect: ").append(effects(all)).append('\n')
                    .append("all runs: ").append(Verdict.worst(results.stream().map(ChaosResult::verdict).toList()))
                    .append('\n');
        }
        return text.toString();
    }

    private static String effects(Map<String, Tally> faults) {
        return faults.isEmpty()
                ? "none was asked for"
                : String.join(", ", faults.entrySet().stream()
                        .map(e -> e.getKey() + " " + e.getValue().tookEffect() + " of " + e.getValue().begun())
                        .toList());
    }
}

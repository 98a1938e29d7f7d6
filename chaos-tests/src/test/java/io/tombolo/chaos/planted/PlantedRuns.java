package io.tombolo.chaos.planted;

import io.tombolo.chaos.HaltAction;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.Verdict;
import io.tombolo.chaos.cluster.ChaosPrograms;
import io.tombolo.chaos.generator.Generators;
import io.tombolo.chaos.nemesis.HaltNemesis;
import io.tombolo.chaos.run.ChaosPlan;
import io.tombolo.chaos.run.ChaosResult;
import io.tombolo.chaos.run.ChaosRun;
import io.tombolo.chaos.run.PlanText;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.LongStream;

/// Runs the bugs of [RealBug] in clusters of real processes, one after the other, and says whether they were found, by
/// whom and after how long. Exit status 1 if one was not.
///
///     java -cp ... io.tombolo.chaos.planted.PlantedRuns FOLDER [BUG...]
public final class PlantedRuns {
    private static final String TIME = "45s";
    /// A run with one kind of fault begins one about every other step; so many of them fit into the time.
    private static final int FAULTS = 8;

    private PlantedRuns() {
    }

    /// Runs them.
    ///
    /// @param args a folder for the results, then names of bugs; none for all
    public static void main(String[] args) {
        Path folder = Path.of(args[0]);
        List<RealBug> bugs = args.length > 1
                ? List.of(args).subList(1, args.length).stream().map(RealBug::valueOf).toList()
                : List.of(RealBug.values());
        boolean all = true;
        for (RealBug bug : bugs) {
            all &= run(bug, folder).found();
        }
        System.exit(all ? 0 : 1);
    }

    /// What became of a run.
    ///
    /// @param by      checkers that said INVALID
    /// @param seconds from the start of the cluster to the verdict
    record Outcome(RealBug bug, List<String> by, double seconds, ChaosResult result) {
        boolean found() {
            return by.contains(bug.foundBy());
        }
    }

    static Outcome run(RealBug bug, Path folder) {
        ChaosPlan plan = plan(bug, folder);
        System.out.println(bug + ": " + plan.command());
        long sinceNs = System.nanoTime();
        ChaosResult result = new ChaosRun(plan, _ -> {
        }, _ -> {
        }, programs(bug)).run();
        List<String> by = result.verdicts().results().stream().filter(check -> check.verdict() == Verdict.INVALID)
                .map(CheckResult::checker).toList();
        Outcome outcome = new Outcome(bug, by, (System.nanoTime() - sinceNs) / 1e9, result);
        System.out.printf(Locale.ROOT, "%s %s by %s, %.0f s, %s%n", bug, outcome.found() ? "found" : "NOT FOUND", by,
                outcome.seconds(), result.folder());
        return outcome;
    }

    static ChaosPrograms programs(RealBug bug) {
        return new ChaosPrograms(PlantedAgent.class.getName(), List.of("-D" + PlantedAgent.BUG + "=" + bug));
    }

    static ChaosPlan plan(RealBug bug, Path folder) {
        return PlanText.plan(bug.workload(), List.of(bug.nemesis()), TIME, seed(bug), 3, "proxy",
                folder.resolve(bug.name().toLowerCase(Locale.ROOT)), false, true);
    }

    /// The first seed whose faults come by the moment that matters, early and three times.
    static long seed(RealBug bug) {
        return bug.point() == null
                ? 1
                : LongStream.range(0, 1_000_000)
                        .filter(seed -> LongStream.range(0, FAULTS).filter(n -> fits(bug, seed, n)).count() >= 3)
                        .findFirst().orElseThrow();
    }

    private static boolean fits(RealBug bug, long seed, long n) {
        // One kind alone begins with every even step.
        Map<String, Object> chosen = HaltNemesis.chosen(Generators.random(seed, 2 * n));
        long holdMs = (Long) chosen.get("holdMs");
        return chosen.get("point").equals(bug.point().name()) && chosen.get("action").equals(HaltAction.HOLD.name())
                && (bug.longHold() ? holdMs > HaltNemesis.SHORT_HOLD_MS : holdMs > 600 && holdMs < 900);
    }
}

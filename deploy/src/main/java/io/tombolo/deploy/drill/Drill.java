package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.deploy.DeployError;
import io.tombolo.deploy.Version;
import io.tombolo.deploy.report.DrillReport;
import io.tombolo.deploy.report.DrillReport.Check;
import io.tombolo.deploy.report.DrillReport.Compare;
import io.tombolo.deploy.report.DrillReport.ContextSwitch;
import io.tombolo.deploy.report.DrillReport.Hop;
import io.tombolo.deploy.report.DrillReport.Mode;
import io.tombolo.deploy.report.DrillReport.OneWay;
import io.tombolo.deploy.report.DrillReport.Verification;
import io.tombolo.deploy.report.HostFactsReader;
import io.tombolo.region.TomboloException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// The main job: a VM hops round the hosts while it runs, and afterwards everything is looked at. What it needs of the
/// outside comes in as interfaces; it starts no process and prints nothing itself.
///
/// The cluster is closed however the drill ends, unless the plan says to keep it. A drill is run once, by one thread.
public final class Drill {
    private final DrillPlan plan;
    private final Tools tools;
    private final LongSupplier nowNs;

    /// What a drill works with.
    ///
    /// @param cluster       starts the cluster; called once
    /// @param verifier      looks at the guest and the region
    /// @param contextSwitch measures the baseline; called with the cluster up and idle
    /// @param comparison    moves the same guest by QEMU's own means; called only when the plan says so
    /// @param progress      told how far it is
    public record Tools(Supplier<DrillCluster> cluster, GuestVerifier verifier,
            Supplier<ContextSwitchBenchmark.Result> contextSwitch, Supplier<Compare> comparison,
            DrillProgress progress) {
        public Tools {
            requireNonNull(cluster, "cluster is null");
            requireNonNull(verifier, "verifier is null");
            requireNonNull(contextSwitch, "contextSwitch is null");
            requireNonNull(comparison, "comparison is null");
            requireNonNull(progress, "progress is null");
        }
    }

    public Drill(DrillPlan plan, Tools tools, LongSupplier nowNs) {
        this.plan = requireNonNull(plan, "plan is null");
        this.tools = requireNonNull(tools, "tools is null");
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
    }

    /// Runs it all.
    ///
    /// @throws TomboloException whatever kept the drill from its end; a check that does not hold is in the report
    /// instead
    public DrillReport run() {
        long startNs = nowNs.getAsLong();
        String startedAt = Instant.now().toString();
        tools.progress().step("starting " + plan.hosts() + " hosts, coordinators and ZooKeeper");
        Observed observed = new Observed();
        DrillCluster cluster = tools.cluster().get();
        try {
            tools.progress().step("measuring a context switch");
            observed.contextSwitch = tools.contextSwitch().get();
            runModes(cluster, observed);
        } finally {
            if (!plan.keep()) {
                tools.progress().step("stopping the cluster");
                cluster.close();
            }
        }
        if (plan.compare()) {
            tools.progress().step("moving the same guest with QEMU alone");
            observed.compare = Optional.of(tools.comparison().get());
        }
        return report(observed, startedAt, (nowNs.getAsLong() - startNs) / 1_000_000);
    }

    /// What is found out on the way.
    private static final class Observed {
        private final LinkedHashMap<DrillPlan, ModeRun.Seen> runs = new LinkedHashMap<>();
        private ContextSwitchBenchmark.Result contextSwitch;
        private Optional<Compare> compare = Optional.empty();
    }

    private void runModes(DrillCluster cluster, Observed observed) {
        for (MigrateMode mode : plan.modes()) {
            DrillPlan part = plan.only(mode);
            if (plan.comparesModes()) {
                tools.progress().step(mode.text() + ":");
            }
            // Only the last guest may stay: the others must be gone for their frames to be looked for.
            boolean keep = plan.keep() && mode == plan.modes().getLast();
            observed.runs.put(part, new ModeRun(part, tools.verifier(), tools.progress(), nowNs, keep).run(cluster));
        }
    }

    private DrillReport report(Observed observed, String startedAt, long elapsedMs) {
        ContextSwitchBenchmark.Result measured = observed.contextSwitch;
        ContextSwitch contextSwitch = new ContextSwitch(measured.p50Ns(), oneWay(measured.pinned()),
                oneWay(measured.unpinned()));
        List<Mode> modes = new ArrayList<>();
        List<Hop> hops = new ArrayList<>();
        List<Check> checks = new ArrayList<>();
        observed.runs.forEach((part, seen) -> {
            modes.add(ModeRun.report(part, seen));
            hops.addAll(seen.hops);
            checks.addAll(new DrillChecks(part, plan.comparesModes(), contextSwitch).of(seen, observed.compare));
        });
        checks.addAll(ModeChecks.of(modes));
        ModeRun.Seen first = observed.runs.firstEntry().getValue();
        Mode mode = modes.getFirst();
        DrillReport.Guest guest = new DrillReport.Guest(plan.vm().driver(), plan.vm().vcpus(), plan.vm().program(),
                plan.vm().workingSetBytes(), plan.vm().pattern());
        boolean passed = checks.stream().noneMatch(c -> c.verdict() == DrillReport.Verdict.FAIL);
        return new DrillReport(plan.isLinux() ? "linux" : "simulated", mode.mode(), mode.hops(),
                plan.vm().memoryBytes(), mode.downtimeNs(), DrillReport.phasesOf(first.hops), warmUp(first.warmUp),
                contextSwitch, mode.bytesCopied(), modes, together(modes), observed.compare.orElse(null),
                mode.clients(), guest, plan.vm().seed(), startedAt, elapsedMs, new HashMap<>(Version.all()),
                HostFactsReader.read(plan.hosts()), hops, checks, passed);
    }

    private static Verification together(List<Mode> modes) {
        List<Verification> all = modes.stream().map(Mode::verification).toList();
        return new Verification(all.stream().allMatch(Verification::identical),
                all.stream().mapToInt(Verification::doubleOwners).sum(),
                all.stream().mapToLong(Verification::framesLeaked).sum(), all.getFirst().method(),
                all.stream().mapToLong(Verification::bytesCompared).sum(),
                all.stream().mapToLong(Verification::selfCheckErrors).sum());
    }

    private static DrillReport.WarmUp warmUp(List<Hop> hops) {
        return hops.isEmpty() ? null : new DrillReport.WarmUp(hops.size(), DrillReport.of(hops, Hop::downtimeNs));
    }

    private static OneWay oneWay(ContextSwitchBenchmark.OneWay measured) {
        return new OneWay(measured.p50Ns(), measured.p99Ns(), measured.minNs(), measured.rounds());
    }

    /// The failure of a drill whose checks did not all hold, for the command to end with.
    public static TomboloException failed(DrillReport report) {
        String names = String.join(",", report.checks().stream()
                .filter(c -> c.verdict() == DrillReport.Verdict.FAIL).map(Check::name).toList());
        return TomboloException.error(DeployError.DRILL_CHECKS_FAILED, "a check of the drill did not hold")
                .fact("checks", names).fact("seed", report.seed())
                .next("repeat with --seed " + report.seed() + " --keep and look with tombolo region verify").build();
    }
}

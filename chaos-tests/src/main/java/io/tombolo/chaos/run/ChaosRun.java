package io.tombolo.chaos.run;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.right.TakeoverFormula;
import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.RegionVerified.VerifiedRegion;
import io.tombolo.chaos.check.Verdicts;
import io.tombolo.chaos.cluster.ChaosPrograms;
import io.tombolo.chaos.cluster.ClusterPlan;
import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.chaos.cluster.EpochWatch;
import io.tombolo.chaos.cluster.LeaderWatch;
import io.tombolo.chaos.cluster.Leftovers;
import io.tombolo.chaos.cluster.RunRecord;
import io.tombolo.chaos.generator.Call;
import io.tombolo.chaos.generator.Generator;
import io.tombolo.chaos.generator.Generators;
import io.tombolo.chaos.history.Histories;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.history.Journal;
import io.tombolo.chaos.nemesis.Healing;
import io.tombolo.chaos.nemesis.Nemeses;
import io.tombolo.chaos.nemesis.NemesisKind;
import io.tombolo.chaos.nemesis.Targets;
import io.tombolo.chaos.report.ChaosReport;
import io.tombolo.chaos.workload.Client;
import io.tombolo.chaos.workload.GuestVms;
import io.tombolo.chaos.workload.Migrator;
import io.tombolo.chaos.workload.Workload;
import io.tombolo.deploy.cluster.ClusterPrograms;
import io.tombolo.region.RegionVerifier;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VerifyReport;
import io.tombolo.region.os.Linux;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/// One chaos run from the start of its cluster to its verdict.
///
/// Phases: start, operations and faults, healing, recovery, last looks, stop, check. Everything is stopped and removed
/// whatever happens, also on Ctrl-C; if this process is killed, the supervisor's guard does it.
public final class ChaosRun {
    private static final int COORDINATORS = 2;
    private static final int BASE_MS = 500;
    private static final long REGION_BYTES = 512L << 20;
    private static final long NEMESIS_PACE_NS = 1_500_000_000L;
    private static final String RECOVER = "recover";
    private static final int CHECKPOINT_US = 5_000;
    /// Faults come one after the other, and each may cost a takeover of its own.
    private static final int PATIENCE = 8;

    private final ChaosPlan plan;
    private final Consumer<String> progress;
    private final Consumer<ClusterUnderTest> up;
    private final ClusterPrograms programs;
    private final ResultFolder folder;
    /// When the cluster was up.
    private volatile long zeroNs = System.nanoTime();
    /// The same instant as logs name it.
    private volatile Instant zeroWall = Instant.EPOCH;
    private final LongSupplier nowNs = this::sinceZero;

    /// @param progress told one line at a time
    public ChaosRun(ChaosPlan plan, Consumer<String> progress) {
        this(plan, progress, _ -> {
        });
    }

    /// The same with somebody who wants the cluster.
    ///
    /// @param up given the cluster when clients and faults are about to begin; it must return soon
    public ChaosRun(ChaosPlan plan, Consumer<String> progress, Consumer<ClusterUnderTest> up) {
        this(plan, progress, up, new ChaosPrograms());
    }

    /// The same with other programs.
    public ChaosRun(ChaosPlan plan, Consumer<String> progress, Consumer<ClusterUnderTest> up,
            ClusterPrograms programs) {
        this.programs = requireNonNull(programs, "programs is null");
        this.up = requireNonNull(up, "up is null");
        this.plan = requireNonNull(plan, "plan is null");
        this.progress = requireNonNull(progress, "progress is null");
        this.folder = new ResultFolder(plan.folder());
    }

    private long sinceZero() {
        return System.nanoTime() - zeroNs;
    }

    /// Runs it.
    ///
    /// @throws TomboloException if there is no verdict because the cluster did not come up
    public ChaosResult run() {
        folder.write("config.json", RunFiles.config(plan));
        progress.accept("seed " + plan.seed() + ", results in " + folder.path());
        RunFacts facts;
        try (Journal journal = new Journal(folder.file("history.jsonl"), nowNs)) {
            facts = attack(journal);
            History history = journal.history();
            Histories.writeEdn(history, folder.file("history.edn"));
            return judge(history, facts);
        }
    }

    private RunFacts attack(Journal journal) {
        String name = "chaos-" + ProcessHandle.current().pid() + "-" + Long.toString(plan.seed() & 0xFFFFF, 36);
        ClusterUnderTest cluster = ClusterUnderTest.start(new ClusterPlan(name, plan.hosts(), COORDINATORS, BASE_MS,
                REGION_BYTES, folder.path(), plan.seed(), plan.network(), programs), progress);
        Thread hook = Thread.ofPlatform().name("chaos-cleanup").unstarted(cluster::close);
        Runtime.getRuntime().addShutdownHook(hook);
        Leftovers leftovers = Leftovers.of(cluster);
        RunFacts facts;
        try {
            progress.accept(
                    "cluster of " + plan.hosts() + " hosts is up after " + nowNs.getAsLong() / 1_000_000 + " ms");
            zeroNs = System.nanoTime();
            zeroWall = Instant.now();
            facts = attack(cluster, journal);
        } finally {
            cluster.close();
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException _) {
                // The JVM is going down already and the hook does the same.
            }
        }
        folder.delete("state");
        folder.delete("network");
        return facts.withLeft(leftovers.find());
    }

    private RunFacts attack(ClusterUnderTest cluster, Journal journal) {
        try (GuestVms vms = new GuestVms(cluster, plan.workload().program(), plan.seed(), protection(cluster), nowNs);
                EpochWatch epochs = new EpochWatch(cluster.region(), nowNs);
                LeaderWatch leaders = new LeaderWatch(cluster, nowNs);
                Healing healing = new Healing(cluster)) {
            vms.start();
            Workload workload = plan.workload().create(cluster, vms, plan.seed());
            Migrator migrator = new Migrator(cluster, vms, plan.workload().migrationPauseNs(), plan.seed(), nowNs);
            Targets targets = new Targets(cluster, vms, healing, migrator::moving);
            Nemeses nemeses = new Nemeses(plan.nemeses().stream().map(kind -> kind.create(targets)).toList(),
                    plan.seed(), NEMESIS_PACE_NS, plan.favourite());
            RecoveryPhase recovery = new RecoveryPhase(cluster, vms, BASE_MS, migrator::close, nowNs);
            progress.accept("a cluster that is healed recovers within " + recovery.bound().toMillis() + " ms");
            try (migrator) {
                migrator.start();
                up.accept(cluster);
                Client faults = (process, call) -> call.f().equals(RECOVER)
                        ? recovery.invoke(process, call)
                        : nemeses.invoke(process, call);
                Interpreter interpreter = new Interpreter(workload.clients(), workload::client, faults, journal, nowNs);
                Thread teller = Thread.ofVirtual().start(() -> tell(journal, migrator));
                try {
                    interpreter.run(generator(workload, nemeses));
                } finally {
                    teller.interrupt();
                }
            }
            return collect(cluster, vms, migrator, workload, nemeses, recovery, epochs, leaders, journal);
        }
    }

    private RunFacts collect(ClusterUnderTest cluster, GuestVms vms, Migrator migrator, Workload workload,
            Nemeses nemeses, RecoveryPhase recovery, EpochWatch epochs, LeaderWatch leaders, Journal journal) {
        List<RunRecord> runs = cluster.runs().stream().map(run -> run.since(zeroNs)).toList();
        VerifyReport report = RegionVerifier.verify(cluster.region());
        VerifiedRegion region = new VerifiedRegion("region", cluster.region().superblock().frameCount(),
                report.counts().entrySet().stream().filter(e -> e.getKey().startsWith("frame "))
                        .mapToLong(Map.Entry::getValue).sum(),
                report.text().lines().limit(report.findings().size()).toList());
        if (plan.keep()) {
            folder.copyFile(cluster.region().file());
        }
        FaultSpans faults = FaultSpans.of(journal.history());
        RunFacts.Takeovers takeovers = new RunFacts.Takeovers(!plan.unprotected(),
                new TakeoversSeen(vms.all(), runs, faults, leaders.changes()).of(epochs.changes()), bound(cluster),
                vms.lost());
        return new RunFacts(workload.checkers(), workload.kinds(), recovery.recovery(), vms.all(),
                migrator.migrations(), runs, epochs.seen(), region, cluster.stops(),
                Linux.clockBoottimeNs() - nowNs.getAsLong(), folder.copy(cluster.logs(), "logs"),
                AllowedErrors.of(faults, nemeses.all(), !plan.unprotected()), zeroWall, nemeses.tallies(),
                plan.nemeses().contains(NemesisKind.DAMAGE),
                nowNs.getAsLong(), List.of(), takeovers);
    }

    private GuestVms.Protection protection(ClusterUnderTest cluster) {
        return plan.unprotected()
                ? GuestVms.Protection.NONE
                : new GuestVms.Protection(CHECKPOINT_US, PATIENCE * bound(cluster).toNanos());
    }

    private static Duration bound(ClusterUnderTest cluster) {
        return Duration.ofNanos(TakeoverFormula.of(cluster.timings(), cluster.region().superblock().frameCount(),
                GuestVms.MEMORY_BYTES / cluster.region().superblock().frameBytes()).totalNs());
    }

    private Generator generator(Workload workload, Nemeses nemeses) {
        Generator main = Generators.any(Generators.nemesis(nemeses.generator()), Generators
                .clients(Generators.stagger(plan.workload().paceNs(), plan.seed(), workload.operations())));
        return Generators.phases(Generators.timeLimit(plan.time().toNanos(), main),
                Generators.nemesis(nemeses.healing()), Generators.nemesis(Generators.once(new Call(RECOVER, null))),
                Generators.clients(workload.lastLooks()));
    }

    private void tell(Journal journal, Migrator migrator) {
        try {
            while (true) {
                Thread.sleep(5_000);
                progress.accept(nowNs.getAsLong() / 1_000_000_000L + " s: "
                        + Verdicts.operationCounts(journal.history()) + ", "
                        + migrator.migrations().size() + " migrations, " + migrator.withPages() + " with pages");
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private ChaosResult judge(History history, RunFacts facts) {
        Verdicts verdicts = Verdicts.of(RunCheckers.of(facts), history, CheckContext.defaults());
        ChaosResult result = new ChaosResult(verdicts, plan.command(), plan.seed(), Verdicts.operationCounts(history),
                facts.tallies(), facts.migrated(), folder.path());
        Map<String, Object> run = RunFiles.run(plan, history, facts, result);
        folder.write("run.json", run);
        folder.write("results.json", RunFiles.results(result));
        ChaosReport.write(folder.path(), run, history);
        return result;
    }

    /// Both ends of the operations of a nemesis are of one type; the first of two is the beginning.
    static List<HistoryEvent> faultEvents(History history) {
        return history.events().stream().filter(HistoryEvent::isNemesis).toList();
    }
}

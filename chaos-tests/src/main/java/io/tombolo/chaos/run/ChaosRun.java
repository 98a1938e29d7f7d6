package io.tombolo.chaos.run;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.check.CheckContext;
import io.tombolo.chaos.check.CheckResult;
import io.tombolo.chaos.check.Checker;
import io.tombolo.chaos.check.Verdict;
import io.tombolo.chaos.cluster.ClusterPlan;
import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.chaos.generator.Call;
import io.tombolo.chaos.generator.Generator;
import io.tombolo.chaos.generator.Generators;
import io.tombolo.chaos.history.Histories;
import io.tombolo.chaos.history.History;
import io.tombolo.chaos.history.HistoryEvent;
import io.tombolo.chaos.history.Journal;
import io.tombolo.chaos.history.Operation;
import io.tombolo.chaos.nemesis.Healing;
import io.tombolo.chaos.nemesis.Nemeses;
import io.tombolo.chaos.nemesis.Targets;
import io.tombolo.chaos.workload.Client;
import io.tombolo.chaos.workload.Completion;
import io.tombolo.chaos.workload.GuestVms;
import io.tombolo.chaos.workload.Migrator;
import io.tombolo.chaos.workload.Workload;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
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
    private static final long NEMESIS_PACE_NS = 2_500_000_000L;
    private static final long RECOVERY_NS = 90_000_000_000L;
    private static final long LOOK_NS = 100_000_000;
    private static final String RECOVER = "recover";

    private final ChaosPlan plan;
    private final Consumer<String> progress;
    private final ResultFolder folder;
    /// When the cluster was up.
    private volatile long zeroNs = System.nanoTime();
    private final LongSupplier nowNs = () -> System.nanoTime() - this.zeroNs;

    /// @param progress told one line at a time
    public ChaosRun(ChaosPlan plan, Consumer<String> progress) {
        this.plan = requireNonNull(plan, "plan is null");
        this.progress = requireNonNull(progress, "progress is null");
        this.folder = new ResultFolder(plan.folder());
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
                REGION_BYTES, folder.path(), plan.seed(), plan.network()), progress);
        Thread hook = Thread.ofPlatform().name("chaos-cleanup").unstarted(cluster::close);
        Runtime.getRuntime().addShutdownHook(hook);
        RunFacts facts;
        try {
            progress.accept("cluster of " + plan.hosts() + " hosts is up after " + nowNs.getAsLong() / 1_000_000 + " ms");
            zeroNs = System.nanoTime();
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
        return facts;
    }

    private RunFacts attack(ClusterUnderTest cluster, Journal journal) {
        try (GuestVms vms = new GuestVms(cluster, plan.workload().program(), plan.seed(), nowNs)) {
            vms.start();
            Workload workload = plan.workload().create(cluster, vms, plan.seed());
            Migrator migrator = new Migrator(cluster, vms, workload.migrationPauseNs(), plan.seed(), nowNs);
            Targets targets = new Targets(cluster, vms, migrator::moving);
            Nemeses nemeses = new Nemeses(plan.nemeses().stream().map(kind -> kind.create(targets)).toList(),
                    plan.seed(), NEMESIS_PACE_NS);
            boolean recovered;
            try (migrator) {
                migrator.start();
                Recovery recovery = new Recovery(cluster, vms, nemeses, migrator);
                Interpreter interpreter = new Interpreter(workload.clients(), workload::client, recovery, journal,
                        nowNs);
                Thread teller = Thread.ofVirtual().start(() -> tell(journal, migrator));
                try {
                    interpreter.run(generator(workload, nemeses));
                } finally {
                    teller.interrupt();
                }
                recovered = recovery.recovered;
            }
            progress.accept(recovered ? "healed and recovered" : "did not recover after everything was healed");
            return RunFacts.collect(cluster, vms, migrator, workload, recovered, folder, zeroNs);
        }
    }

    private Generator generator(Workload workload, Nemeses nemeses) {
        Generator main = Generators.any(Generators.nemesis(nemeses.generator()),
                Generators.clients(Generators.stagger(workload.paceNs(), plan.seed(), workload.operations())));
        return Generators.phases(Generators.timeLimit(plan.time().toNanos(), main),
                Generators.nemesis(nemeses.healing()), Generators.nemesis(Generators.once(new Call(RECOVER, null))),
                Generators.clients(workload.lastLooks()));
    }

    /// The nemeses, and what waits at the end until the cluster has come to itself.
    private static final class Recovery implements Client {
        private final ClusterUnderTest cluster;
        private final GuestVms vms;
        private final Nemeses nemeses;
        private final Migrator migrator;
        private volatile boolean recovered;

        Recovery(ClusterUnderTest cluster, GuestVms vms, Nemeses nemeses, Migrator migrator) {
            this.cluster = cluster;
            this.vms = vms;
            this.nemeses = nemeses;
            this.migrator = migrator;
        }

        @Override
        public Completion invoke(long process, Call call) {
            if (!call.f().equals(RECOVER)) {
                return nemeses.invoke(process, call);
            }
            migrator.close();
            Healing healing = new Healing(cluster);
            List<String> all = new ArrayList<>(cluster.network().processes());
            long untilNs = System.nanoTime() + RECOVERY_NS;
            while (System.nanoTime() - untilNs < 0) {
                all.forEach(cluster::wake);
                healing.reviveAll();
                if (all.stream().allMatch(cluster::alive) && cluster.zooKeeperWhole() && cluster.leader().isPresent()
                        && vms.current().filter(this::runs).isPresent()) {
                    recovered = true;
                    return Completion.info("recovered", null);
                }
                LockSupport.parkNanos(this, LOOK_NS);
            }
            return Completion.info("not recovered", null);
        }

        private boolean runs(GuestVms.Guest guest) {
            return cluster.owner(guest.slot()).living();
        }
    }

    private void tell(Journal journal, Migrator migrator) {
        try {
            while (true) {
                Thread.sleep(5_000);
                Map<String, Long> ops = counts(journal.history());
                progress.accept(nowNs.getAsLong() / 1_000_000_000L + " s: " + ops + ", "
                        + migrator.migrations().size() + " migrations");
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static Map<String, Long> counts(History history) {
        Map<String, Long> ops = new TreeMap<>(Map.of("ok", 0L, "fail", 0L, "info", 0L));
        for (Operation operation : history.operations()) {
            ops.merge(operation.outcome().word(), 1L, Long::sum);
        }
        return ops;
    }

    private ChaosResult judge(History history, RunFacts facts) {
        List<Checker> checkers = new ArrayList<>(facts.checkers());
        CheckContext context = CheckContext.defaults();
        List<CheckResult> results = new ArrayList<>();
        for (Checker checker : checkers) {
            results.add(check(checker, history, context));
        }
        Map<String, Long> faults = new LinkedHashMap<>();
        plan.nemeses().forEach(kind -> faults.put(kind.text(), history.events().stream()
                .filter(e -> e.isNemesis() && e.f().equals("start-" + kind.text())).count() / 2));
        ChaosResult result = new ChaosResult(Verdict.worst(results.stream().map(CheckResult::verdict).toList()),
                List.copyOf(results), plan.seed(), counts(history), faults, facts.migrated(), folder.path());
        folder.write("run.json", RunFiles.run(plan, history, facts, result));
        folder.write("results.json", RunFiles.results(result));
        return result;
    }

    /// What throws has not decided anything.
    private static CheckResult check(Checker checker, History history, CheckContext context) {
        try {
            return checker.check(history, context);
        } catch (RuntimeException e) {
            return CheckResult.unknown(checker.name(), e.toString(), Map.of());
        }
    }

    /// Both ends of the operations of a nemesis are of one type; the first of two is the beginning.
    static List<HistoryEvent> faultEvents(History history) {
        return history.events().stream().filter(HistoryEvent::isNemesis).toList();
    }
}

package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.deploy.DeployError;
import io.tombolo.deploy.Version;
import io.tombolo.deploy.report.DrillReport;
import io.tombolo.deploy.report.DrillReport.Check;
import io.tombolo.deploy.report.DrillReport.Compare;
import io.tombolo.deploy.report.DrillReport.ContextSwitch;
import io.tombolo.deploy.report.DrillReport.Hop;
import io.tombolo.deploy.report.DrillReport.OneWay;
import io.tombolo.deploy.report.DrillReport.Verification;
import io.tombolo.deploy.report.HostFactsReader;
import io.tombolo.deploy.report.Units;
import io.tombolo.region.TomboloException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;

/// The main job: a VM hops round the hosts while it runs, and afterwards everything is looked at. What it needs of the
/// outside comes in as interfaces; it starts no process and prints nothing itself.
///
/// The cluster is closed however the drill ends, unless the plan says to keep it. A drill is run once, by one thread.
public final class Drill {
    private static final int ATTEMPTS = 3;

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
            hop(cluster, observed);
            look(cluster, observed);
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
        private final List<Hop> hops = new ArrayList<>();
        private final List<Hop> warmUp = new ArrayList<>();
        private final List<String> notCompleted = new ArrayList<>();
        private final List<String> givenUp = new ArrayList<>();
        private ContextSwitchBenchmark.Result contextSwitch;
        private OwnershipRecords ownership;
        private GuestVerifier.Result guest;
        private GuestVerifier.Frames frames;
        private String ownerAtEnd = "";
        private Optional<Compare> compare = Optional.empty();
        private Optional<DrillClients.Result> clients = Optional.empty();
    }

    private void hop(DrillCluster cluster, Observed observed) {
        List<String> hosts = cluster.hosts();
        tools.progress().step("creating a " + plan.vm().program() + " guest with "
                + Units.bytes(plan.vm().memoryBytes()) + " on " + hosts.getFirst());
        VmStatus created = cluster.create(plan.vm(), hosts.getFirst());
        observed.ownership = new OwnershipRecords(hosts.getFirst(), created.epoch());
        tools.verifier().awaitProgress(cluster, created);
        try (DrillClients clients = DrillClients.start(plan, cluster, nowNs)) {
            clients.awaitAnswers();
            tools.progress().step("hopping " + plan.hops() + " times"
                    + (plan.warmUp() == 0 ? "" : ", after " + plan.warmUp() + " to warm up")
                    + (plan.clients() == 0 ? "" : ", with " + plan.clients() + " clients"));
            hop(cluster, hosts, clients, observed);
            if (plan.clients() > 0) {
                observed.clients = Optional.of(clients.finish());
            }
        }
    }

    private void hop(DrillCluster cluster, List<String> hosts, DrillClients clients, Observed observed) {
        long startNs = nowNs.getAsLong();
        for (int i = 1; i <= plan.warmUp() + plan.hops(); i++) {
            List<Hop> done = i <= plan.warmUp() ? observed.warmUp : observed.hops;
            String target = hosts.get((hosts.indexOf(observed.ownership.host()) + 1) % hosts.size());
            long atMs = (nowNs.getAsLong() - startNs) / 1_000_000;
            HandoffReport report = migrate(cluster, target, observed);
            observed.ownership.add(report);
            if (report.outcome() == HandoffOutcome.COMPLETED) {
                done.add(hop(done.size() + 1, atMs, report));
            } else {
                observed.notCompleted.add(report.fromHost() + " to " + target + ": " + report.outcome());
            }
            tools.verifier().awaitProgress(cluster, cluster.show(plan.vm().name()));
            clients.awaitAnswers();
            tools.progress().count(i, plan.warmUp() + plan.hops(),
                    target + ", downtime " + Units.nanos(report.downtimeNs()));
        }
    }

    /// A hop that was given up before anything changed hands is tried again: that is what a person would do.
    private HandoffReport migrate(DrillCluster cluster, String target, Observed observed) {
        for (int attempt = 1;; attempt++) {
            try {
                return cluster.migrate(plan.vm().name(), target);
            } catch (TomboloException e) {
                boolean stayed = e.code().name().equals(CoordinatorError.MIGRATION_ABORTED.name());
                if (!stayed || attempt == ATTEMPTS) {
                    throw e;
                }
                observed.givenUp.add(e.getMessage());
                tools.verifier().awaitProgress(cluster, cluster.show(plan.vm().name()));
            }
        }
    }

    private void look(DrillCluster cluster, Observed observed) {
        String vm = plan.vm().name();
        tools.progress().step("stopping the guest and checking its memory");
        VmStatus stopped = cluster.pause(vm);
        observed.ownerAtEnd = stopped.ownerHost();
        observed.guest = tools.verifier().verify(cluster, stopped);
        if (!plan.keep()) {
            cluster.destroy(vm);
        }
        tools.progress().step("verifying the region");
        observed.frames = tools.verifier().verifyRegion(cluster);
    }

    private static Hop hop(int number, long atMs, HandoffReport report) {
        return new Hop(number, report.fromHost(), report.toHost(), report.epochAfter(), atMs, report.downtimeNs(),
                report.prepareNs(), report.quiesceNs(), report.publishNs(), report.switchNs(), report.resumeNs(),
                report.commitNs(), report.stateBytes(), report.bytesCopied(), report.firstInstructionNs() != 0);
    }

    private DrillReport report(Observed seen, String startedAt, long elapsedMs) {
        ContextSwitchBenchmark.Result measured = seen.contextSwitch;
        ContextSwitch contextSwitch = new ContextSwitch(measured.p50Ns(), oneWay(measured.pinned()),
                oneWay(measured.unpinned()));
        Verification verification = new Verification(seen.guest.identical(), seen.ownership.doubleOwners(),
                seen.frames.leaked(), seen.guest.method(), seen.guest.bytesCompared(), seen.guest.selfCheckErrors());
        DrillReport.Guest guest = new DrillReport.Guest(plan.vm().driver(), plan.vm().vcpus(), plan.vm().program(),
                plan.vm().workingSetBytes(), plan.vm().pattern());
        long bytesCopied = Stream.of(seen.warmUp, seen.hops).flatMap(List::stream).mapToLong(Hop::bytesCopied).sum();
        Map<String, String> versions = new HashMap<>(Version.all());
        List<Check> checks = new DrillChecks(plan, contextSwitch, bytesCopied, verification).of(seen.hops,
                seen.notCompleted, seen.givenUp, seen.ownership, seen.ownerAtEnd, seen.guest.detail(), seen.frames,
                seen.compare, seen.clients);
        boolean passed = checks.stream().noneMatch(c -> c.verdict() == DrillReport.Verdict.FAIL);
        return new DrillReport(plan.isLinux() ? "linux" : "simulated", seen.hops.size(), plan.vm().memoryBytes(),
                DrillReport.of(seen.hops, Hop::downtimeNs), DrillReport.phasesOf(seen.hops), warmUp(seen.warmUp),
                contextSwitch, bytesCopied,
                verification, seen.compare.orElse(null), seen.clients.map(Drill::clients).orElse(null), guest,
                plan.vm().seed(), startedAt, elapsedMs, versions,
                HostFactsReader.read(plan.hosts()), seen.hops, checks, passed);
    }

    private static DrillReport.WarmUp warmUp(List<Hop> hops) {
        return hops.isEmpty() ? null : new DrillReport.WarmUp(hops.size(), DrillReport.of(hops, Hop::downtimeNs));
    }

    private static DrillReport.Clients clients(DrillClients.Result result) {
        return new DrillReport.Clients(result.clients(), result.acknowledged(), result.repeats(), result.wrong(),
                result.longestGapNs());
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

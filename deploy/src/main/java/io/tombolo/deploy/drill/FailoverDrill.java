package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.right.TakeoverFormula;
import io.tombolo.coordinator.wire.Reply.TakeoverState;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.deploy.DeployError;
import io.tombolo.deploy.Version;
import io.tombolo.deploy.report.DrillReport;
import io.tombolo.deploy.report.DrillReport.Check;
import io.tombolo.deploy.report.FailoverReport;
import io.tombolo.deploy.report.FailoverReport.ColdStart;
import io.tombolo.deploy.report.FailoverReport.Failure;
import io.tombolo.deploy.report.FailoverReport.Kind;
import io.tombolo.deploy.report.HostFactsReader;
import io.tombolo.deploy.report.Units;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// A protected VM under clients, and hosts that fail under it: the owner is killed, stopped or cut off, in turn; the VM
/// has to go on elsewhere with nothing lost that was answered. What it needs of the outside comes in as an interface;
/// it starts no process and prints nothing itself.
///
/// The cluster is closed however the drill ends. A drill is run once, by one thread.
public final class FailoverDrill {
    /// Before a failure, so that operations are answered right up to it.
    private static final long BEFORE_NS = 100_000_000L;
    /// Failures come at any point of an interval.
    private static final long JITTER_NS = 30_000_000L;
    private static final long LOOK_NS = 200_000L;
    private static final long OTHERS_NS = 50_000_000L;
    private static final long SLACK_NS = 10_000_000_000L;
    /// A takeover that takes so many times what it may is none any more.
    private static final int PATIENCE = 4;

    private final FailoverPlan plan;
    private final Supplier<FailoverCluster> start;
    private final DrillProgress progress;
    private final LongSupplier nowNs;
    private final TakeoverFormula formula;
    private final Seen seen = new Seen();
    private long lookedNs;

    /// What is found out on the way.
    static final class Seen {
        final List<Failure> failures = new ArrayList<>();
        OwnershipRecords ownership;
        int ranTooEarly;
        GuestVerifier.Frames frames;
        Optional<DrillClients.Result> clients = Optional.empty();
        Optional<ColdStart> coldStart = Optional.empty();

        int doubleOwners() {
            return ranTooEarly + (ownership == null ? 0 : ownership.doubleOwners());
        }
    }

    /// @param cluster starts the cluster; called once
    /// @param nowNs   CLOCK_MONOTONIC, which the agents of the same machine read too
    public FailoverDrill(FailoverPlan plan, Supplier<FailoverCluster> cluster, DrillProgress progress,
            LongSupplier nowNs) {
        this.plan = requireNonNull(plan, "plan is null");
        this.start = requireNonNull(cluster, "cluster is null");
        this.progress = requireNonNull(progress, "progress is null");
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
        this.formula = plan.formula();
    }

    /// Runs it all.
    ///
    /// @throws TomboloException whatever kept the drill from its end; a check that does not hold is in the report
    ///         instead
    public FailoverReport run() {
        long startNs = nowNs.getAsLong();
        String startedAt = Instant.now().toString();
        progress.step("starting " + plan.hosts() + " hosts, coordinators and ZooKeeper");
        FailoverCluster cluster = start.get();
        try (Region region = Region.open(cluster.drill().region(), OpenOptions.inspect())) {
            if (plan.coldStart() > 0) {
                seen.coldStart = Optional.of(new ColdStartRun(plan, cluster, region, progress, nowNs).run());
            } else {
                failAll(cluster, region);
            }
            progress.step("verifying the region");
            seen.frames = RegionCheck.run(cluster.drill().region());
        } catch (TomboloException e) {
            progress.step("the logs of the processes are in " + cluster.saveLogs());
            throw e;
        } finally {
            progress.step("stopping the cluster");
            cluster.close();
        }
        return report(startedAt, (nowNs.getAsLong() - startNs) / 1_000_000);
    }

    private void failAll(FailoverCluster cluster, Region region) {
        DrillCluster drill = cluster.drill();
        String first = drill.hosts().getFirst();
        progress.step("creating a protected " + plan.vm().program() + " guest with "
                + Units.bytes(plan.vm().memoryBytes()) + " on " + first);
        VmStatus created = drill.create(plan.vm(), first);
        seen.ownership = new OwnershipRecords(first, created.epoch());
        SplittableRandom random = new SplittableRandom(plan.vm().seed());
        try (DrillClients clients = DrillClients.start(plan.vm(), plan.clients(), drill, nowNs, limitNs())) {
            clients.awaitAnswers();
            progress.step(plan.count() + " failures, with " + plan.clients() + " clients; a takeover takes "
                    + Units.nanos(formula.totalNs()) + " at most");
            for (int i = 0; i < plan.count(); i++) {
                FailureKind kind = plan.failures().get(i % plan.failures().size());
                failure(cluster, region, clients, created.slot(), kind, random.nextLong(JITTER_NS));
            }
            seen.clients = Optional.of(clients.finish());
        }
        drill.destroy(plan.vm().name());
    }

    private long limitNs() {
        return PATIENCE * formula.totalNs() + SLACK_NS;
    }

    private void failure(FailoverCluster cluster, Region region, DrillClients clients, int vmSlot, FailureKind kind,
            long jitterNs) {
        clients.awaitAnswers();
        LockSupport.parkNanos(this, jitterNs);
        followUnseen(region, vmSlot);
        String from = seen.ownership.host();
        long before = clients.acknowledged();
        TakeoverWatch watch = new TakeoverWatch(region, vmSlot, nowNs);
        LockSupport.parkNanos(this, BEFORE_NS);
        before = clients.acknowledged() - before;
        int unanswered = clients.unanswered();
        var _ = clients.takeLongestGapNs();
        long failedNs = nowNs.getAsLong();
        cluster.fail(from, kind);
        List<String> others = new ArrayList<>();
        if (!watch.awaitRunning(() -> giveUp(cluster, from, failedNs, others))) {
            throw notTakenOver(from, kind, watch, cluster.explain(plan.vm().name()));
        }
        TakeoverWatch.Seen words = watch.seen();
        String to = region.host(words.ownerSlot()).readIdentity().name();
        long answeredNs = firstAnswer(clients, words.runningNs(), kind);
        TakeoverState state = cluster.takeover(to, vmSlot);
        clients.awaitAnswers();
        seen.ranTooEarly += words.ranTooEarly() ? 1 : 0;
        seen.ownership.takenOver(to, words.epoch(),
                words.confirmedNs() == 0 ? words.runningNs() : words.confirmedNs(), words.runningNs());
        Failure failure = failure(kind, from, to, failedNs, words, state, answeredNs, before, unanswered,
                clients.takeLongestGapNs(), others);
        seen.failures.add(failure);
        progress.step(seen.failures.size() + "/" + plan.count() + " " + kind.text() + " " + from + ": runs on " + to
                + " after "
                + Units.nanos(failure.rtoNs()) + ", answers after " + Units.nanos(failure.answeredNs()));
        if (seen.failures.size() < plan.count()) {
            cluster.heal(from);
        }
    }

    /// Another host may have ended by itself between two failures, and its VM was taken over without a watch.
    private void followUnseen(Region region, int vmSlot) {
        long owner = region.vm(vmSlot).ownerAcquire();
        String host = region.host(OwnerWord.slot(owner)).readIdentity().name();
        if (!host.equals(seen.ownership.host())) {
            long now = nowNs.getAsLong();
            progress.step("the VM is on " + host + " by now");
            seen.ownership.takenOver(host, OwnerWord.epoch(owner), now, now);
        }
    }

    /// Looks after the other hosts now and then while it waits.
    private boolean giveUp(FailoverCluster cluster, String failed, long failedNs, List<String> others) {
        long now = nowNs.getAsLong();
        if (now - lookedNs > OTHERS_NS) {
            lookedNs = now;
            others.addAll(cluster.restartOthers(failed));
        }
        return now - failedNs > limitNs();
    }

    private long firstAnswer(DrillClients clients, long runningNs, FailureKind kind) {
        while (true) {
            long answeredNs = clients.firstAnswerAfter(runningNs);
            if (answeredNs != 0) {
                return answeredNs;
            }
            if (nowNs.getAsLong() - runningNs > limitNs()) {
                throw TomboloException
                        .error(DeployError.TAKEOVER_NOT_SEEN, "the VM was taken over and answers no client")
                        .fact("vm", plan.vm().name()).fact("failure", kind.text()).fact("seed", plan.vm().seed())
                        .next("repeat with --seed " + plan.vm().seed()).build();
            }
            LockSupport.parkNanos(this, LOOK_NS);
        }
    }

    private TomboloException notTakenOver(String from, FailureKind kind, TakeoverWatch watch, String why) {
        return TomboloException.error(DeployError.TAKEOVER_NOT_SEEN, "the VM was not taken over")
                .fact("vm", plan.vm().name()).fact("failure", kind.text()).fact("host", from)
                .fact("waited", Units.nanos(limitNs())).fact("formula", Units.nanos(formula.totalNs()))
                .fact("found", watch.words()).fact("coordinator", why).fact("seed", plan.vm().seed())
                .next("repeat with --seed " + plan.vm().seed()).build();
    }

    /// Takes the instants apart. Where the words were seen at once, the agent's own clock readings, which are of the
    /// same clock, tell more.
    private Failure failure(FailureKind kind, String from, String to, long failedNs, TakeoverWatch.Seen words,
            TakeoverState state, long answeredNs, long before, int unanswered, long gapNs,
            List<String> others) {
        long detected = Math.max(failedNs, words.leftLiveNs());
        long confirmed = Math.max(detected, words.confirmedNs() == 0 ? words.runningNs() : words.confirmedNs());
        long taken = Math.max(confirmed, words.begunNs());
        long running = Math.max(taken, words.runningNs());
        long recovered = Math.clamp(state.recoveredNs(), taken, running);
        FailoverReport.Phases phases = new FailoverReport.Phases(detected - failedNs, confirmed - detected,
                taken - confirmed, recovered - taken, running - recovered, Math.max(0, answeredNs - running));
        long rtoNs = running - failedNs;
        return new Failure(seen.failures.size() + 1, kind.text(), from, to, words.epoch(), rtoNs, confirmed - failedNs,
                rtoNs + phases.answerNs(), phases, (double) formula.totalNs() / Math.max(1, rtoNs), running - taken,
                state.pagesRolledBack(), before, unanswered, gapNs, others);
    }

    private FailoverReport report(String startedAt, long elapsedMs) {
        List<Check> checks = new FailoverChecks(plan, formula).of(seen);
        List<Kind> kinds = new ArrayList<>();
        for (FailureKind kind : plan.failures()) {
            List<Failure> some = seen.failures.stream().filter(f -> f.kind().equals(kind.text())).toList();
            if (!some.isEmpty()) {
                kinds.add(new Kind(kind.text(), some.size(), FailoverReport.of(some, Failure::rtoNs),
                        FailoverReport.of(some, Failure::confirmedStoppedNs),
                        FailoverReport.of(some, Failure::afterConfirmedNs),
                        FailoverReport.of(some, Failure::answeredNs),
                        some.stream().mapToDouble(Failure::boundPerActual).min().orElse(0)));
            }
        }
        DrillReport.Clients clients = seen.clients.map(c -> new DrillReport.Clients(c.clients(), c.acknowledged(),
                c.repeats(), c.wrong(), c.longestGapNs())).orElse(null);
        return new FailoverReport(true, plan.vm().memoryBytes(), plan.vm().checkpointUs(), seen.failures, kinds,
                formula.totalNs(), formula.terms(), seen.clients.map(DrillClients.Result::wrong).orElse(0L),
                seen.doubleOwners(), seen.failures.stream().mapToLong(Failure::pagesRolledBack).sum(),
                seen.frames.leaked(), seen.frames.findings(), clients, seen.coldStart.orElse(null),
                new DrillReport.Guest(plan.vm().driver(), plan.vm().vcpus(), plan.vm().program(),
                        plan.vm().workingSetBytes(), plan.vm().pattern()),
                plan.vm().seed(), startedAt, elapsedMs, new HashMap<>(Version.all()),
                HostFactsReader.read(plan.hosts()), checks,
                checks.stream().noneMatch(c -> c.verdict() == DrillReport.Verdict.FAIL));
    }

    /// The failure of a drill whose checks did not all hold, for the command to end with.
    public static TomboloException failed(FailoverReport report) {
        String names = String.join(",", report.checks().stream()
                .filter(c -> c.verdict() == DrillReport.Verdict.FAIL).map(Check::name).toList());
        return TomboloException.error(DeployError.DRILL_CHECKS_FAILED, "a check of the drill did not hold")
                .fact("checks", names).fact("seed", report.seed())
                .next("repeat with --failover --seed " + report.seed()).build();
    }
}

package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.MoveReport;
import io.tombolo.coordinator.wire.Reply.Migrated;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.deploy.report.DrillReport;
import io.tombolo.deploy.report.DrillReport.Hop;
import io.tombolo.deploy.report.DrillReport.Mode;
import io.tombolo.deploy.report.DrillReport.Moved;
import io.tombolo.deploy.report.DrillReport.OpsPerSecond;
import io.tombolo.deploy.report.DrillReport.PageWaits;
import io.tombolo.deploy.report.DrillReport.Speed;
import io.tombolo.deploy.report.DrillReport.Verification;
import io.tombolo.deploy.report.Statistics;
import io.tombolo.deploy.report.Units;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;

/// One guest of a drill, from its creation to the look at its memory, migrating in one mode. Run once, by one thread.
final class ModeRun {
    private static final int ATTEMPTS = 3;

    private final DrillPlan plan;
    private final MigrateMode mode;
    private final GuestVerifier verifier;
    private final DrillProgress progress;
    private final LongSupplier nowNs;
    private final boolean keep;
    private final Seen seen = new Seen();

    /// What is found out on the way.
    static final class Seen {
        final List<Hop> hops = new ArrayList<>();
        final List<Hop> warmUp = new ArrayList<>();
        final List<String> notCompleted = new ArrayList<>();
        final List<String> givenUp = new ArrayList<>();
        OwnershipRecords ownership;
        GuestVerifier.Result guest;
        GuestVerifier.Frames frames;
        String ownerAtEnd = "";
        Optional<DrillClients.Result> clients = Optional.empty();
        Optional<OpsPerSecond> opsPerSecond = Optional.empty();
        Optional<PageWaits> waits = Optional.empty();
        List<Speed> speed = List.of();

        Verification verification() {
            return new Verification(guest.identical(), ownership.doubleOwners(), frames.leaked(), guest.method(),
                    guest.bytesCompared(), guest.selfCheckErrors());
        }

        /// Between PREPARE and COMMIT, of all hops.
        long bytesCopied() {
            return sum(hops, Hop::bytesCopied) + sum(warmUp, Hop::bytesCopied);
        }

        private static long sum(List<Hop> hops, ToLongFunction<Hop> figure) {
            return hops.stream().mapToLong(figure).sum();
        }

        /// The longest that the guest or one of its vCPUs stood still; nobody knows while the hosts do not tell of
        /// waits.
        Optional<Long> longestStallNs() {
            return waits.map(w -> Math.max(w.maxNs(), DrillReport.of(hops, Hop::downtimeNs).max()));
        }
    }

    /// @param plan of one mode
    /// @param keep whether to leave the guest where it is at the end
    ModeRun(DrillPlan plan, GuestVerifier verifier, DrillProgress progress, LongSupplier nowNs, boolean keep) {
        this.plan = requireNonNull(plan, "plan is null");
        this.mode = plan.modes().getFirst();
        this.verifier = requireNonNull(verifier, "verifier is null");
        this.progress = requireNonNull(progress, "progress is null");
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
        this.keep = keep;
    }

    /// Runs it all.
    ///
    /// @throws TomboloException whatever kept it from its end
    Seen run(DrillCluster cluster) {
        List<String> hosts = cluster.hosts();
        progress.step("creating a " + plan.vm().program() + " guest with " + Units.bytes(plan.vm().memoryBytes())
                + " on " + hosts.getFirst());
        VmStatus created = cluster.create(plan.vm(), hosts.getFirst());
        seen.ownership = new OwnershipRecords(hosts.getFirst(), created.epoch());
        verifier.awaitProgress(cluster, created);
        try (DrillClients clients = DrillClients.start(plan, cluster, nowNs)) {
            clients.awaitAnswers();
            progress.step("hopping " + plan.hops() + " times" + (plan.needsLocalTier() ? " by " + mode.text() : "")
                    + (plan.warmUp() == 0 ? "" : ", after " + plan.warmUp() + " to warm up")
                    + (plan.clients() == 0 ? "" : ", with " + plan.clients() + " clients"));
            hopAll(cluster, clients);
            if (plan.clients() > 0) {
                seen.clients = Optional.of(clients.finish());
            }
        }
        look(cluster);
        return seen;
    }

    private void hopAll(DrillCluster cluster, DrillClients clients) {
        long startNs = nowNs.getAsLong();
        for (int i = 1; i <= plan.warmUp(); i++) {
            hop(cluster, clients, i, startNs, null);
        }
        String vm = plan.vm().name();
        try (SpeedSampler sampler = plan.restMs() == 0
                ? null
                : SpeedSampler.start(cluster, vm, nowNs, plan.warmUp() > 0)) {
            for (int i = plan.warmUp() + 1; i <= plan.warmUp() + plan.hops(); i++) {
                hop(cluster, clients, i, startNs, sampler);
            }
            if (sampler != null) {
                seen.opsPerSecond = Optional.of(sampler.opsPerSecond());
                seen.waits = sampler.waits();
                seen.speed = sampler.speed(startNs);
            }
        }
    }

    /// @param sampler null when the guest's speed is not measured
    private void hop(DrillCluster cluster, DrillClients clients, int number, long startNs, SpeedSampler sampler) {
        List<Hop> done = number <= plan.warmUp() ? seen.warmUp : seen.hops;
        List<String> hosts = cluster.hosts();
        String target = hosts.get((hosts.indexOf(seen.ownership.host()) + 1) % hosts.size());
        SpeedSampler.Sample begin = sampler == null ? null : sampler.restBefore(plan.restMs());
        Timed timed = migrate(cluster, target);
        if (sampler != null) {
            sampler.restAfter(begin, plan.restMs());
        }
        HandoffReport report = timed.migrated.report();
        seen.ownership.add(report);
        if (report.outcome() == HandoffOutcome.COMPLETED) {
            done.add(hop(done.size() + 1, (timed.fromNs - startNs) / 1_000_000, timed));
        } else {
            seen.notCompleted.add(report.fromHost() + " to " + target + ": " + report.outcome());
        }
        verifier.awaitProgress(cluster, cluster.show(plan.vm().name()));
        clients.awaitAnswers();
        progress.count(number, plan.warmUp() + plan.hops(), target + ", downtime " + Units.nanos(report.downtimeNs())
                + (mode == MigrateMode.HANDOFF ? "" : ", total " + Units.nanos(timed.ns)));
    }

    /// A migration, and when the drill asked for it and for how long it waited.
    private record Timed(Migrated migrated, long fromNs, long ns) {
    }

    /// A hop that was given up before anything changed hands is tried again: that is what a person would do.
    private Timed migrate(DrillCluster cluster, String target) {
        for (int attempt = 1;; attempt++) {
            try {
                long fromNs = nowNs.getAsLong();
                Migrated migrated = cluster.migrate(plan.vm().name(), target, mode);
                return new Timed(migrated, fromNs, nowNs.getAsLong() - fromNs);
            } catch (TomboloException e) {
                boolean stayed = e.code().name().equals(CoordinatorError.MIGRATION_ABORTED.name());
                if (!stayed || attempt == ATTEMPTS) {
                    throw e;
                }
                seen.givenUp.add(e.getMessage());
                verifier.awaitProgress(cluster, cluster.show(plan.vm().name()));
            }
        }
    }

    private Hop hop(int number, long atMs, Timed timed) {
        HandoffReport report = timed.migrated.report();
        MoveReport move = timed.migrated.move();
        return new Hop(mode.text(), number, report.fromHost(), report.toHost(), report.epochAfter(), atMs,
                report.downtimeNs(), report.prepareNs(), report.quiesceNs(), report.publishNs(), report.switchNs(),
                report.resumeNs(), report.commitNs(), report.stateBytes(), report.bytesCopied(),
                report.firstInstructionNs() != 0, timed.ns, move.bytesMoved(), move.pagesToShared(),
                move.pagesToLocal(), move.toSharedNs(), move.toLocalNs());
    }

    private void look(DrillCluster cluster) {
        String vm = plan.vm().name();
        if (mode != MigrateMode.HANDOFF) {
            progress.step("moving the guest's pages to where they can be looked at");
            cluster.moveToShared(vm);
        }
        progress.step("stopping the guest and checking its memory");
        VmStatus stopped = cluster.pause(vm);
        seen.ownerAtEnd = stopped.ownerHost();
        seen.guest = verifier.verify(cluster, stopped);
        if (!keep) {
            cluster.destroy(vm);
        }
        progress.step("verifying the region");
        seen.frames = verifier.verifyRegion(cluster);
    }

    /// What the report says of the mode.
    static Mode report(DrillPlan plan, Seen seen) {
        List<Hop> hops = seen.hops;
        int pageBytes = plan.vm().pageBytes();
        return new Mode(plan.modes().getFirst().text(), hops.size(),
                Statistics.of(hops.stream().mapToLong(Hop::totalNs).toArray()),
                DrillReport.of(hops, Hop::downtimeNs), DrillReport.medianOf(hops, Hop::bytesMoved),
                seen.bytesCopied(), moved(hops, Hop::pagesToShared, Hop::toSharedNs, pageBytes),
                moved(hops, Hop::pagesToLocal, Hop::toLocalNs, pageBytes), seen.opsPerSecond.orElse(null),
                seen.longestStallNs().orElse(null), seen.waits.orElse(null), seen.verification(),
                seen.clients.map(ModeRun::clients).orElse(null), seen.speed);
    }

    private static Moved moved(List<Hop> hops, ToLongFunction<Hop> pages, ToLongFunction<Hop> ns, int pageBytes) {
        if (hops.stream().mapToLong(pages).sum() == 0) {
            return null;
        }
        long medianPages = DrillReport.medianOf(hops, pages);
        long medianNs = DrillReport.medianOf(hops, ns);
        return new Moved(medianPages, medianNs,
                medianNs == 0 ? 0 : Math.round((double) medianPages * pageBytes * 1e9 / medianNs));
    }

    private static DrillReport.Clients clients(DrillClients.Result result) {
        return new DrillReport.Clients(result.clients(), result.acknowledged(), result.repeats(), result.wrong(),
                result.longestGapNs());
    }
}

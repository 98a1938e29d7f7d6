package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CopyReport;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.MigratePhase;
import io.tombolo.coordinator.wire.MoveReport;
import io.tombolo.coordinator.wire.RemoteException;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TierStatus;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.Tier;
import io.tombolo.region.TomboloException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Migration of mode `copy`: a hand-off whose source sends its local pages to the target's agent in rounds before it
/// switches (docs/page-moves.md, Copy). The rounds are the agents' affair; here are the preflight, the figures, and who
/// watches or cancels. Ownership changes as in every hand-off, and an end before that leaves the VM where it was.
///
/// [#run] blocks its caller's thread; the rest is thread safe.
final class CopyMigration implements ActiveMigration {
    /// What QEMU takes for its downtime-limit when nothing is said.
    static final int DOWNTIME_MS = 300;
    static final int TIME_MS = 60_000;

    private static final Logger LOG = LoggerFactory.getLogger(CopyMigration.class);
    private static final int PROGRESS_MS = 1_000;

    private final LeaderSession.Route route;
    private final VmSpec spec;
    private final long localPages;
    private final HandoffRunner.Copy how;
    private final AgentLinks agents;
    private final int callMs;
    private final Handoff handoff = new Handoff();
    private volatile HandoffRunner runner;

    /// @param localPages pages of the VM in its host's own memory
    /// @param callMs     for an agent to answer
    CopyMigration(LeaderSession.Route route, int downtimeLimitMs, int timeLimitMs, long localPages, AgentLinks agents,
            int callMs) {
        this.route = requireNonNull(route, "route is null");
        this.spec = route.record().value().spec();
        this.localPages = localPages;
        this.how = new HandoffRunner.Copy(downtimeLimitMs > 0 ? downtimeLimitMs : DOWNTIME_MS,
                timeLimitMs > 0 ? timeLimitMs : TIME_MS);
        this.agents = requireNonNull(agents, "agents is null");
        this.callMs = callMs;
    }

    /// Runs until it is done.
    ///
    /// @param handOver makes the hand-off with a source that sends pages as it is told, telling of its runner once the
    ///                 intent is open; blocks
    /// @return the hand-off's report and what became of the pages
    Result run(BiFunction<HandoffRunner.Copy, Consumer<HandoffRunner>, HandoffReport> handOver) {
        long startedNs = System.nanoTime();
        requireDriver();
        requireRoom();
        HandoffReport report = handOver.apply(how, started -> {
            runner = started;
            handoff.started(started);
        });
        CopyReport copied = runner.copied();
        return new Result(report, new MoveReport(MigrateMode.COPY, 0, copied.pages(), copied.bytesSent(), 0,
                copied.copyNs(), System.nanoTime() - startedNs, copied.rounds()));
    }

    /// What the caller of a migration is told.
    record Result(HandoffReport report, MoveReport move) {
    }

    private void requireDriver() {
        if (!spec.driver().equals("simulated")) {
            throw TomboloException
                    .error(CoordinatorError.MIGRATE_MODE_UNAVAILABLE, "this VM's driver has no pages to send")
                    .fact("vm", spec.name()).fact("mode", MigrateMode.COPY.text()).fact("driver", spec.driver())
                    .next("tombolo vm migrate " + spec.name() + " --to " + route.to().name() + " --mode handoff")
                    .build();
        }
    }

    private void requireRoom() {
        Reply.TierList tiers = await(agents.call(route.to(), new AgentRequest.ListTiers(), Reply.TierList.class,
                callMs));
        TierStatus local = tiers.tiers().stream()
                .filter(tier -> tier.type().equals(Tier.LOCAL.name()) && tier.bytes() > 0).findFirst()
                .orElseThrow(() -> TomboloException
                        .error(CoordinatorError.MIGRATE_NO_TIER,
                                "the target host has no memory of its own for pages")
                        .fact("vm", spec.name()).fact("host", route.to().name()).fact("localPages", localPages)
                        .next("choose another host, or give it a local tier (localTier.bytes)").build());
        if (local.freeBytes() < spec.memoryBytes()) {
            throw TomboloException
                    .error(CoordinatorError.MIGRATE_NO_ROOM, "the target's own memory has not enough room for the VM")
                    .fact("vm", spec.name()).fact("host", route.to().name()).fact("tier", local.name())
                    .fact("neededBytes", spec.memoryBytes()).fact("freeBytes", local.freeBytes())
                    .next("nothing was changed; make room (tombolo tier list) and give the command again").build();
        }
    }

    private static <T> T await(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            throw switch (Errors.unwrap(e)) {
                case TomboloException known -> known;
                case RemoteException remote -> remote.toTombolo();
                case Throwable other -> new IllegalStateException(other);
            };
        }
    }

    @Override
    public Reply.MigrateProgress progress() {
        HandoffRunner now = runner;
        if (now == null) {
            return handoff.progress();
        }
        try {
            Reply.CopyProgress copy = await(agents.call(route.from(),
                    new AgentRequest.AskCopy(now.intent().vmSlot(), now.intent().seq()), Reply.CopyProgress.class,
                    PROGRESS_MS));
            return copy.round() == 0
                    ? handoff.progress()
                    : new Reply.MigrateProgress(MigratePhase.COPY, copy.pagesDone(), copy.pagesTotal(),
                            copy.bytesPerSecond(), copy.round());
        } catch (TomboloException e) {
            LOG.debug("{} does not say how far the copy of {} is: {}", route.from().name(), spec.name(),
                    e.getMessage());
            return handoff.progress();
        }
    }

    @Override
    public void cancel() {
        handoff.cancel();
    }

    @Override
    public void termEnded() {
        // Its runner is told by who holds it.
        handoff.termEnded();
    }

    @Override
    public CompletableFuture<Boolean> ended() {
        return handoff.ended();
    }
}

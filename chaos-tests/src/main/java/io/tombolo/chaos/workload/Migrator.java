package io.tombolo.chaos.workload;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.CoordinatorRequest.VmMigrate;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.region.Tier;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Moves the current guest from host to host all the time, by itself, with a thread of its own. Most moves are
/// hand-offs, some take pages along that are in the host's own memory.
public final class Migrator implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Migrator.class);
    private static final long TIMEOUT_MS = 10_000;
    /// One in so many is asked for without a look whether the target is there.
    private static final int ASK_THE_DEAD = 8;
    private static final int CHUNK_PAGES = 256;
    private static final int PAGES_MS = 1_000;

    private final ClusterUnderTest cluster;
    private final GuestVms vms;
    private final long pauseNs;
    private final LongSupplier nowNs;
    private final SplittableRandom random;
    private final List<Migration> migrations = new CopyOnWriteArrayList<>();
    private final Thread thread;
    /// Transits and copies that were completed.
    private final AtomicLong withPages = new AtomicLong();
    private volatile boolean closed;
    private volatile List<String> moving = List.of();

    /// One migration that was asked for. Times are nanoseconds since the run began.
    ///
    /// @param mode    `handoff`, `transit` or `copy`
    /// @param outcome `COMPLETED`, another outcome of a hand-off, or the code of the error
    /// @param error   the whole error; null if there was none
    /// @param report  what it cost; null if it failed
    public record Migration(String vm, String from, String to, String mode, long startNs, long endNs, String outcome,
            String error, HandoffReport report) {
    }

    /// @param pauseNs average pause between two
    /// @param nowNs   nanoseconds since the run began
    public Migrator(ClusterUnderTest cluster, GuestVms vms, long pauseNs, long seed, LongSupplier nowNs) {
        this.cluster = requireNonNull(cluster, "cluster is null");
        this.vms = requireNonNull(vms, "vms is null");
        this.pauseNs = pauseNs;
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
        this.random = new SplittableRandom(seed);
        this.thread = Thread.ofPlatform().daemon().name("chaos-migrator").unstarted(this::run);
    }

    public void start() {
        thread.start();
    }

    /// All so far.
    public List<Migration> migrations() {
        return List.copyOf(migrations);
    }

    /// How many that took pages along were completed.
    public long withPages() {
        return withPages.get();
    }

    /// Source and target of the one that is under way; empty if none is.
    public List<String> moving() {
        return moving;
    }

    private void run() {
        while (!closed) {
            LockSupport.parkNanos(this, pauseNs == 0 ? 1_000_000 : random.nextLong(2 * pauseNs));
            try {
                vms.current().ifPresent(this::move);
            } catch (RuntimeException e) {
                LOG.warn("a migration failed in a way that it should not", e);
            }
        }
    }

    private void move(GuestVms.Guest guest) {
        String from = cluster.owner(guest.slot()).host();
        List<String> others = cluster.hosts().stream().filter(h -> !h.equals(from)).toList();
        List<String> living = others.stream().filter(cluster::alive).toList();
        if (!living.isEmpty() && random.nextInt(ASK_THE_DEAD) > 0) {
            others = living;
        }
        String to = others.get(random.nextInt(others.size()));
        // A protected VM's pages stay in shared memory.
        MigrateMode mode = guest.isProtected() ? MigrateMode.HANDOFF : switch (random.nextInt(8)) {
            case 0, 1 -> MigrateMode.TRANSIT;
            case 2 -> MigrateMode.COPY;
            default -> MigrateMode.HANDOFF;
        };
        place(guest, from, mode);
        long startNs = nowNs.getAsLong();
        moving = from.isEmpty() ? List.of(to) : List.of(from, to);
        String outcome;
        String error = null;
        Optional<HandoffReport> report = Optional.empty();
        try {
            report = Optional.of(cluster.migrate(new VmMigrate(guest.name(), to, mode, 0), TIMEOUT_MS).report());
            outcome = report.get().outcome().name();
        } catch (TomboloException e) {
            LOG.debug("{} to {}: {}", guest.name(), to, e.getMessage());
            outcome = e.code().name();
            error = e.getMessage();
        } finally {
            moving = List.of();
        }
        if (error == null && mode != MigrateMode.HANDOFF) {
            withPages.incrementAndGet();
        }
        migrations.add(new Migration(guest.name(), from, to, mode.text(), startNs, nowNs.getAsLong(), outcome,
                error, report.orElse(null)));
    }

    /// Puts the guest's pages where a move of that kind has something to do: into shared memory for a hand-off, some of
    /// them into the host's own for the others. What cannot be done now is not done: then the move is refused by name.
    private void place(GuestVms.Guest guest, String host, MigrateMode mode) {
        long local = cluster.region().vm(guest.slot()).localPagesAcquire();
        boolean toShared = mode == MigrateMode.HANDOFF;
        if (host.isEmpty() || toShared == (local == 0)) {
            return;
        }
        long pages = guest.spec().pages();
        long untilNs = System.nanoTime() + 2 * TimeUnit.MILLISECONDS.toNanos(PAGES_MS);
        long until = toShared ? pages : 1 + random.nextLong(pages);
        try {
            for (long next = 0; next < until;) {
                Reply.PagesMoved moved = cluster.ask(host,
                        new AgentRequest.MovePages(guest.name(), next, (int) Math.min(until - next, CHUNK_PAGES),
                                (toShared ? Tier.SHARED : Tier.LOCAL).code(), PAGES_MS),
                        Reply.PagesMoved.class, PAGES_MS);
                if (moved.done() == 0 || System.nanoTime() - untilNs > 0) {
                    return;
                }
                // Pages that are busy are asked for again, until the time is over.
                next += toShared && moved.notMoved() > 0 ? 0 : moved.done();
            }
        } catch (TomboloException e) {
            LOG.debug("pages of {} on {} stay where they are: {}", guest.name(), host, e.getMessage());
        }
    }

    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        try {
            thread.join(TIMEOUT_MS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}

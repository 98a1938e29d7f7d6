package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.Threads;
import io.tombolo.deploy.DeployError;
import io.tombolo.deploy.report.DrillReport.OpsPerSecond;
import io.tombolo.deploy.report.DrillReport.PageWaits;
import io.tombolo.deploy.report.DrillReport.Speed;
import io.tombolo.region.TomboloException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/// Looks at the guest's instruction count all the time while it hops: by a thread of its own at a fixed interval, and
/// at the ends of each migration by the thread of the drill, so that what was executed before, during and after it is
/// known exactly, however short it was. Thread safe.
///
/// The guest is asked for at the host where it was last, then at the others; while none owns it nothing is known, and
/// the next count tells for that time too.
final class SpeedSampler implements AutoCloseable {
    /// Twenty looks a second cost the hosts less than their own heartbeats.
    static final int INTERVAL_MS = 50;

    private static final int POINTS_MAX = 1_000;
    private static final long FIND_NS = 10_000_000_000L;
    private static final long LOOK_NS = 500_000;

    private final DrillCluster cluster;
    private final String vm;
    private final List<String> hosts;
    private final LongSupplier nowNs;
    private final boolean skipsFirstStay;
    private final Thread thread;
    private final List<Sample> samples = new ArrayList<>();
    private final List<GuestLook.Waits> stays = new ArrayList<>();
    private final Total before = new Total();
    private final Total during = new Total();
    private final Total after = new Total();
    private int host = -1;
    private volatile boolean ended;
    private volatile RuntimeException failure;

    /// One count; `atNs` is in the middle of asking for it.
    record Sample(long atNs, long instructions) {
    }

    private static final class Total {
        private long ns;
        private long instructions;

        void add(Sample from, Sample until) {
            ns += until.atNs - from.atNs;
            instructions += until.instructions - from.instructions;
        }

        long perSecond() {
            return ns == 0 ? 0 : Math.round(instructions * 1e9 / ns);
        }
    }

    private SpeedSampler(DrillCluster cluster, String vm, LongSupplier nowNs, boolean skipsFirstStay) {
        this.cluster = requireNonNull(cluster, "cluster is null");
        this.vm = requireNonNull(vm, "vm is null");
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
        this.hosts = List.copyOf(cluster.hosts());
        this.skipsFirstStay = skipsFirstStay;
        this.thread = Thread.ofPlatform().daemon().name("drill-speed").unstarted(this::run);
    }

    /// Begins to look.
    ///
    /// @param skipsFirstStay whether the waits of the stay on the present host are left out, because it began before
    ///                       what is measured
    static SpeedSampler start(DrillCluster cluster, String vm, LongSupplier nowNs, boolean skipsFirstStay) {
        SpeedSampler sampler = new SpeedSampler(cluster, vm, nowNs, skipsFirstStay);
        sampler.thread.start();
        return sampler;
    }

    private void run() {
        try {
            while (!ended) {
                sample();
                LockSupport.parkNanos(this, INTERVAL_MS * 1_000_000L);
            }
        } catch (RuntimeException e) {
            // The drill's thread throws it with its next look.
            failure = e;
        }
    }

    private synchronized Optional<Sample> sample() {
        int first = Math.max(host, 0);
        for (int i = 0; i < hosts.size(); i++) {
            int asked = (first + i) % hosts.size();
            long fromNs = nowNs.getAsLong();
            Optional<GuestLook> look = cluster.look(hosts.get(asked), vm);
            if (look.isPresent()) {
                long atNs = fromNs + (nowNs.getAsLong() - fromNs) / 2;
                Sample sample = new Sample(atNs, look.get().instructions());
                samples.add(sample);
                waits(asked, look.get());
                return Optional.of(sample);
            }
        }
        return Optional.empty();
    }

    /// The counters of a host begin anew when the VM comes, so the last ones of each stay count.
    private void waits(int at, GuestLook look) {
        GuestLook.Waits waits = look.waits().orElse(null);
        if (at == host) {
            stays.set(stays.size() - 1, waits);
        } else {
            stays.add(waits);
            host = at;
        }
    }

    /// A count of now, for a beginning or an end.
    ///
    /// @throws TomboloException `GUEST_STANDS_STILL` when no host owns the guest for long
    Sample mark() {
        long deadlineNs = System.nanoTime() + FIND_NS;
        while (System.nanoTime() - deadlineNs < 0) {
            if (failure != null) {
                throw failure;
            }
            Optional<Sample> sample = sample();
            if (sample.isPresent()) {
                return sample.get();
            }
            LockSupport.parkNanos(this, LOOK_NS);
        }
        throw TomboloException.error(DeployError.GUEST_STANDS_STILL, "no host says that it runs the guest")
                .fact("vm", vm).fact("hosts", hosts).next("repeat with --keep and see the logs of tombolo status")
                .build();
    }

    /// Leaves the guest alone for a while before a migration.
    Sample restBefore(int restMs) {
        Sample from = mark();
        pause(restMs);
        Sample until = mark();
        before.add(from, until);
        return until;
    }

    /// Tells that a migration which began at `from` is over, and leaves the guest alone for a while.
    void restAfter(Sample from, int restMs) {
        Sample over = mark();
        during.add(from, over);
        pause(restMs);
        after.add(over, mark());
    }

    private void pause(int ms) {
        long deadlineNs = System.nanoTime() + ms * 1_000_000L;
        for (long left = ms * 1_000_000L; left > 0 && !Thread.currentThread().isInterrupted();) {
            LockSupport.parkNanos(this, left);
            left = deadlineNs - System.nanoTime();
        }
    }

    /// Over all migrations.
    OpsPerSecond opsPerSecond() {
        return new OpsPerSecond(before.perSecond(), during.perSecond(), after.perSecond());
    }

    /// Speed over time, as it was between each two looks; of long runs fewer points.
    ///
    /// @param zeroNs what times are relative to
    synchronized List<Speed> speed(long zeroNs) {
        List<Speed> speed = new ArrayList<>();
        if (samples.isEmpty()) {
            return speed;
        }
        // Two looks may come right after each other, one of each thread: too short to say anything.
        long leastNs = Math.max(INTERVAL_MS * 500_000L,
                (samples.getLast().atNs - samples.getFirst().atNs) / POINTS_MAX);
        Sample from = samples.getFirst();
        for (Sample until : samples) {
            long ns = until.atNs - from.atNs;
            if (ns >= leastNs) {
                speed.add(new Speed((from.atNs + ns / 2 - zeroNs) / 1_000_000,
                        Math.round((until.instructions - from.instructions) * 1e9 / ns)));
                from = until;
            }
        }
        return speed;
    }

    /// What all stays say together; empty when the hosts do not tell. A wait of the last moments of a stay, after the
    /// last look, is not in it.
    synchronized Optional<PageWaits> waits() {
        List<GuestLook.Waits> known = new ArrayList<>(stays.subList(skipsFirstStay && !stays.isEmpty() ? 1 : 0,
                stays.size()));
        known.removeIf(w -> w == null);
        if (known.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new PageWaits(known.stream().mapToLong(GuestLook.Waits::count).sum(),
                known.stream().mapToLong(GuestLook.Waits::p99Ns).max().orElse(0),
                known.stream().mapToLong(GuestLook.Waits::maxNs).max().orElse(0)));
    }

    @Override
    public void close() {
        ended = true;
        LockSupport.unpark(thread);
        Threads.awaitEnd(thread);
    }
}

package io.tombolo.chaos.run;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.right.Timings;
import io.tombolo.chaos.check.RecoveryTime;
import io.tombolo.chaos.cluster.ClusterUnderTest;
import io.tombolo.chaos.generator.Call;
import io.tombolo.chaos.workload.Client;
import io.tombolo.chaos.workload.Completion;
import io.tombolo.chaos.workload.GuestVms;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/// Waits at the end, after every fault is healed, until the cluster has come to itself: every process runs, ZooKeeper
/// is whole, a coordinator leads, and the current guest has an owner that lives and answers.
///
/// The bound is the sum of what may come one after the other: a process starts (30 s, or 60 B), a lost session is found
/// out (T + 1.5 ticks), the right comes back with the next heartbeat (B / 2), and a request is answered (T).
final class RecoveryPhase implements Client {
    private static final long LOOK_NS = 50_000_000;
    /// How much longer than the bound is waited, to say how much too late it was.
    private static final int PATIENCE = 2;

    private final ClusterUnderTest cluster;
    private final GuestVms vms;
    private final Runnable before;
    private final LongSupplier nowNs;
    private final Duration bound;
    private volatile RecoveryTime.Recovery recovery;

    /// @param before done first
    /// @param nowNs  nanoseconds since the run began
    RecoveryPhase(ClusterUnderTest cluster, GuestVms vms, int baseMs, Runnable before, LongSupplier nowNs) {
        this.cluster = requireNonNull(cluster, "cluster is null");
        this.vms = requireNonNull(vms, "vms is null");
        this.before = requireNonNull(before, "before is null");
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
        Timings timings = new Timings(baseMs);
        this.bound = Duration.ofMillis(timings.startTimeoutMs() + timings.detectionMs() + timings.heartbeatPeriodMs()
                + timings.sessionMs());
        this.recovery = new RecoveryTime.Recovery("after healing", 0, 0, null, bound);
    }

    /// How it went.
    RecoveryTime.Recovery recovery() {
        return recovery;
    }

    Duration bound() {
        return bound;
    }

    @Override
    public Completion invoke(long process, Call call) {
        before.run();
        long beganNs = nowNs.getAsLong();
        List<String> all = cluster.members();
        long untilNs = System.nanoTime() + PATIENCE * bound.toNanos();
        long possibleNs = -1;
        while (System.nanoTime() - untilNs < 0) {
            all.forEach(cluster::wake);
            boolean possible = cluster.zooKeeperWhole() && cluster.leader().isPresent();
            possibleNs = possible ? possibleNs < 0 ? nowNs.getAsLong() : possibleNs : -1;
            if (possible && all.stream().allMatch(cluster::alive)
                    && vms.current().filter(guest -> cluster.owner(guest.slot()).living() && vms.answers(guest))
                            .isPresent()) {
                recovery = new RecoveryTime.Recovery("after healing", beganNs, possibleNs, nowNs.getAsLong(), bound);
                return Completion.info("recovered", null);
            }
            LockSupport.parkNanos(this, LOOK_NS);
        }
        recovery = new RecoveryTime.Recovery("after healing", beganNs, Math.max(0, possibleNs), null, bound);
        return Completion.info("not recovered", null);
    }
}

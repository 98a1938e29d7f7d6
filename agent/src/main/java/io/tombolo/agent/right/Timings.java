package io.tombolo.agent.right;

import io.tombolo.region.TomboloException;
import io.tombolo.region.WatchdogBound;
import java.util.LinkedHashMap;
import java.util.Map;

/// Every timing of a cluster, derived from one base figure B that an operator can set. Nothing else in the project
/// invents a time-out of its own: a figure that is missing here is added here, with its formula.
///
/// | figure | formula | at B = 500 ms | what for |
/// |---|---|---|---|
/// | ZooKeeper tick | B | 500 ms | tickTime of the bundled ensemble |
/// | session T | 4 B | 2 s | asked session time-out; ZooKeeper grants 2 to 20 ticks |
/// | heartbeat period | B / 2 | 250 ms | the agent's own request on its session |
/// | deadline | 3/4 granted T after the *send* of the last confirmed heartbeat | 1.5 s | early stop, never a term of the safety argument |
/// | warn point | 1/2 granted T after that send | 1 s | first word to the operator; QEMU guests get `stop` |
/// | watchdog W | 2 B | 1 s | SIGKILL this long after the oldest check |
/// | pet period | W / 4 | 250 ms | |
/// | check period C | 1 ms | 1 ms | every storing thread looks at its right this often |
/// | keeper tick | max(1 ms, B / 100) | 5 ms | the right keeper reads slot word and clocks this often |
/// | scan S | max(10 ms, B / 10) | 50 ms | supervisor: from the end of W until the SIGKILL is sent, scheduling included |
/// | kill to reaped Kr | max(100 ms, B / 2) | 250 ms | SIGKILL until the kill group is empty |
/// | drift rho | 1/1000 | | clock rate of one host against another's |
/// | request | 4 B | 2 s | one request between two processes |
/// | start | max(30 s, 60 B) | 30 s | a process from its start to READY=1 |
///
/// `certainlyStopped <= F + (a*W + C + S + Kr) * (1 + rho)`, F being the instant at which the slot word left LIVE; a =
/// 1 for pets that carry the time of the oldest check, a = 2 for plain sd_notify. Detection of a lost session takes up
/// to `T + 1.5 tick`, because ZooKeeper sorts sessions into buckets of one tick.
public record Timings(int baseMs) {
    /// Below it, one scheduling delay on a busy machine is a lapse.
    public static final int MIN_BASE_MS = 50;
    /// Above it a takeover takes minutes, and a person would have done it.
    public static final int MAX_BASE_MS = 60_000;
    /// What `tombolo up` and `drill` use.
    public static final int DEFAULT_BASE_MS = 500;

    private static final int DRIFT_PPM = 1000;
    private static final long NS_PER_MS = 1_000_000L;

    public Timings {
        if (baseMs < MIN_BASE_MS || baseMs > MAX_BASE_MS) {
            throw TomboloException.error(RightError.TIMING_BASE_INVALID, "the base timing is out of range")
                    .fact("baseMs", baseMs).fact("min", MIN_BASE_MS).fact("max", MAX_BASE_MS)
                    .next("set baseMs to a value in this range; " + DEFAULT_BASE_MS + " is the default").build();
        }
    }

    public static Timings standard() {
        return new Timings(DEFAULT_BASE_MS);
    }

    public int zooKeeperTickMs() {
        return baseMs;
    }

    public int sessionMs() {
        return 4 * baseMs;
    }

    public int heartbeatPeriodMs() {
        return baseMs / 2;
    }

    /// Deadline of the right that a heartbeat sent at `sentAtNs` gives.
    public long deadlineNs(long sentAtNs, long grantedTimeoutMs) {
        return sentAtNs + grantedTimeoutMs * NS_PER_MS * 3 / 4;
    }

    /// From here on the operator is warned that the deadline comes near.
    public long warnAtNs(long sentAtNs, long grantedTimeoutMs) {
        return sentAtNs + grantedTimeoutMs * NS_PER_MS / 2;
    }

    public long watchdogMs() {
        return 2L * baseMs;
    }

    public long watchdogNs() {
        return watchdogMs() * NS_PER_MS;
    }

    public long petPeriodMs() {
        return watchdogMs() / 4;
    }

    /// C: how often a thread that can store to the region looks at its right.
    public long checkPeriodNs() {
        return NS_PER_MS;
    }

    /// With plain sd_notify the pet carries no time, so no thread's last check may be older than this when it is sent;
    /// it stands in the bound in the place of C. With time-stamped pets nothing is added: the watchdog is armed from
    /// the check itself.
    public long plainCheckAgeLimitNs() {
        return Math.max(checkPeriodNs(), watchdogNs() / 8);
    }

    public long keeperTickMs() {
        return Math.max(1, baseMs / 100);
    }

    public long scanMs() {
        return Math.max(10, baseMs / 10);
    }

    public long killToReapedMs() {
        return Math.max(100, baseMs / 2);
    }

    /// What a host declares when it joins, so that others can work out its bound. Elapsed time counts as evidence only
    /// for a watchdog outside the stall domain of what it kills, and neither the local supervisor nor systemd is.
    public WatchdogBound watchdogBound(PetMode mode, boolean outsideStallDomain) {
        long checkNs = switch (mode) {
            case TIMESTAMPED -> checkPeriodNs();
            case PLAIN -> plainCheckAgeLimitNs();
        };
        return new WatchdogBound(mode.factor(), watchdogNs(), checkNs, scanMs() * NS_PER_MS,
                killToReapedMs() * NS_PER_MS, DRIFT_PPM, outsideStallDomain);
    }

    /// Longest time from F until every process of the host has stopped, if the host has a working watchdog.
    public long certainlyStoppedNs(PetMode mode) {
        return watchdogBound(mode, false).boundNs();
    }

    /// Longest time from the death of a host until ZooKeeper has removed its session, with a leader that stays.
    public long detectionMs() {
        return sessionMs() + Math.ceilDiv(3L * zooKeeperTickMs(), 2);
    }

    public int requestTimeoutMs() {
        return 4 * baseMs;
    }

    public int startTimeoutMs() {
        return Math.max(30_000, 60 * baseMs);
    }

    /// Refuses a session that an ensemble granted with another time-out than was asked for. A longer one (its ticks are
    /// longer than the base figure) would break the printed detection time, a shorter one would expire between two
    /// heartbeats.
    public void requireGranted(long grantedTimeoutMs) {
        if (grantedTimeoutMs == sessionMs()) {
            return;
        }
        boolean below = grantedTimeoutMs > sessionMs();
        throw TomboloException
                .error(RightError.TIMING_BASE_NOT_GRANTED,
                        below
                                ? "the base timing is below what the ZooKeeper ensemble grants"
                                : "the base timing is above what the ZooKeeper ensemble grants")
                .fact("baseMs", baseMs).fact("askedMs", sessionMs()).fact("grantedMs", grantedTimeoutMs)
                .next("set baseMs to " + Math.ceilDiv(grantedTimeoutMs, 4L)
                        + ", or change tickTime, minSessionTimeout and maxSessionTimeout of the ensemble")
                .build();
    }

    /// All figures by name, in milliseconds where the name says so, for `status`, `doctor` and the documents.
    public Map<String, Object> figures() {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("baseMs", baseMs);
        all.put("zooKeeperTickMs", zooKeeperTickMs());
        all.put("sessionMs", sessionMs());
        all.put("heartbeatPeriodMs", heartbeatPeriodMs());
        all.put("deadlineMs", deadlineNs(0, sessionMs()) / NS_PER_MS);
        all.put("warnAtMs", warnAtNs(0, sessionMs()) / NS_PER_MS);
        all.put("watchdogMs", watchdogMs());
        all.put("petPeriodMs", petPeriodMs());
        all.put("checkPeriodNs", checkPeriodNs());
        all.put("plainCheckAgeLimitNs", plainCheckAgeLimitNs());
        all.put("keeperTickMs", keeperTickMs());
        all.put("scanMs", scanMs());
        all.put("killToReapedMs", killToReapedMs());
        all.put("certainlyStoppedTimestampedNs", certainlyStoppedNs(PetMode.TIMESTAMPED));
        all.put("certainlyStoppedPlainNs", certainlyStoppedNs(PetMode.PLAIN));
        all.put("detectionMs", detectionMs());
        all.put("requestTimeoutMs", requestTimeoutMs());
        all.put("startTimeoutMs", startTimeoutMs());
        return all;
    }
}

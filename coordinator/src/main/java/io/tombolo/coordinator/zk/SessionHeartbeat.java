package io.tombolo.coordinator.zk;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooKeeper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Measures until when a process may believe in its session, by requests of its own: the clock is read before a request
/// is sent, and counts once the request was answered. ZooKeeper's client keeps the times of its own pings to itself.
///
/// The result is an **early stop and never a proof**. A server that is cut off from its leader goes on answering reads
/// and pings until it notices (syncLimit ticks by default), so the session may be gone at the leader while this still
/// confirms it. Nothing that must be certain may hang on it; the owner word and the kill group are for that.
///
/// No wall clock is involved. Thread safe.
public final class SessionHeartbeat implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SessionHeartbeat.class);
    private static final int BEATS_PER_TIMEOUT = 8;

    private final ZkConnection zk;
    private final LongSupplier nowNs;
    private final CountDownLatch first = new CountDownLatch(1);
    private final AtomicReference<Confirmation> last = new AtomicReference<>();
    private final ScheduledExecutorService timer = Executors
            .newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("session-heartbeat").factory());

    /// The newest answered heartbeat.
    ///
    /// @param sessionId        session it was sent on
    /// @param sentNs           clock reading before it was sent
    /// @param grantedTimeoutMs session timeout granted to that session
    public record Confirmation(long sessionId, long sentNs, int grantedTimeoutMs) {
        /// When the session could be gone, had the server been in touch with its leader: `sentNs` plus the timeout.
        public long deadlineNs() {
            return sentNs + TimeUnit.MILLISECONDS.toNanos(grantedTimeoutMs);
        }
    }

    private SessionHeartbeat(ZkConnection zk, LongSupplier nowNs) {
        this.zk = zk;
        this.nowNs = nowNs;
    }

    /// Sends the first heartbeat and waits for its answer, then goes on by itself, eight times per session timeout.
    ///
    /// @param nowNs a clock in nanoseconds that never steps; one that counts suspend (CLOCK_BOOTTIME) where it matters
    /// @throws TomboloException `ZOOKEEPER_UNREACHABLE`
    public static SessionHeartbeat start(ZkConnection zk, LongSupplier nowNs, long firstTimeoutMs) {
        SessionHeartbeat heartbeat = new SessionHeartbeat(zk, nowNs);
        heartbeat.beat();
        int grantedMs = heartbeat.awaitFirst(firstTimeoutMs);
        long periodMs = Math.max(5, grantedMs / BEATS_PER_TIMEOUT);
        // beat() lets no exception out, so there is nothing to be seen in the future.
        var _ = heartbeat.timer.scheduleAtFixedRate(heartbeat::beat, periodMs, periodMs, TimeUnit.MILLISECONDS);
        return heartbeat;
    }

    private int awaitFirst(long timeoutMs) {
        try {
            if (first.await(timeoutMs, TimeUnit.MILLISECONDS)) {
                return last.get().grantedTimeoutMs();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        close();
        throw TomboloException.error(CoordinatorError.ZOOKEEPER_UNREACHABLE, "the first heartbeat was not answered")
                .fact("timeoutMs", timeoutMs).next("tombolo doctor").build();
    }

    private void beat() {
        try {
            ZooKeeper session = zk.curator().getZookeeperClient().getZooKeeper();
            long sessionId = session.getSessionId();
            long sentNs = nowNs.getAsLong();
            // Straight to the client: Curator would repeat the request, and the answer would be younger than sentNs
            // says.
            session.exists(zk.paths().cluster(), false,
                    (code, _, _, _) -> answered(session, sessionId, sentNs, KeeperException.Code.get(code)), null);
            // Any failure means one heartbeat less, which is what the reader of this class has to see; the timer must
            // go on.
        } catch (Exception e) {
            LOG.debug("heartbeat not sent", e);
        }
    }

    private void answered(ZooKeeper session, long sessionId, long sentNs, KeeperException.Code code) {
        if (code != KeeperException.Code.OK && code != KeeperException.Code.NONODE) {
            LOG.debug("heartbeat failed: {}", code);
            return;
        }
        if (session.getSessionId() != sessionId || sessionId == 0) {
            // Sent before the session was there: it cannot be said which one the answer is for.
            return;
        }
        Confirmation fresh = new Confirmation(sessionId, sentNs, session.getSessionTimeout());
        last.accumulateAndGet(fresh, (old, next) -> old == null || next.sentNs() - old.sentNs() > 0 ? next : old);
        first.countDown();
    }

    /// The newest answered heartbeat.
    public Confirmation confirmation() {
        return last.get();
    }

    /// Clock reading before the newest answered heartbeat was sent.
    public long lastConfirmedNs() {
        return last.get().sentNs();
    }

    @Override
    public void close() {
        timer.shutdownNow();
    }
}

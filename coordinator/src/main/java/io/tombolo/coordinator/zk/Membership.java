package io.tombolo.coordinator.zk;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;

/// Which hosts are there: one ephemeral record per live agent. A record says nothing about who may run what; it starts
/// things early and tells a host that its name is taken. Thread safe.
public final class Membership {
    private static final long POLL_MS = 50;

    private final ZkConnection zk;
    private final LongSupplier nowNs;
    private final LongConsumer pauseMs;

    /// @param nowNs monotonic clock in nanoseconds
    public Membership(ZkConnection zk, LongSupplier nowNs) {
        this(zk, nowNs, Membership::sleep);
    }

    /// @param pauseMs how to wait that long
    public Membership(ZkConnection zk, LongSupplier nowNs, LongConsumer pauseMs) {
        this.zk = zk;
        this.nowNs = nowNs;
        this.pauseMs = pauseMs;
    }

    /// Writes this host's record, or finds it there already. To be called again after every new session; a record of
    /// this very incarnation that an earlier session left is replaced.
    ///
    /// @param waitMs how long to wait for the record of a predecessor to go away, which takes a session timeout after
    /// the
    ///               predecessor was killed
    /// @throws TomboloException `HOST_ID_IN_USE` when another incarnation's record stays, or another name has this UUID
    public void join(HostRecord own, long waitMs) {
        long startNs = nowNs.getAsLong();
        while (true) {
            Optional<HostRecord> other = tryJoin(own);
            if (other.isEmpty()) {
                return;
            }
            if (nowNs.getAsLong() - startNs >= TimeUnit.MILLISECONDS.toNanos(waitMs)) {
                throw inUse(own, other.get());
            }
            pauseMs.accept(POLL_MS);
        }
    }

    private static TomboloException inUse(HostRecord own, HostRecord other) {
        return TomboloException
                .error(CoordinatorError.HOST_ID_IN_USE, "another live agent has this host's name or UUID")
                .fact("host", own.name()).fact("uuid", own.uuid()).fact("otherHost", other.name())
                .fact("otherIncarnation", other.incarnation()).fact("otherPid", other.pid())
                .fact("otherAddress", other.address() + ":" + other.port())
                .next("stop the other agent or give this one another name and UUID").build();
    }

    private static void sleep(long ms) {
        try {
            TimeUnit.MILLISECONDS.sleep(ms);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ZkConnection.failed("hosts", e);
        }
    }

    /// One attempt.
    ///
    /// @return the record that is in the way
    private Optional<HostRecord> tryJoin(HostRecord own) {
        for (HostRecord other : hosts()) {
            if (other.uuid().equals(own.uuid()) && !other.name().equals(own.name())) {
                return Optional.of(other);
            }
        }
        String path = zk.paths().host(own.name());
        try {
            zk.createEphemeral(path, own);
            return Optional.empty();
        } catch (ZkRefusal e) {
            if (!e.is(KeeperException.Code.NODEEXISTS)) {
                throw e.toTombolo();
            }
        }
        Optional<Versioned<HostRecord>> found = zk.read(path, HostRecord.class);
        if (found.isEmpty()) {
            return tryJoin(own);
        }
        HostRecord other = found.get().value();
        if (!sameIncarnation(own, other)) {
            return Optional.of(other);
        }
        Stat stat = found.get().stat();
        if (stat.getEphemeralOwner() == zk.sessionId() && other.equals(own)) {
            return Optional.empty();
        }
        // Left by an earlier session of this process, and about to be deleted by ZooKeeper at any moment.
        zk.delete(path, stat.getVersion());
        return tryJoin(own);
    }

    private static boolean sameIncarnation(HostRecord own, HostRecord other) {
        return own.uuid().equals(other.uuid()) && own.incarnation() == other.incarnation()
                && own.bootId().equals(other.bootId()) && own.pid() == other.pid();
    }

    /// Whether the record of this host is there and belongs to the current session.
    public boolean isJoined(HostRecord own) {
        return zk.stat(zk.paths().host(own.name())).map(stat -> stat.getEphemeralOwner() == zk.sessionId())
                .orElse(false);
    }

    /// Takes this host's record away, when it is this session's.
    public void leave(HostRecord own) {
        String path = zk.paths().host(own.name());
        zk.stat(path).filter(stat -> stat.getEphemeralOwner() == zk.sessionId())
                .ifPresent(stat -> zk.delete(path, stat.getVersion()));
    }

    /// All hosts with a record, by name.
    public List<HostRecord> hosts() {
        return zk.readChildren(zk.paths().hosts(), HostRecord.class).stream().map(Versioned::value).toList();
    }

    /// The record of one host; empty when it has none.
    public Optional<HostRecord> host(String name) {
        return zk.read(zk.paths().host(name), HostRecord.class).map(Versioned::value);
    }
}

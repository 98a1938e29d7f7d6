package io.tombolo.coordinator.zk;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.framework.state.ConnectionStateListener;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The leases of this process: for each VM an `InterProcessSemaphoreV2` with one permit, whose holder says to people
/// and to placement who should own the VM. **No compare-and-set, no resume and no takeover depends on holding one**: a
/// lease is brought into line with the owner word afterwards.
///
/// What Curator does not do by itself, and this class does:
/// - Curator's timed acquire counts on the wall clock. Here a thread waits without limit and is interrupted by a
///   monotonic timer.
/// - Waiting holds the semaphore's inner mutex, so a waiter blocks everyone behind it. Here a wait has a lifetime that
///   the caller must give.
/// - An acquire can succeed with a znode of the previous session, which ZooKeeper is about to delete (CURATOR-604).
///   Here the znode's owner is compared with the current session after the acquire.
/// - A release during a lost connection can leave the inner mutex's or the lease's znode behind, and later acquires
///   hang for as long as the session lives (CURATOR-678). Here this session's znodes that are not in use are swept
///   before and after every acquire, on every release, and after every reconnection.
///
/// One acquire per VM and process at a time. Thread safe.
public final class Leases implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Leases.class);
    private static final int ABANDON_MS = 1_000;

    private final ZkConnection zk;
    private final byte[] holder;
    private final Map<String, ReentrantLock> locks = new ConcurrentHashMap<>();
    private final Map<String, VmLease> held = new ConcurrentHashMap<>();
    private final ExecutorService sweeper = Executors
            .newSingleThreadExecutor(Thread.ofPlatform().daemon().name("lease-sweeper").factory());
    private final ConnectionStateListener onReconnect = this::stateChanged;

    /// A lease of this process.
    ///
    /// @param vm        name of the VM
    /// @param path      its znode
    /// @param sessionId session that owns the znode
    /// @param czxid     transaction that created the znode; rises from holder to holder
    public record VmLease(String vm, String path, long sessionId, long czxid) {
    }

    /// A lease znode as anybody sees it.
    ///
    /// @param holder what the holder wrote: its host name
    public record Held(String vm, String holder, String path, long sessionId, long czxid) {
    }

    /// @param holder name of this host, for others to read
    public Leases(ZkConnection zk, String holder) {
        this.zk = zk;
        this.holder = holder.getBytes(StandardCharsets.UTF_8);
        zk.curator().getConnectionStateListenable().addListener(onReconnect);
    }

    private void stateChanged(CuratorFramework curator, ConnectionState state) {
        if (state == ConnectionState.RECONNECTED) {
            sweeper.execute(() -> locks.keySet().forEach(this::sweepLater));
        }
    }

    /// Waits for the lease of a VM for at most `lifetimeMs`, measured on the monotonic clock, and stops queueing then.
    ///
    /// @return the lease; the same one when this process holds it already with its current session
    /// @throws TomboloException `LEASE_TIMEOUT`, `LEASE_NOT_OURS`, `ZOOKEEPER_UNREACHABLE`
    public VmLease acquire(String vm, long lifetimeMs) {
        long startNs = System.nanoTime();
        ReentrantLock lock = locks.computeIfAbsent(vm, _ -> new ReentrantLock());
        try {
            if (!lock.tryLock(lifetimeMs, TimeUnit.MILLISECONDS)) {
                throw timeout(vm, lifetimeMs);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw timeout(vm, lifetimeMs);
        }
        try {
            VmLease mine = held.get(vm);
            if (mine != null && isOurs(mine)) {
                return mine;
            }
            held.remove(vm);
            sweep(vm);
            long leftMs = lifetimeMs - TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs);
            VmLease fresh = verified(vm, waitFor(vm, leftMs, lifetimeMs));
            held.put(vm, fresh);
            return fresh;
        } finally {
            try {
                sweep(vm);
            } catch (TomboloException e) {
                LOG.debug("sweep of {} is left to the next reconnection", vm, e);
            }
            lock.unlock();
        }
    }

    private Lease waitFor(String vm, long leftMs, long lifetimeMs) {
        InterProcessSemaphoreV2 semaphore = new InterProcessSemaphoreV2(zk.curator(), zk.paths().lease(vm), 1);
        semaphore.setNodeData(holder);
        CompletableFuture<Lease> result = new CompletableFuture<>();
        Thread waiter = Thread.ofPlatform().daemon().name("lease-" + vm).start(() -> {
            try {
                result.complete(semaphore.acquire());
                // Curator declares Exception; all of it belongs to the thread that waits for the result.
            } catch (Exception e) {
                result.completeExceptionally(e);
            }
        });
        try {
            return result.get(Math.max(1, leftMs), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            abandon(vm, waiter, result);
            throw timeout(vm, lifetimeMs);
        } catch (InterruptedException e) {
            abandon(vm, waiter, result);
            Thread.currentThread().interrupt();
            throw timeout(vm, lifetimeMs);
        } catch (ExecutionException e) {
            return zk.call(zk.paths().lease(vm), () -> {
                throw e.getCause() instanceof Exception cause ? cause : new IllegalStateException(e.getCause());
            });
        }
    }

    /// Interrupts a wait and lets it clean up. Should it have succeeded at the last moment, nobody takes its lease, and
    /// the sweep behind it deletes the znode.
    private static void abandon(String vm, Thread waiter, CompletableFuture<Lease> result) {
        waiter.interrupt();
        try {
            result.get(ABANDON_MS, TimeUnit.MILLISECONDS);
            LOG.debug("the lease of {} came too late", vm);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LOG.debug("wait for the lease of {} ended", vm, e);
        }
    }

    private static TomboloException timeout(String vm, long lifetimeMs) {
        return TomboloException.error(CoordinatorError.LEASE_TIMEOUT, "the lease was not acquired in time")
                .fact("vm", vm).fact("lifetimeMs", lifetimeMs).build();
    }

    private VmLease verified(String vm, Lease lease) {
        String path = zk.paths().lease(vm) + "/leases/" + zk.call(zk.paths().lease(vm), lease::getNodeName);
        Optional<Stat> stat = zk.stat(path);
        long session = zk.sessionId();
        if (stat.isEmpty() || stat.get().getEphemeralOwner() != session) {
            zk.delete(path, -1);
            throw TomboloException
                    .error(CoordinatorError.LEASE_NOT_OURS, "the lease was acquired by a session that has ended")
                    .fact("vm", vm).fact("path", path).fact("session", Long.toHexString(session))
                    .fact("owner", stat.map(s -> Long.toHexString(s.getEphemeralOwner())).orElse("gone"))
                    .next("acquire it again").build();
        }
        return new VmLease(vm, path, session, stat.get().getCzxid());
    }

    private boolean isOurs(VmLease lease) {
        return lease.sessionId() == zk.sessionId()
                && zk.stat(lease.path()).filter(stat -> stat.getCzxid() == lease.czxid()).isPresent();
    }

    /// The lease this process believes it holds.
    public Optional<VmLease> held(String vm) {
        return Optional.ofNullable(held.get(vm));
    }

    /// Gives the lease back; nothing happens when it is not held. During a lost connection it is given back after the
    /// reconnection, or by the end of the session, whichever comes first.
    public void release(String vm) {
        held.remove(vm);
        locks.computeIfAbsent(vm, _ -> new ReentrantLock());
        if (!zk.isConnected()) {
            LOG.info("lease of {} is given back after the reconnection", vm);
            return;
        }
        try {
            sweepIfIdle(vm);
        } catch (TomboloException e) {
            LOG.info("lease of {} is given back after the reconnection: {}", vm, e.getMessage());
        }
    }

    private void sweepLater(String vm) {
        try {
            sweepIfIdle(vm);
        } catch (TomboloException e) {
            LOG.debug("sweep of {} is left to the next reconnection", vm, e);
        }
    }

    private void sweepIfIdle(String vm) {
        ReentrantLock lock = locks.get(vm);
        if (lock.tryLock()) {
            try {
                sweep(vm);
            } finally {
                lock.unlock();
            }
        }
    }

    /// Deletes what this session left below the VM's semaphore and does not use.
    private void sweep(String vm) {
        long session = zk.sessionId();
        VmLease mine = held.get(vm);
        for (String kind : List.of("/locks", "/leases")) {
            String parent = zk.paths().lease(vm) + kind;
            for (String child : zk.children(parent)) {
                String path = parent + "/" + child;
                boolean ours = zk.stat(path).filter(stat -> stat.getEphemeralOwner() == session).isPresent();
                if (ours && (mine == null || !mine.path().equals(path))) {
                    zk.delete(path, -1);
                }
            }
        }
    }

    /// Who holds the lease of a VM or waits to be given it, oldest first. Only the first holds it.
    public static List<Held> holders(ZkConnection zk, String vm) {
        List<Held> found = new ArrayList<>();
        String parent = zk.paths().lease(vm) + "/leases";
        for (String child : zk.children(parent)) {
            String path = parent + "/" + child;
            Stat stat = new Stat();
            try {
                byte[] data = zk.call(path, () -> zk.curator().getData().storingStatIn(stat).forPath(path));
                found.add(new Held(vm, new String(data, StandardCharsets.UTF_8), path, stat.getEphemeralOwner(),
                        stat.getCzxid()));
            } catch (ZkRefusal e) {
                if (!e.is(KeeperException.Code.NONODE)) {
                    throw e.toTombolo();
                }
            }
        }
        found.sort((a, b) -> Long.compare(a.czxid(), b.czxid()));
        return List.copyOf(found);
    }

    /// Takes a lease away from a holder that does not own the VM any more. Harmless when it is wrong: a lease decides
    /// nothing, and its holder acquires it again.
    public static void revoke(ZkConnection zk, Held lease) {
        zk.delete(lease.path(), -1);
    }

    /// Stops sweeping. What is held stays held until the session ends.
    @Override
    public void close() {
        zk.curator().getConnectionStateListenable().removeListener(onReconnect);
        sweeper.shutdownNow();
    }
}

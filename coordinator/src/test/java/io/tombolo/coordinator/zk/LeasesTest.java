package io.tombolo.coordinator.zk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tombolo.coordinator.wire.Errors;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class LeasesTest {
    private static final long LONG_MS = 10_000;
    private static ZooKeeperServers servers;

    private final ZkPaths tree = ZooKeeperServers.newTree();
    private final List<AutoCloseable> open = new ArrayList<>();

    @BeforeAll
    static void startServer() throws Exception {
        servers = new ZooKeeperServers(1);
    }

    @AfterAll
    static void stopServer() throws Exception {
        servers.close();
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable one : open.reversed()) {
            one.close();
        }
    }

    private ZkConnection connect() {
        ZkConnection zk = servers.connect(tree);
        open.add(zk);
        return zk;
    }

    private Leases leases(ZkConnection zk, String host) {
        Leases leases = new Leases(zk, host);
        open.add(leases);
        return leases;
    }

    private static String codeOf(org.assertj.core.api.ThrowableAssert.ThrowingCallable action) {
        return Errors.codeOf(catchThrowable(action));
    }

    @Test
    void oneHostHoldsALeaseAndItsNumberRises() {
        ZkConnection zk = connect();
        Leases a = leases(zk, "h1");
        Leases b = leases(connect(), "h2");
        Leases.VmLease first = a.acquire("vm", LONG_MS);
        assertThat(a.acquire("vm", LONG_MS)).isEqualTo(first);
        assertThat(Leases.holders(zk, "vm")).extracting(Leases.Held::holder).containsExactly("h1");
        CompletableFuture<Leases.VmLease> waiting = CompletableFuture.supplyAsync(() -> b.acquire("vm", LONG_MS));
        Awaitility.await().until(() -> Leases.holders(zk, "vm").size() == 2);
        assertThat(waiting).isNotDone();
        a.release("vm");
        assertThat(waiting.join().czxid()).isGreaterThan(first.czxid());
        assertThat(Leases.holders(zk, "vm")).extracting(Leases.Held::holder).containsExactly("h2");
    }

    /// Without the lifetime, the waiter's place in the semaphore's inner mutex blocks everyone behind it for ever.
    @Test
    void aWaiterLeavesTheQueueAfterItsLifetimeAndBlocksNobody() throws Exception {
        ZkConnection zk = connect();
        Leases a = leases(zk, "h1");
        Leases b = leases(connect(), "h2");
        Leases c = leases(connect(), "h3");
        a.acquire("vm", LONG_MS);
        long startNs = System.nanoTime();
        assertThat(codeOf(() -> b.acquire("vm", 300))).isEqualTo("LEASE_TIMEOUT");
        assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs)).isBetween(300L, 5_000L);
        assertThat(zk.children(tree.lease("vm") + "/locks")).isEmpty();
        assertThat(Leases.holders(zk, "vm")).extracting(Leases.Held::holder).containsExactly("h1");
        CompletableFuture<Leases.VmLease> waiting = CompletableFuture.supplyAsync(() -> c.acquire("vm", LONG_MS));
        a.release("vm");
        assertThat(waiting.join().vm()).isEqualTo("vm");
    }

    @Test
    void aLeaseOfADeadSessionIsNotOurs() throws Exception {
        ZkConnection zk = connect();
        Leases a = leases(zk, "h1");
        Leases.VmLease old = a.acquire("vm", LONG_MS);
        servers.expire(zk);
        Awaitility.await().ignoreExceptions().until(() -> zk.sessionId() != old.sessionId() && zk.sessionId() != 0);
        Leases.VmLease fresh = a.acquire("vm", LONG_MS);
        assertThat(fresh.sessionId()).isEqualTo(zk.sessionId()).isNotEqualTo(old.sessionId());
        assertThat(fresh.czxid()).isGreaterThan(old.czxid());
        assertThat(zk.stat(fresh.path()).orElseThrow().getEphemeralOwner()).isEqualTo(zk.sessionId());
    }

    /// What CURATOR-678 leaves: this session's node in the inner mutex, which nobody holds and nobody deletes.
    @Test
    void acquiresAlthoughThisSessionLeftItsNodesBehind() throws Exception {
        ZkConnection zk = connect();
        Leases a = leases(zk, "h1");
        a.acquire("vm", LONG_MS);
        a.release("vm");
        zk.curator().create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL)
                .forPath(tree.lease("vm") + "/locks/_c_left-lock-");
        zk.curator().create().withMode(CreateMode.EPHEMERAL_SEQUENTIAL)
                .forPath(tree.lease("vm") + "/leases/_c_left-lease-");
        assertThat(a.acquire("vm", 5_000).vm()).isEqualTo("vm");
        assertThat(Leases.holders(zk, "vm")).hasSize(1);
    }

    @Test
    void aReleaseDuringALostConnectionIsMadeGoodAfterIt() throws Exception {
        servers.connect(tree).close();
        ZkConnection zk = ZkConnection.open(servers.ensemble().connectString(), tree, 20 * ZooKeeperServers.TICK_MS,
                10_000);
        open.add(zk);
        Leases a = leases(zk, "h1");
        Leases b = leases(connect(), "h2");
        a.acquire("vm", LONG_MS);
        long session = zk.sessionId();
        ZooKeeperProcess server = servers.server();
        server.kill();
        Awaitility.await().until(() -> !zk.isConnected());
        a.release("vm");
        server.start();
        server.awaitServing(20_000);
        Awaitility.await().ignoreExceptions().until(() -> b.acquire("vm", 2_000).vm().equals("vm"));
        assertThat(zk.sessionId()).as("the session lived on, so its end is not what gave the lease back")
                .isEqualTo(session);
    }

    @Test
    void aLeaseCanBeRevokedFromAHostThatLostTheVm() {
        ZkConnection zk = connect();
        Leases a = leases(zk, "h1");
        a.acquire("vm", LONG_MS);
        Leases.revoke(zk, Leases.holders(zk, "vm").getFirst());
        assertThat(leases(connect(), "h2").acquire("vm", 5_000).vm()).isEqualTo("vm");
    }

    // ---- heartbeat

    @Test
    void theHeartbeatAdvancesWhileTheServerAnswersAndStopsWhenItDoesNot() throws Exception {
        ZkConnection zk = connect();
        long beforeNs = System.nanoTime();
        try (SessionHeartbeat heartbeat = SessionHeartbeat.start(zk, System::nanoTime, 5_000)) {
            SessionHeartbeat.Confirmation first = heartbeat.confirmation();
            assertThat(first.sessionId()).isEqualTo(zk.sessionId());
            assertThat(first.grantedTimeoutMs()).isEqualTo(ZooKeeperServers.SESSION_MS);
            assertThat(first.sentNs()).isBetween(beforeNs, System.nanoTime());
            Awaitility.await().until(() -> heartbeat.lastConfirmedNs() > first.sentNs());
            ZooKeeperServers.signal(servers.server().pid(), "STOP");
            long stoppedNs = System.nanoTime();
            try {
                Awaitility.await().until(() -> System.nanoTime() - stoppedNs > 500_000_000L);
                assertThat(heartbeat.lastConfirmedNs()).isLessThan(stoppedNs);
            } finally {
                ZooKeeperServers.signal(servers.server().pid(), "CONT");
            }
            Awaitility.await().until(() -> heartbeat.lastConfirmedNs() > stoppedNs);
        }
    }
}

package io.tombolo.coordinator.zk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.TomboloException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ZkTest {
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

    private static String codeOf(org.assertj.core.api.ThrowableAssert.ThrowingCallable action) {
        return Errors.codeOf(catchThrowable(action));
    }

    private static HostRecord host(String name, long uuid, long incarnation) {
        return new HostRecord(name, new UUID(0, uuid), 1, incarnation, new UUID(5, 5), 77, "127.0.0.1", 9,
                List.of("simulated"));
    }

    private static VmRecord vm(String name) {
        return new VmRecord(new VmSpec(name, new UUID(3, 3), "simulated", 4096, 1, "dirty", 4096, "uniform", 1), 2,
                "h1", 5, "", "");
    }

    private static IntentRecord draft(String vm, String to) {
        return new IntentRecord(vm, 2, "h1", 0, to, 1, 5, 0, 0, 99);
    }

    private record Event(String what, long term) {
    }

    private Leadership candidate(ZkConnection zk, String id, BlockingQueue<Event> events) {
        Leadership leadership = new Leadership(zk, new LeaderRecord(id, "127.0.0.1", 4711), new Leadership.Listener() {
            @Override
            public void elected(long term) {
                events.add(new Event("elected", term));
            }

            @Override
            public void deposed(long term) {
                events.add(new Event("deposed", term));
            }
        });
        open.add(leadership);
        leadership.start();
        return leadership;
    }

    private static Event next(BlockingQueue<Event> events) throws InterruptedException {
        return events.poll(20, TimeUnit.SECONDS);
    }

    // ---- tree

    @Test
    void refusesATreeOfAnotherClusterOrRegion() {
        ZkConnection zk = connect();
        assertThat(codeOf(() -> new ClusterTree(zk).join(new ClusterRecord(new UUID(9, 9), "test", new UUID(2, 2)))))
                .isEqualTo("ZOOKEEPER_FOREIGN_CLUSTER");
        assertThat(codeOf(() -> new ClusterTree(zk).join(new ClusterRecord(new UUID(1, 1), "test", new UUID(9, 9)))))
                .isEqualTo("ZOOKEEPER_FOREIGN_CLUSTER");
    }

    @Test
    void refusesDamagedAndNewerPayloads() throws Exception {
        ZkConnection zk = connect();
        Membership membership = new Membership(zk, System::nanoTime);
        for (String[] payload : new String[][]{{"nonsense", "ZNODE_DAMAGED"}, {"{\"v\":3}", "ZNODE_DAMAGED"},
                {"{\"v\":2}", "ZNODE_VERSION_UNKNOWN"}, {"[1]", "ZNODE_DAMAGED"}}) {
            zk.curator().create().orSetData().forPath(tree.host("h1"), payload[0].getBytes(StandardCharsets.UTF_8));
            assertThat(codeOf(() -> membership.host("h1"))).as(payload[0]).isEqualTo(payload[1]);
        }
    }

    // ---- membership

    @Test
    void refusesASecondHostOfTheSameNameOrUuid() {
        ZkConnection first = connect();
        ZkConnection second = connect();
        Membership ofFirst = new Membership(first, System::nanoTime);
        Membership ofSecond = new Membership(second, System::nanoTime);
        ofFirst.join(host("h1", 1, 1), 0);
        assertThat(codeOf(() -> ofSecond.join(host("h1", 2, 2), 0))).isEqualTo("HOST_ID_IN_USE");
        assertThat(codeOf(() -> ofSecond.join(host("h1", 1, 2), 0))).isEqualTo("HOST_ID_IN_USE");
        assertThat(codeOf(() -> ofSecond.join(host("h2", 1, 2), 0))).isEqualTo("HOST_ID_IN_USE");
        ofSecond.join(host("h2", 2, 2), 0);
        assertThat(ofFirst.hosts()).containsExactly(host("h1", 1, 1), host("h2", 2, 2));
        ofFirst.join(host("h1", 1, 1), 0);
        ofFirst.leave(host("h1", 1, 1));
        assertThat(ofSecond.host("h1")).isEmpty();
    }

    @Test
    void waitsForThePredecessorsRecordToGo() {
        ZkConnection dead = servers.connect(tree);
        new Membership(dead, System::nanoTime).join(host("h1", 1, 1), 0);
        Membership restarted = new Membership(connect(), System::nanoTime);
        assertThat(codeOf(() -> restarted.join(host("h1", 1, 2), 0))).isEqualTo("HOST_ID_IN_USE");
        Thread.ofVirtual().start(dead::close);
        restarted.join(host("h1", 1, 2), 10_000);
        assertThat(restarted.host("h1")).contains(host("h1", 1, 2));
    }

    @Test
    void joinsAgainWithANewSession() throws Exception {
        ZkConnection zk = connect();
        Membership membership = new Membership(zk, System::nanoTime);
        HostRecord own = host("h1", 1, 1);
        membership.join(own, 0);
        assertThat(membership.isJoined(own)).isTrue();
        long before = zk.sessionId();
        servers.expire(zk);
        Awaitility.await().ignoreExceptions().until(() -> zk.sessionId() != before && zk.sessionId() != 0);
        Awaitility.await().ignoreExceptions().until(() -> !membership.isJoined(own));
        membership.join(own, 5_000);
        assertThat(membership.isJoined(own)).isTrue();
    }

    // ---- leadership

    @Test
    void onlyOneLeadsAndEveryLeaderHasAHigherTerm() throws Exception {
        BlockingQueue<Event> eventsOfFirst = new LinkedBlockingQueue<>();
        BlockingQueue<Event> eventsOfSecond = new LinkedBlockingQueue<>();
        Leadership first = candidate(connect(), "c1", eventsOfFirst);
        assertThat(next(eventsOfFirst)).isEqualTo(new Event("elected", 1));
        Leadership second = candidate(connect(), "c2", eventsOfSecond);
        TomboloException refusal = (TomboloException) catchThrowable(second::requireTerm);
        assertThat(refusal.code().name()).isEqualTo("NOT_LEADER");
        assertThat(refusal.facts()).containsEntry("leader", "c1").containsEntry("leaderAddress", "127.0.0.1:4711");
        assertThat(first.requireTerm()).isEqualTo(1);
        first.close();
        assertThat(next(eventsOfFirst)).isEqualTo(new Event("deposed", 1));
        assertThat(next(eventsOfSecond)).isEqualTo(new Event("elected", 2));
        assertThat(second.requireTerm()).isEqualTo(2);
    }

    @Test
    void aLeaderThatLosesItsSessionIsDeposedAndLeadsAgainOnlyWithANewTerm() throws Exception {
        BlockingQueue<Event> events = new LinkedBlockingQueue<>();
        ZkConnection zk = connect();
        candidate(zk, "c1", events);
        assertThat(next(events)).isEqualTo(new Event("elected", 1));
        servers.expire(zk);
        assertThat(next(events)).isEqualTo(new Event("deposed", 1));
        assertThat(next(events)).isEqualTo(new Event("elected", 2));
    }

    @Test
    void aDeposedLeaderWritesNothing() {
        ZkConnection zk = connect();
        LeaderWrites writes = new LeaderWrites(zk);
        long old = claim(zk);
        writes.createVm(old, vm("a"));
        long current = claim(connect());
        assertThat(current).isGreaterThan(old);
        Versioned<VmRecord> read = writes.vm("a").orElseThrow();
        assertThat(codeOf(() -> writes.createVm(old, vm("b")))).isEqualTo("TERM_ENDED");
        assertThat(codeOf(() -> writes.updateVm(old, read, moved(read.value(), "h2")))).isEqualTo("TERM_ENDED");
        assertThat(codeOf(() -> writes.deleteVm(old, read))).isEqualTo("TERM_ENDED");
        assertThat(codeOf(() -> writes.openIntent(old, read, draft("a", "h2")))).isEqualTo("TERM_ENDED");
        IntentRecord intent = writes.openIntent(current, read, draft("a", "h2"));
        assertThat(codeOf(() -> writes.closeIntent(old, intent, read, read.value()))).isEqualTo("TERM_ENDED");
        assertThat(codeOf(() -> writes.dropIntent(old, writes.intent("a").orElseThrow()))).isEqualTo("TERM_ENDED");
        assertThat(writes.vms()).containsExactly(vm("a"));
        assertThat(writes.intent("a")).isPresent();
    }

    /// Claims a term as [Leadership] does, without an election, so that two processes can believe that they lead.
    private long claim(ZkConnection zk) {
        return zk.call(tree.term(),
                () -> zk.curator().setData().forPath(tree.term(), ZnodeJson.write(new LeaderRecord("c", "a", 1))))
                .getVersion();
    }

    private static VmRecord moved(VmRecord record, String to) {
        return new VmRecord(record.spec(), record.slot(), to, record.epoch() + 1, "", "");
    }

    // ---- intents and VM records

    @Test
    void aVmHasOneIntentAndEveryIntentAHigherSequenceNumber() {
        ZkConnection zk = connect();
        LeaderWrites writes = new LeaderWrites(zk);
        long term = claim(zk);
        writes.createVm(term, vm("a"));
        writes.createVm(term, vm("b"));
        assertThat(codeOf(() -> writes.createVm(term, moved(vm("a"), "h9")))).isEqualTo("VM_EXISTS");
        Versioned<VmRecord> a = writes.vm("a").orElseThrow();
        IntentRecord first = writes.openIntent(term, a, draft("a", "h2"));
        assertThat(first.term()).isEqualTo(term);
        assertThat(codeOf(() -> writes.openIntent(term, a, draft("a", "h3")))).isEqualTo("MIGRATION_IN_PROGRESS");
        IntentRecord second = writes.openIntent(term, writes.vm("b").orElseThrow(), draft("b", "h3"));
        assertThat(second.seq()).isGreaterThan(first.seq());
        writes.closeIntent(term, first, a, moved(a.value(), "h2"));
        assertThat(writes.intent("a")).isEmpty();
        assertThat(writes.vm("a").orElseThrow().value().host()).isEqualTo("h2");
        IntentRecord third = writes.openIntent(term, writes.vm("a").orElseThrow(), draft("a", "h1"));
        assertThat(third.seq()).isGreaterThan(second.seq());
        writes.closeIntent(term, first, a, a.value());
        assertThat(writes.intent("a").orElseThrow().value()).isEqualTo(third);
    }

    @Test
    void anIntentIsNotOpenedOnAnOutdatedRecord() {
        ZkConnection zk = connect();
        LeaderWrites writes = new LeaderWrites(zk);
        long term = claim(zk);
        writes.createVm(term, vm("a"));
        Versioned<VmRecord> outdated = writes.vm("a").orElseThrow();
        writes.updateVm(term, outdated, moved(outdated.value(), "h7"));
        assertThat(codeOf(() -> writes.openIntent(term, outdated, draft("a", "h2")))).isEqualTo("ZOOKEEPER_FAILED");
        assertThat(codeOf(() -> writes.updateVm(term, outdated, moved(outdated.value(), "h8"))))
                .isEqualTo("ZOOKEEPER_FAILED");
        assertThat(codeOf(() -> writes.deleteVm(term, outdated))).isEqualTo("ZOOKEEPER_FAILED");
        assertThat(writes.intent("a")).isEmpty();
        writes.deleteVm(term, writes.vm("a").orElseThrow());
        assertThat(writes.vms()).isEmpty();
    }
}

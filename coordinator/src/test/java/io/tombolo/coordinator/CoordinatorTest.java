package io.tombolo.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.coordinator.zk.ClusterRecord;
import io.tombolo.coordinator.zk.ClusterTree;
import io.tombolo.coordinator.zk.LeaderWrites;
import io.tombolo.coordinator.zk.VmRecord;
import io.tombolo.coordinator.zk.Versioned;
import io.tombolo.coordinator.zk.ZkConnection;
import io.tombolo.coordinator.zk.ZkPaths;
import io.tombolo.coordinator.zk.ZooKeeperServers;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The whole coordinator over real ZooKeeper, real sockets and a real region; only the agents have no hypervisor.
@Timeout(60)
class CoordinatorTest {
    private static final AtomicInteger CLUSTERS = new AtomicInteger();
    private static final long CALL_MS = 20_000;
    private static ZooKeeperServers servers;

    @TempDir
    private Path directory;

    private final UUID clusterUuid = UUID.randomUUID();
    private final String clusterName = "c" + CLUSTERS.incrementAndGet();
    private final List<AutoCloseable> open = new ArrayList<>();
    private Region region;
    private ZkConnection zk;
    private ScriptedAgent h1;
    private ScriptedAgent h2;

    @BeforeAll
    static void startServer() throws Exception {
        servers = new ZooKeeperServers(1);
    }

    @AfterAll
    static void stopServer() throws Exception {
        servers.close();
    }

    @BeforeEach
    void startAgents() {
        Path file = directory.resolve("region");
        Region.format(file, FormatOptions.of(clusterUuid, 4 << 20).withHostSlots(8).withVmSlots(4)
                .withMetadataSlotBytes(4096));
        region = closing(Region.open(file, OpenOptions.ofCluster(clusterUuid)));
        zk = closing(session());
        new ClusterTree(zk).join(new ClusterRecord(clusterUuid, clusterName, region.superblock().regionUuid()));
        h1 = agent("h1");
        h2 = agent("h2");
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable one : open.reversed()) {
            one.close();
        }
    }

    private <T extends AutoCloseable> T closing(T one) {
        open.add(one);
        return one;
    }

    private ZkConnection session() {
        return ZkConnection.open(servers.ensemble().connectString(), new ZkPaths("/tombolo/" + clusterName),
                ZooKeeperServers.SESSION_MS, 10_000);
    }

    private ScriptedAgent agent(String name) {
        ScriptedAgent agent = closing(new ScriptedAgent(name, region, clusterUuid, List.of("simulated")));
        agent.join(session());
        return agent;
    }

    private Coordinator coordinator(String id) {
        ZooKeeperConfig zookeeper = new ZooKeeperConfig(servers.ensemble().connectString(), "",
                ZooKeeperServers.SESSION_MS);
        return closing(Coordinator.start(new CoordinatorConfig(id, clusterName, clusterUuid, zookeeper,
                new RpcConfig("127.0.0.1", 0, ""), directory.resolve("region").toString(), new HandoffTimings(50),
                new PlacementConfig(2))));
    }

    private CoordinatorClient client() {
        return closing(CoordinatorClient.open(
                new ZooKeeperConfig(servers.ensemble().connectString(), "", ZooKeeperServers.SESSION_MS), clusterName,
                "test", 10_000));
    }

    private static VmSpec spec(String name) {
        return new VmSpec(name, UUID.randomUUID(), "simulated", 4096, 1, "dirty", 4096, "uniform", 1);
    }

    private static VmStatus create(CoordinatorClient client, String vm, String host) {
        return client.call(new CoordinatorRequest.VmCreate(spec(vm), host), Reply.VmReply.class, CALL_MS).vm();
    }

    private static Reply.Migrated migrate(CoordinatorClient client, String vm, String host) {
        return client.call(new CoordinatorRequest.VmMigrate(vm, host), Reply.Migrated.class, CALL_MS);
    }

    private static String codeOf(org.assertj.core.api.ThrowableAssert.ThrowingCallable action) {
        return Errors.codeOf(catchThrowable(action));
    }

    private long owner(int vmSlot) {
        return region.vm(vmSlot).ownerAcquire();
    }

    private VmRecord record(String vm) {
        return new LeaderWrites(zk).vm(vm).map(Versioned::value).orElseThrow();
    }

    private boolean intentOpen(String vm) {
        return new LeaderWrites(zk).intent(vm).isPresent();
    }

    // ---- what works

    @Test
    void createsMigratesPausesAndDestroysAVm() {
        coordinator("k1");
        CoordinatorClient client = client();
        VmStatus created = create(client, "a", "");
        assertThat(created.ownerHost()).isEqualTo("h1");
        assertThat(create(client, "b", "").ownerHost()).as("the host with fewer VMs").isEqualTo("h2");
        Reply.Migrated there = migrate(client, "a", "h2");
        HandoffReport report = there.report();
        assertThat(report.downtimeNs()).isEqualTo(10);
        assertThat(report.prepareNs()).isPositive();
        assertThat(report.commitNs()).isPositive();
        assertThat(there.vm().ownerHost()).isEqualTo("h2");
        assertThat(there.vm().epoch()).isEqualTo(created.epoch() + 1);
        assertThat(owner(created.slot())).isEqualTo(OwnerWord.pack(OwnerState.RUNNING, h2.slot(), 2));
        assertThat(intentOpen("a")).isFalse();
        assertThat(record("a").host()).isEqualTo("h2");
        assertThat(record("a").epoch()).isEqualTo(2);
        assertThat(h1.orders).containsSubsequence("SwitchOver", "FinishSource");
        for (int hop = 0; hop < 10; hop++) {
            migrate(client, "a", hop % 2 == 0 ? "h1" : "h2");
        }
        assertThat(client.call(new CoordinatorRequest.VmPause("a"), Reply.VmReply.class, CALL_MS).vm().ownerState())
                .isEqualTo("PAUSED");
        assertThat(codeOf(() -> migrate(client, "a", "h1"))).isEqualTo("VM_NOT_RUNNING");
        client.call(new CoordinatorRequest.VmResume("a"), Reply.VmReply.class, CALL_MS);
        assertThat(client.call(new CoordinatorRequest.VmShow("a"), Reply.VmReply.class, CALL_MS).vm().instructions())
                .containsExactly(123L);
        client.call(new CoordinatorRequest.VmDestroy("a"), Reply.Ack.class, CALL_MS);
        assertThat(OwnerWord.state(owner(created.slot()))).isEqualTo(OwnerState.FREE);
        assertThat(client.call(new CoordinatorRequest.VmList(), Reply.VmListReply.class, CALL_MS).vms())
                .extracting(vm -> vm.spec().name()).containsExactly("b");
        Reply.ClusterReply cluster = client.call(new CoordinatorRequest.ClusterStatus(), Reply.ClusterReply.class,
                CALL_MS);
        assertThat(cluster.cluster().leader()).isEqualTo("k1");
        assertThat(cluster.cluster().hosts()).extracting(host -> host.name()).containsExactly("h1", "h2");
    }

    // ---- what is refused

    @Test
    void refusesEveryBadRequestByNameAndChangesNothing() {
        coordinator("k1");
        CoordinatorClient client = client();
        ScriptedAgent h3 = agent("h3");
        ScriptedAgent qemuOnly = closing(new ScriptedAgent("h4", region, clusterUuid, List.of("qemu")));
        qemuOnly.join(session());
        VmStatus a = create(client, "a", "h1");
        create(client, "b", "h2");
        create(client, "c", "h2");
        h3.die();
        long before = owner(a.slot());
        assertThat(codeOf(() -> migrate(client, "x", "h2"))).isEqualTo("VM_UNKNOWN");
        assertThat(codeOf(() -> migrate(client, "a", "h9"))).isEqualTo("HOST_UNKNOWN");
        assertThat(codeOf(() -> migrate(client, "a", "h3"))).isEqualTo("HOST_DEAD");
        assertThat(codeOf(() -> migrate(client, "a", "h1"))).isEqualTo("VM_ALREADY_THERE");
        assertThat(codeOf(() -> migrate(client, "a", "h2"))).isEqualTo("HOST_FULL");
        assertThat(codeOf(() -> migrate(client, "a", "h4"))).isEqualTo("HOST_LACKS_DRIVER");
        assertThat(codeOf(() -> create(client, "a", ""))).isEqualTo("VM_EXISTS");
        assertThat(codeOf(() -> create(client, "A b", ""))).isEqualTo("VM_SPEC_INVALID");
        assertThat(codeOf(() -> create(client, "d", "h9"))).isEqualTo("HOST_UNKNOWN");
        assertThat(codeOf(() -> client.call(new CoordinatorRequest.VmDestroy("x"), Reply.Ack.class, CALL_MS)))
                .isEqualTo("VM_UNKNOWN");
        assertThat(codeOf(() -> client.call(new CoordinatorRequest.HostShow("x"), Reply.HostReply.class, CALL_MS)))
                .isEqualTo("HOST_UNKNOWN");
        assertThat(owner(a.slot())).isEqualTo(before);
        assertThat(intentOpen("a")).isFalse();
        create(client, "d", "h1");
        assertThat(codeOf(() -> create(client, "e", ""))).isEqualTo("NO_HOST_AVAILABLE");
        assertThat(h1.orders).doesNotContain("SwitchOver");
    }

    @Test
    void refusesASecondMigrationWhileOneRuns() {
        coordinator("k1");
        CoordinatorClient client = client();
        create(client, "a", "h1");
        h2.onPrepare = ScriptedAgent.OnPrepare.HANG;
        CompletableFuture<Reply.Migrated> first = CompletableFuture.supplyAsync(() -> migrate(client, "a", "h2"));
        Awaitility.await().until(() -> h2.orders.contains("PrepareTarget"));
        assertThat(codeOf(() -> migrate(client, "a", "h2"))).isEqualTo("MIGRATION_IN_PROGRESS");
        assertThat(codeOf(() -> client.call(new CoordinatorRequest.VmDestroy("a"), Reply.Ack.class, CALL_MS)))
                .isEqualTo("MIGRATION_IN_PROGRESS");
        assertThat(codeOf(first::join)).isEqualTo("MIGRATION_ABORTED");
        h2.onPrepare = ScriptedAgent.OnPrepare.ARM;
        assertThat(migrate(client, "a", "h2").vm().ownerHost()).isEqualTo("h2");
    }

    // ---- what fails

    @Test
    void anAbortLeavesTheVmAtItsSourceAndTheNextMigrationWorks() {
        coordinator("k1");
        CoordinatorClient client = client();
        VmStatus vm = create(client, "a", "h1");
        h2.onPrepare = ScriptedAgent.OnPrepare.REFUSE;
        assertThat(codeOf(() -> migrate(client, "a", "h2"))).isEqualTo("MIGRATION_ABORTED");
        assertThat(h1.orders).as("nobody ordered the source anything").doesNotContain("SwitchOver");
        h2.onPrepare = ScriptedAgent.OnPrepare.ARM;
        for (ScriptedAgent.OnSwitch how : List.of(ScriptedAgent.OnSwitch.REFUSE, ScriptedAgent.OnSwitch.HANG)) {
            h1.onSwitch = how;
            assertThat(codeOf(() -> migrate(client, "a", "h2"))).as(how.name()).isEqualTo("MIGRATION_ABORTED");
            assertThat(owner(vm.slot())).isEqualTo(OwnerWord.pack(OwnerState.RUNNING, h1.slot(), vm.epoch()));
            assertThat(intentOpen("a")).isFalse();
            assertThat(h1.orders).contains("CancelIntent");
            assertThat(h2.orders).contains("CancelIntent");
        }
        h1.onSwitch = ScriptedAgent.OnSwitch.TAKE_BACK;
        assertThat(codeOf(() -> migrate(client, "a", "h2"))).isEqualTo("MIGRATION_ABORTED");
        assertThat(record("a").epoch()).isEqualTo(vm.epoch() + 2);
        h1.onSwitch = ScriptedAgent.OnSwitch.HAND_OVER;
        assertThat(migrate(client, "a", "h2").vm().epoch()).isEqualTo(vm.epoch() + 3);
    }

    @Test
    void aSwitchWhoseAnswerIsLostIsFoundByTheOwnerWord() {
        coordinator("k1");
        CoordinatorClient client = client();
        create(client, "a", "h1");
        h1.onSwitch = ScriptedAgent.OnSwitch.HAND_OVER_AND_HANG;
        Reply.Migrated migrated = migrate(client, "a", "h2");
        assertThat(migrated.vm().ownerHost()).isEqualTo("h2");
        assertThat(intentOpen("a")).isFalse();
        assertThat(h1.orders).contains("FinishSource");
    }

    /// The abort is not final before the source has said so: the intent stays open, and the source decides.
    @Test
    void anAbortIsNotFinalBeforeTheSourceHasAnswered() {
        coordinator("k1");
        CoordinatorClient client = client();
        VmStatus vm = create(client, "a", "h1");
        h1.onSwitch = ScriptedAgent.OnSwitch.HANG;
        h1.cancelAnswers = false;
        assertThat(codeOf(() -> migrate(client, "a", "h2"))).isEqualTo("MIGRATION_UNDECIDED");
        assertThat(intentOpen("a")).isTrue();
        assertThat(codeOf(() -> migrate(client, "a", "h2"))).isEqualTo("MIGRATION_IN_PROGRESS");
        long running = owner(vm.slot());
        ScriptedAgent.cas(region.vm(vm.slot()), running, OwnerState.OFFERED, h2.slot(), vm.epoch() + 1);
        ScriptedAgent.cas(region.vm(vm.slot()), owner(vm.slot()), OwnerState.RUNNING, h2.slot(), vm.epoch() + 1);
        Awaitility.await().until(() -> !intentOpen("a"));
        assertThat(record("a").host()).isEqualTo("h2");
    }

    @Test
    void aDeadOwnersWordIsLeftAloneAndTheReasonIsInZooKeeper() {
        coordinator("k1");
        CoordinatorClient client = client();
        VmStatus vm = create(client, "a", "h1");
        long before = owner(vm.slot());
        h1.die();
        Awaitility.await().until(() -> record("a").reason().equals("OWNER_HOST_DEAD"));
        assertThat(owner(vm.slot())).isEqualTo(before);
        assertThat(codeOf(() -> migrate(client, "a", "h2"))).isEqualTo("OWNER_HOST_DEAD");
        assertThat(codeOf(() -> client.call(new CoordinatorRequest.VmDestroy("a"), Reply.Ack.class, CALL_MS)))
                .isEqualTo("OWNER_HOST_DEAD");
        assertThat(client.call(new CoordinatorRequest.VmShow("a"), Reply.VmReply.class, CALL_MS).vm().reason())
                .isEqualTo("OWNER_HOST_DEAD");
    }

    @Test
    void aSourceThatDiesDuringTheSwitchLeavesAReason() {
        coordinator("k1");
        CoordinatorClient client = client();
        VmStatus vm = create(client, "a", "h1");
        h1.onSwitch = ScriptedAgent.OnSwitch.HANG;
        CompletableFuture<Reply.Migrated> migration = CompletableFuture.supplyAsync(() -> migrate(client, "a", "h2"));
        Awaitility.await().until(() -> h1.orders.contains("SwitchOver"));
        h1.die();
        assertThat(codeOf(migration::join)).isEqualTo("OWNER_HOST_DEAD");
        assertThat(OwnerWord.epoch(owner(vm.slot()))).isEqualTo(vm.epoch());
        Awaitility.await().until(() -> record("a").reason().equals("OWNER_HOST_DEAD"));
        assertThat(intentOpen("a")).as("the source may only be slow, and then it decides").isTrue();
        Awaitility.await().until(() -> h2.orders.contains("CancelIntent"));
    }

    @Test
    void refusesAVmWhoseRegionIsBehindZooKeeper() {
        coordinator("k1");
        CoordinatorClient client = client();
        create(client, "a", "h1");
        LeaderWrites writes = new LeaderWrites(zk);
        Versioned<VmRecord> read = writes.vm("a").orElseThrow();
        writes.updateVm(writes.currentTerm(), read, new VmRecord(read.value().spec(), read.value().slot(), "h1", 99,
                "", ""));
        assertThat(codeOf(() -> migrate(client, "a", "h2"))).isEqualTo("REGION_BEHIND_ZOOKEEPER");
        Awaitility.await().until(() -> record("a").reason().equals("REGION_BEHIND_ZOOKEEPER"));
    }

    // ---- leaders

    @Test
    void theNextLeaderBringsAnOfferedHandoffToItsEnd() {
        Coordinator first = coordinator("k1");
        CoordinatorClient client = client();
        VmStatus vm = create(client, "a", "h1");
        coordinator("k2");
        h1.onSwitch = ScriptedAgent.OnSwitch.OFFER_AND_HANG;
        CompletableFuture<Reply.Migrated> migration = CompletableFuture.supplyAsync(() -> migrate(client, "a", "h2"));
        Awaitility.await().until(() -> h1.orders.contains("SwitchOver"));
        first.close();
        open.remove(first);
        assertThat(migration).failsWithin(10, TimeUnit.SECONDS);
        Awaitility.await().until(() -> client
                .call(new CoordinatorRequest.ClusterStatus(), Reply.ClusterReply.class, CALL_MS).cluster().leader()
                .equals("k2"));
        assertThat(intentOpen("a")).isTrue();
        ScriptedAgent.cas(region.vm(vm.slot()), owner(vm.slot()), OwnerState.RUNNING, h2.slot(), vm.epoch() + 1);
        Awaitility.await().until(() -> !intentOpen("a"));
        assertThat(record("a").host()).isEqualTo("h2");
        Awaitility.await().until(() -> h1.orders.contains("FinishSource"));
        assertThat(migrate(client, "a", "h1").vm().ownerHost()).isEqualTo("h1");
    }

    @Test
    void theNextLeaderAbortsAHandoffThatHasNotSwitched() {
        Coordinator first = coordinator("k1");
        CoordinatorClient client = client();
        VmStatus vm = create(client, "a", "h1");
        coordinator("k2");
        h1.onSwitch = ScriptedAgent.OnSwitch.HANG;
        CompletableFuture<Reply.Migrated> migration = CompletableFuture.supplyAsync(() -> migrate(client, "a", "h2"));
        Awaitility.await().until(() -> h1.orders.contains("SwitchOver"));
        first.close();
        open.remove(first);
        assertThat(migration).failsWithin(10, TimeUnit.SECONDS);
        Awaitility.await().until(() -> !intentOpen("a"));
        assertThat(owner(vm.slot())).isEqualTo(OwnerWord.pack(OwnerState.RUNNING, h1.slot(), vm.epoch()));
        assertThat(h1.orders).contains("CancelIntent");
        h1.onSwitch = ScriptedAgent.OnSwitch.HAND_OVER;
        assertThat(migrate(client, "a", "h2").vm().ownerHost()).isEqualTo("h2");
    }

    @Test
    void saysThatNobodyLeadsAndWhereTheClusterShouldBe() {
        CoordinatorClient client = client();
        assertThat(codeOf(() -> client.call(new CoordinatorRequest.VmList(), Reply.VmListReply.class, 300)))
                .isEqualTo("NO_LEADER");
        assertThat(codeOf(() -> CoordinatorClient.open(
                new ZooKeeperConfig(servers.ensemble().connectString(), "", ZooKeeperServers.SESSION_MS), "nobody",
                "test", 10_000))).isEqualTo("CLUSTER_ROOT_EMPTY");
        assertThat(codeOf(() -> CoordinatorClient.open(new ZooKeeperConfig("127.0.0.1:1", "", 1_000), "nobody", "test",
                300))).isEqualTo("ZOOKEEPER_UNREACHABLE");
    }
}

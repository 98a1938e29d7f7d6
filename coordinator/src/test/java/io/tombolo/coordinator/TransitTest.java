package io.tombolo.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.MigratePhase;
import io.tombolo.coordinator.wire.MoveReport;
import io.tombolo.coordinator.wire.PageStatus;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.coordinator.zk.ClusterRecord;
import io.tombolo.coordinator.zk.ClusterTree;
import io.tombolo.coordinator.zk.ZkConnection;
import io.tombolo.coordinator.zk.ZkPaths;
import io.tombolo.coordinator.zk.ZooKeeperServers;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Migrations of a VM with pages of its host's own, over real ZooKeeper, sockets and region; the agents have an array
/// of tiers where others have memory.
@Timeout(60)
class TransitTest {
    private static final long CALL_MS = 20_000;
    private static final int PAGES = 10;
    private static ZooKeeperServers servers;

    @TempDir
    private Path directory;

    private final UUID clusterUuid = UUID.randomUUID();
    private final String clusterName = "t" + System.nanoTime();
    private final List<AutoCloseable> open = new ArrayList<>();
    private final int[] pages = new int[PAGES];
    private Region region;
    private ScriptedAgent h1;
    private ScriptedAgent h2;
    private CoordinatorClient client;
    private VmStatus vm;

    @BeforeAll
    static void startServer() throws Exception {
        servers = new ZooKeeperServers(1);
    }

    @AfterAll
    static void stopServer() throws Exception {
        servers.close();
    }

    @BeforeEach
    void startCluster() {
        Path file = directory.resolve("region");
        Region.format(file, FormatOptions.of(clusterUuid, 4 << 20).withHostSlots(8).withVmSlots(4)
                .withMetadataSlotBytes(4096));
        region = closing(Region.open(file, OpenOptions.ofCluster(clusterUuid)));
        new ClusterTree(closing(session()))
                .join(new ClusterRecord(clusterUuid, clusterName, region.superblock().regionUuid()));
        h1 = agent("h1");
        h2 = agent("h2");
        ZooKeeperConfig zookeeper = new ZooKeeperConfig(servers.ensemble().connectString(), "",
                ZooKeeperServers.SESSION_MS);
        closing(Coordinator.start(new CoordinatorConfig("k1", clusterName, clusterUuid, zookeeper,
                new RpcConfig("127.0.0.1", 0, ""), file.toString(), new HandoffTimings(50))));
        client = closing(CoordinatorClient.open(zookeeper, clusterName, "test", 10_000));
        vm = client.call(new CoordinatorRequest.VmCreate(new VmSpec("v", UUID.randomUUID(), "simulated",
                PAGES * 4096L, 1, "dirty", 4096, "uniform", 1).withTier("local"), "h1"), Reply.VmReply.class, CALL_MS)
                .vm();
    }

    @AfterEach
    void closeAll() throws Exception {
        h1.moveGate.complete(null);
        h2.moveGate.complete(null);
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
        ScriptedAgent agent = closing(new ScriptedAgent(name, region, clusterUuid, List.of("simulated", "qemu")));
        agent.vmPages = pages;
        agent.join(session());
        return agent;
    }

    private void makeLocal(int first, int count) {
        Arrays.fill(pages, first, first + count, PageStatus.LOCAL);
    }

    private Reply.Migrated migrate(MigrateMode mode) {
        return client.call(new CoordinatorRequest.VmMigrate("v", "h2", mode, 0), Reply.Migrated.class, CALL_MS);
    }

    private CompletableFuture<Reply.Migrated> migrateLater() {
        return CompletableFuture.supplyAsync(() -> migrate(MigrateMode.TRANSIT));
    }

    private Reply.MigrateProgress progress() {
        return client.call(new CoordinatorRequest.VmMigrateProgress("v"), Reply.MigrateProgress.class, CALL_MS);
    }

    private Reply.MigrateCancelled cancel() {
        return client.call(new CoordinatorRequest.VmMigrateCancel("v"), Reply.MigrateCancelled.class, CALL_MS);
    }

    private static String codeOf(ThrowingCallable action) {
        Throwable failure = catchThrowable(action);
        return failure == null ? "" : Errors.codeOf(failure);
    }

    private static TomboloException failureOf(CompletableFuture<Reply.Migrated> migration) {
        try {
            throw new AssertionError("migrated: " + migration.join());
        } catch (CompletionException e) {
            return (TomboloException) Errors.unwrap(e);
        }
    }

    @Test
    void transitBringsLocalPagesToTheNewHostAndNoOther() {
        makeLocal(2, 3);
        makeLocal(8, 1);
        int[] before = pages.clone();
        h1.pagesPerCall = 2;
        h2.pagesPerCall = 2;
        Reply.Migrated done = migrate(MigrateMode.TRANSIT);
        assertThat(done.vm().ownerHost()).isEqualTo("h2");
        assertThat(done.report().downtimeNs()).isEqualTo(10);
        MoveReport move = done.move();
        assertThat(move.pagesToShared()).isEqualTo(4);
        assertThat(move.pagesToLocal()).isEqualTo(4);
        assertThat(move.bytesMoved()).isEqualTo(8 * 4096);
        assertThat(move.totalNs()).isGreaterThan(move.toSharedNs() + move.toLocalNs());
        assertThat(pages).isEqualTo(before);
        assertThat(h1.orders).containsSubsequence("ListPins", "MovePages", "SwitchOver");
        assertThat(codeOf(this::progress)).isEqualTo("MIGRATION_NOT_RUNNING");
        assertThat(codeOf(this::cancel)).isEqualTo("MIGRATION_NOT_RUNNING");
    }

    @Test
    void transitOfAVmThatCanHaveNoLocalPagesIsAHandOff() {
        client.call(new CoordinatorRequest.VmCreate(
                new VmSpec("q", UUID.randomUUID(), "qemu", 4096, 1, "linux", 4096, "uniform", 1), "h1"),
                Reply.VmReply.class, CALL_MS);
        Reply.Migrated done = client.call(new CoordinatorRequest.VmMigrate("q", "h2", MigrateMode.TRANSIT, 0),
                Reply.Migrated.class, CALL_MS);
        assertThat(done.vm().ownerHost()).isEqualTo("h2");
        assertThat(done.move()).isEqualTo(MoveReport.handoff());
        assertThat(h1.orders).doesNotContain("MovePages", "ListPins");
    }

    @Test
    void everyRefusalOfThePreflightMovesNothing() {
        makeLocal(0, 4);
        int[] before = pages.clone();
        h2.localBytes = 0;
        assertThat(codeOf(() -> migrate(MigrateMode.TRANSIT))).isEqualTo("MIGRATE_NO_TIER");
        assertThat(codeOf(() -> migrate(MigrateMode.COPY))).isEqualTo("MIGRATE_NO_TIER");
        h2.localBytes = 3 * 4096;
        assertThat(codeOf(() -> migrate(MigrateMode.TRANSIT))).isEqualTo("MIGRATE_NO_ROOM");
        assertThat(codeOf(() -> migrate(MigrateMode.COPY))).isEqualTo("MIGRATE_NO_ROOM");
        h2.localBytes = 1 << 20;
        h1.pins.add(new Reply.PinnedRange(3, 2, 1));
        assertThat(codeOf(() -> migrate(MigrateMode.TRANSIT))).isEqualTo("MIGRATE_PAGES_PINNED");
        region.vm(vm.slot()).addLocalPages(4);
        assertThat(codeOf(() -> migrate(MigrateMode.HANDOFF))).isEqualTo("VM_HAS_LOCAL_PAGES");
        assertThat(client.call(new CoordinatorRequest.VmShow("v"), Reply.VmReply.class, CALL_MS).vm().localPages())
                .isEqualTo(4);
        region.vm(vm.slot()).addLocalPages(-4);
        assertThat(pages).isEqualTo(before);
        assertThat(h1.orders).doesNotContain("SwitchOver");
        h1.pins.clear();
        assertThat(migrate(MigrateMode.TRANSIT).vm().ownerHost()).isEqualTo("h2");
    }

    @Test
    void anotherMigrationAPauseAndADestroyAreRefusedWhilePagesMove() {
        makeLocal(0, 4);
        h1.moveGate = new CompletableFuture<>();
        CompletableFuture<Reply.Migrated> migration = migrateLater();
        Awaitility.await().until(() -> codeOf(this::progress).isEmpty()
                && progress().phase() == MigratePhase.TO_SHARED);
        assertThat(progress().pagesTotal()).isEqualTo(4);
        assertThat(codeOf(() -> migrate(MigrateMode.TRANSIT))).isEqualTo("MIGRATION_IN_PROGRESS");
        assertThat(codeOf(() -> migrate(MigrateMode.HANDOFF))).isEqualTo("MIGRATION_IN_PROGRESS");
        assertThat(codeOf(() -> client.call(new CoordinatorRequest.VmPause("v"), Reply.VmReply.class, CALL_MS)))
                .isEqualTo("MIGRATION_IN_PROGRESS");
        assertThat(codeOf(() -> client.call(new CoordinatorRequest.VmDestroy("v"), Reply.Ack.class, CALL_MS)))
                .isEqualTo("MIGRATION_IN_PROGRESS");
        h1.moveGate.complete(null);
        assertThat(migration.join().vm().ownerHost()).isEqualTo("h2");
    }

    @Test
    void aCancelWhilePagesLeaveLeavesTheVmWhereItIs() {
        makeLocal(0, 4);
        h1.pagesPerCall = 2;
        h1.moveGate = new CompletableFuture<>();
        CompletableFuture<Reply.Migrated> migration = migrateLater();
        Awaitility.await().until(() -> h1.orders.stream().filter("MovePages"::equals).count() >= 6);
        CompletableFuture<Reply.MigrateCancelled> answer = CompletableFuture.supplyAsync(this::cancel);
        Awaitility.await().until(() -> codeOf(this::progress).isEmpty());
        h1.moveGate.complete(null);
        assertThat(answer.join().cancelled()).isTrue();
        assertThat(answer.join().phase()).isEqualTo(MigratePhase.TO_SHARED);
        assertThat(answer.join().vm().ownerHost()).isEqualTo("h1");
        assertThat(failureOf(migration).code().name()).isEqualTo("MIGRATION_CANCELLED");
        assertThat(h1.orders).doesNotContain("SwitchOver");
        assertThat(migrate(MigrateMode.TRANSIT).vm().ownerHost()).as("nothing is in its way").isEqualTo("h2");
    }

    @Test
    void aCancelWhilePagesArriveLeavesTheVmThere() {
        makeLocal(0, 4);
        h2.pagesPerCall = 2;
        h2.moveGate = new CompletableFuture<>();
        CompletableFuture<Reply.Migrated> migration = migrateLater();
        Awaitility.await().until(() -> h2.orders.contains("MovePages"));
        CompletableFuture<Reply.MigrateCancelled> answer = CompletableFuture.supplyAsync(this::cancel);
        Awaitility.await().until(() -> !answer.isDone() && progress().phase() == MigratePhase.TO_LOCAL);
        h2.moveGate.complete(null);
        assertThat(answer.join().vm().ownerHost()).isEqualTo("h2");
        TomboloException told = catchThrowable(migration::join) == null ? null : failureOf(migration);
        assertThat(answer.join().cancelled()).isEqualTo(told != null);
        if (told != null) {
            assertThat(told.facts()).containsEntry("host", "h2");
        }
    }

    @Test
    void aCancelWhileTheTargetPreparesGivesTheHandOffUp() {
        h2.onPrepare = ScriptedAgent.OnPrepare.HANG;
        CompletableFuture<Reply.Migrated> migration = CompletableFuture
                .supplyAsync(() -> migrate(MigrateMode.HANDOFF));
        Awaitility.await().until(() -> h2.orders.contains("PrepareTarget"));
        Reply.MigrateCancelled answer = cancel();
        assertThat(answer.cancelled()).isTrue();
        assertThat(answer.vm().ownerHost()).isEqualTo("h1");
        assertThat(failureOf(migration).code().name()).isEqualTo("MIGRATION_CANCELLED");
        h2.onPrepare = ScriptedAgent.OnPrepare.ARM;
        assertThat(migrate(MigrateMode.HANDOFF).vm().ownerHost()).isEqualTo("h2");
    }

    @Test
    void pagesThatStayBusyEndItByNameAndWhatMovedStays() {
        makeLocal(0, 4);
        h1.refusedPages.add(2);
        TomboloException busy = (TomboloException) catchThrowable(() -> migrate(MigrateMode.TRANSIT));
        assertThat(busy.code().name()).isEqualTo("MIGRATE_PAGES_STUCK");
        assertThat(busy.facts()).containsEntry("page", "2").containsEntry("moved", "3").containsEntry("left", "1");
        h1.refusal = PageStatus.ENOMEM;
        TomboloException full = (TomboloException) catchThrowable(() -> migrate(MigrateMode.TRANSIT));
        assertThat(full.code().name()).isEqualTo("MIGRATE_NO_ROOM");
        assertThat(Arrays.stream(pages).sum()).as("what moved stays shared").isEqualTo(1);
        h1.refusedPages.clear();
        assertThat(migrate(MigrateMode.TRANSIT).move().pagesToShared()).isEqualTo(1);
    }
}

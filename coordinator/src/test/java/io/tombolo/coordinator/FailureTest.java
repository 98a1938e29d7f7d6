package io.tombolo.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TakeoverReport;
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
import io.tombolo.region.HostSlots;
import io.tombolo.region.HostState;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.SlotWord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Hosts that fail, over real ZooKeeper, real sockets and a real region; only the agents have no hypervisor.
@Timeout(60)
class FailureTest {
    private static final AtomicInteger CLUSTERS = new AtomicInteger();
    private static final long CALL_MS = 20_000;
    private static ZooKeeperServers servers;

    @TempDir
    private Path directory;

    private final UUID clusterUuid = UUID.randomUUID();
    private final String clusterName = "f" + CLUSTERS.incrementAndGet();
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
        Region.format(file, FormatOptions.of(clusterUuid, 4 << 20).withHostSlots(8).withVmSlots(6)
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

    private Coordinator coordinator(String id, Map<String, List<FenceAgentConfig>> fencing) {
        ZooKeeperConfig zookeeper = new ZooKeeperConfig(servers.ensemble().connectString(), "",
                ZooKeeperServers.SESSION_MS);
        return closing(Coordinator.start(new CoordinatorConfig(id, clusterName, clusterUuid, zookeeper,
                new RpcConfig("127.0.0.1", 0, ""), directory.resolve("region").toString(), new HandoffTimings(50),
                new PlacementConfig(4), fencing)));
    }

    private CoordinatorClient client() {
        return closing(CoordinatorClient.open(
                new ZooKeeperConfig(servers.ensemble().connectString(), "", ZooKeeperServers.SESSION_MS), clusterName,
                "test", 10_000));
    }

    private static VmSpec spec(String name) {
        return new VmSpec(name, UUID.randomUUID(), "simulated", 4096, 1, "dirty", 4096, "uniform", 1);
    }

    private static VmStatus create(CoordinatorClient client, VmSpec spec, String host) {
        return client.call(new CoordinatorRequest.VmCreate(spec, host), Reply.VmReply.class, CALL_MS).vm();
    }

    private static String codeOf(org.assertj.core.api.ThrowableAssert.ThrowingCallable action) {
        return Errors.codeOf(catchThrowable(action));
    }

    /// A busy machine loses sessions, and with them leaders.
    private static ConditionFactory patiently() {
        return Awaitility.await().atMost(30, TimeUnit.SECONDS).ignoreExceptions();
    }

    private OwnerState state(int vmSlot) {
        return OwnerWord.state(region.vm(vmSlot).ownerAcquire());
    }

    private boolean runsAt(int vmSlot, ScriptedAgent host) {
        long word = region.vm(vmSlot).ownerAcquire();
        return OwnerWord.is(word, OwnerState.RUNNING) && OwnerWord.slot(word) == host.slot();
    }

    private HostState hostState(ScriptedAgent host) {
        return SlotWord.state(region.host(host.slot()).wordAcquire());
    }

    private VmRecord record(String vm) {
        return new LeaderWrites(zk).vm(vm).map(Versioned::value).orElseThrow();
    }

    private void confirm(ScriptedAgent host) {
        HostSlots.fence(region, host.slot(), host.incarnation());
        HostSlots.confirmStopped(region, host.slot(), host.incarnation());
    }

    private static List<TakeoverReport> takeovers(CoordinatorClient client) {
        return client.call(new CoordinatorRequest.Takeovers(), Reply.TakeoverList.class, CALL_MS).takeovers();
    }

    private static Reply.HostReply fence(CoordinatorClient client, String host, String typed) {
        return client.call(new CoordinatorRequest.HostFence(host, typed), Reply.HostReply.class, CALL_MS);
    }

    // ---- takeover

    @Test
    void aDeadHostsProtectedVmsAreTakenOverWhenItIsConfirmedStopped() {
        coordinator("k1", Map.of());
        CoordinatorClient client = client();
        int a = create(client, spec("a").withProtection(5_000), "h1").slot();
        int b = create(client, spec("b").withProtection(5_000), "h1").slot();
        h1.die();
        patiently().until(() -> hostState(h1) == HostState.FENCING);
        patiently().until(() -> takeovers(client).size() == 2 && takeovers(client).stream()
                .allMatch(report -> report.reason().equals("TAKEOVER_WAITS_FOR_CONFIRMATION")));
        TakeoverReport waiting = takeovers(client).getFirst();
        assertThat(waiting.fromHost()).isEqualTo("h1");
        assertThat(waiting.toHost()).isEqualTo("h2");
        assertThat(waiting.inDoubt()).containsExactly("h1#" + h1.incarnation());
        assertThat(waiting.text()).contains("host fence");
        assertThat(state(a)).isEqualTo(OwnerState.RECOVERING);

        confirm(h1);
        patiently().until(() -> runsAt(a, h2) && runsAt(b, h2));
        patiently().until(() -> record("a").host().equals("h2") && record("a").reason().isEmpty());
        patiently().until(() -> takeovers(client).stream().allMatch(one -> one.phase().equals("RUNNING")));
        assertThat(takeovers(client)).allMatch(one -> one.fencedNs() >= one.suspectedNs() && one.epoch() == 2);
    }

    @Test
    void aHostWithUnprotectedVmsIsNotFencedAndWhatCannotGoOnIsLostWithAReason() {
        coordinator("k1", Map.of());
        CoordinatorClient client = client();
        int a = create(client, spec("a"), "h1").slot();
        h1.die();
        patiently().until(() -> record("a").reason().equals("OWNER_HOST_DEAD"));
        assertThat(hostState(h1)).isEqualTo(HostState.LIVE);
        assertThat(state(a)).isEqualTo(OwnerState.RUNNING);

        confirm(h1);
        patiently().until(() -> record("a").reason().equals("VM_LOST_NOT_PROTECTED"));
        assertThat(state(a)).isEqualTo(OwnerState.LOST);
        assertThat(record("a").reasonText()).contains("tombolo vm destroy a");
        client.call(new CoordinatorRequest.VmDestroy("a"), Reply.Ack.class, CALL_MS);
        assertThat(state(a)).isEqualTo(OwnerState.FREE);
    }

    @Test
    void aVmWithThePolicyRestartIsBootedAgain() {
        coordinator("k1", Map.of());
        CoordinatorClient client = client();
        int a = create(client, spec("a").withOnHostFailure("restart"), "h1").slot();
        h1.die();
        patiently().until(() -> hostState(h1) == HostState.FENCING);
        confirm(h1);
        patiently().until(() -> runsAt(a, h2) && h2.orders.contains("RestartVm"));
        patiently().until(() -> record("a").host().equals("h2") && record("a").reason().isEmpty());
    }

    @Test
    void anotherHostGoesOnWhenTheNewOwnerDiesToo() {
        coordinator("k1", Map.of());
        CoordinatorClient client = client();
        int a = create(client, spec("a").withProtection(5_000), "h1").slot();
        h1.die();
        patiently().until(() -> state(a) == OwnerState.RECOVERING);
        ScriptedAgent h3 = agent("h3");
        h2.die();
        patiently().until(() -> OwnerWord.slot(region.vm(a).ownerAcquire()) == h3.slot());
        confirm(h2);
        patiently().until(() -> takeovers(client).getLast().inDoubt().size() == 1);
        assertThat(state(a)).isEqualTo(OwnerState.RECOVERING);
        confirm(h1);
        patiently().until(() -> runsAt(a, h3));
    }

    @Test
    void aHostThatRefusesIsPassedOver() {
        coordinator("k1", Map.of());
        CoordinatorClient client = client();
        agent("h3").refusesTakeovers = true;
        int a = create(client, spec("a").withProtection(5_000), "h1").slot();
        create(client, spec("b"), "h2");
        h1.die();
        confirm(h1);
        patiently().until(() -> OwnerWord.is(region.vm(a).ownerAcquire(), OwnerState.RUNNING)
                && OwnerWord.slot(region.vm(a).ownerAcquire()) != h1.slot());
    }

    @Test
    void theNextLeaderGoesOnWithATakeoverThatWaits() {
        Coordinator first = coordinator("k1", Map.of());
        CoordinatorClient client = client();
        int a = create(client, spec("a").withProtection(5_000), "h1").slot();
        coordinator("k2", Map.of());
        h1.die();
        patiently().until(() -> state(a) == OwnerState.RECOVERING);
        first.close();
        open.remove(first);
        confirm(h1);
        patiently().until(() -> runsAt(a, h2));
    }

    @Test
    void aNewLeaderDoesNotFenceHostsThatHaveNotComeBackYet() {
        Coordinator first = coordinator("k1", Map.of());
        CoordinatorClient client = client();
        create(client, spec("a").withProtection(5_000), "h1");
        first.close();
        open.remove(first);
        h1.die();
        long started = System.nanoTime();
        coordinator("k2", Map.of());
        patiently().pollInterval(5, TimeUnit.MILLISECONDS).until(() -> hostState(h1) == HostState.FENCING);
        assertThat(System.nanoTime() - started)
                .isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(ZooKeeperServers.SESSION_MS));
    }

    // ---- by hand

    @Test
    void takesAVmOverByHandOnlyFromAHostThatIsGone() {
        coordinator("k1", Map.of());
        CoordinatorClient client = client();
        int a = create(client, spec("a"), "h1").slot();
        assertThat(codeOf(() -> takeOver(client, "a", "", ""))).isEqualTo("TAKEOVER_OWNER_ALIVE");
        assertThat(codeOf(() -> takeOver(client, "a", "", "h1"))).isEqualTo("TAKEOVER_OWNER_ALIVE");
        assertThat(codeOf(() -> takeOver(client, "x", "", ""))).isEqualTo("VM_UNKNOWN");
        h1.die();
        assertThat(codeOf(() -> takeOver(client, "a", "", "h2"))).isEqualTo("TAKEOVER_NAME_MISMATCH");
        assertThat(codeOf(() -> takeOver(client, "a", "h9", ""))).isEqualTo("HOST_UNKNOWN");
        assertThat(hostState(h1)).isEqualTo(HostState.LIVE);

        TakeoverReport waits = takeOver(client, "a", "", "").report();
        assertThat(waits.phase()).isEqualTo("WAITING");
        assertThat(waits.reason()).isEqualTo("TAKEOVER_WAITS_FOR_CONFIRMATION");
        assertThat(hostState(h1)).isEqualTo(HostState.FENCING);

        Reply.TakenOver done = takeOver(client, "a", "", "h1");
        assertThat(done.report().phase()).isEqualTo("LOST");
        assertThat(done.vm().ownerState()).isEqualTo("LOST");
        assertThat(h2.evidence).containsExactly("operator");
        assertThat(state(a)).isEqualTo(OwnerState.LOST);
        assertThat(codeOf(() -> takeOver(client, "a", "", ""))).isEqualTo("VM_NOT_RUNNING");
    }

    private static Reply.TakenOver takeOver(CoordinatorClient client, String vm, String to, String typed) {
        return client.call(new CoordinatorRequest.VmTakeover(vm, to, typed), Reply.TakenOver.class, CALL_MS);
    }

    @Test
    void fencesAHostWhenAskedAndBelievesAPersonOnlyWithItsName() {
        coordinator("k1", Map.of());
        CoordinatorClient client = client();
        int a = create(client, spec("a").withProtection(5_000), "h1").slot();
        assertThat(codeOf(() -> fence(client, "h9", ""))).isEqualTo("HOST_UNKNOWN");
        assertThat(codeOf(() -> fence(client, "h1", "h2"))).isEqualTo("TAKEOVER_NAME_MISMATCH");
        assertThat(codeOf(() -> fence(client, "h1", "h1"))).isEqualTo("TAKEOVER_OWNER_ALIVE");
        assertThat(hostState(h1)).isEqualTo(HostState.LIVE);
        fence(client, "h1", "");
        assertThat(hostState(h1)).isEqualTo(HostState.FENCING);
        patiently().until(() -> state(a) == OwnerState.RECOVERING);
        h1.die();
        fence(client, "h1", "h1");
        assertThat(hostState(h1)).isEqualTo(HostState.CONFIRMED);
        assertThat(h2.evidence).containsExactly("operator");
        patiently().until(() -> runsAt(a, h2));
    }

    @Test
    void drainsAHostAndPlacesNothingThereUntilItIsUndrained() {
        coordinator("k1", Map.of());
        CoordinatorClient client = client();
        int a = create(client, spec("a"), "h1").slot();
        create(client, spec("b"), "h1");
        client.call(new CoordinatorRequest.VmPause("b"), Reply.VmReply.class, CALL_MS);
        Reply.Drained drained = client.call(new CoordinatorRequest.HostDrain("h1", true), Reply.Drained.class, CALL_MS);
        assertThat(drained.vms()).extracting(Reply.DrainedVm::vm, Reply.DrainedVm::outcome).containsExactly(
                org.assertj.core.groups.Tuple.tuple("a", "MOVED"),
                org.assertj.core.groups.Tuple.tuple("b", "VM_NOT_RUNNING"));
        assertThat(runsAt(a, h2)).isTrue();
        assertThat(create(client, spec("c"), "").ownerHost()).isEqualTo("h2");
        assertThat(codeOf(() -> create(client, spec("d"), "h1"))).isEqualTo("HOST_DRAINED");
        assertThat(
                codeOf(() -> client.call(new CoordinatorRequest.VmMigrate("a", "h1"), Reply.Migrated.class, CALL_MS)))
                .isEqualTo("HOST_DRAINED");
        client.call(new CoordinatorRequest.HostDrain("h1", false), Reply.Drained.class, CALL_MS);
        assertThat(create(client, spec("d"), "h1").ownerHost()).isEqualTo("h1");
        assertThat(
                codeOf(() -> client.call(new CoordinatorRequest.HostDrain("h9", true), Reply.Drained.class, CALL_MS)))
                .isEqualTo("HOST_UNKNOWN");
    }

    @Test
    void removesAHostThatHasStoppedAndOwnsNothing() {
        coordinator("k1", Map.of());
        CoordinatorClient client = client();
        create(client, spec("a"), "h1");
        assertThat(codeOf(() -> remove(client, "h9"))).isEqualTo("HOST_UNKNOWN");
        assertThat(codeOf(() -> remove(client, "h1"))).isEqualTo("HOST_NOT_STOPPED");
        h1.die();
        assertThat(codeOf(() -> remove(client, "h1"))).isEqualTo("HOST_NOT_STOPPED");
        confirm(h1);
        patiently().until(() -> record("a").reason().equals("VM_LOST_NOT_PROTECTED"));
        remove(client, "h1");
        assertThat(hostState(h1)).isEqualTo(HostState.FREE);
        assertThat(codeOf(() -> remove(client, "h1"))).isEqualTo("HOST_UNKNOWN");
    }

    private static void remove(CoordinatorClient client, String host) {
        client.call(new CoordinatorRequest.HostRemove(host), Reply.Ack.class, CALL_MS);
    }

    @Test
    void protectsAVmAndRefusesToMoveItsPages() {
        coordinator("k1", Map.of());
        CoordinatorClient client = client();
        create(client, spec("a"), "h1");
        assertThat(codeOf(() -> client.call(new CoordinatorRequest.VmProtect("a", 1), Reply.VmReply.class, CALL_MS)))
                .isEqualTo("VM_SPEC_INVALID");
        client.call(new CoordinatorRequest.VmProtect("a", 5_000), Reply.VmReply.class, CALL_MS);
        assertThat(record("a").spec().checkpointUs()).isEqualTo(5_000);
        for (io.tombolo.coordinator.wire.MigrateMode mode : List.of(io.tombolo.coordinator.wire.MigrateMode.TRANSIT,
                io.tombolo.coordinator.wire.MigrateMode.COPY)) {
            assertThat(codeOf(() -> client.call(new CoordinatorRequest.VmMigrate("a", "h2", mode, 0),
                    Reply.Migrated.class, CALL_MS))).isEqualTo("VM_PROTECTED");
        }
    }

    // ---- fence agents

    /// A shell script that writes down how it was called.
    private FenceAgentConfig script(String name, String body, boolean trusted, int timeoutMs) throws IOException {
        Path file = directory.resolve(name);
        Files.writeString(file, "#!/bin/sh\noptions=$(cat)\necho \"$options\" | tr '\\n' ' ' >> " + file
                + ".log\necho >> " + file + ".log\n" + body + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
        return new FenceAgentConfig(file.toString(), Map.of("plug", "h1"), trusted, timeoutMs);
    }

    @Test
    void aTrustedFenceAgentConfirmsWhenItsStatusSaysOffAndBrokenOnesArePassedOver() throws IOException {
        FenceAgentConfig missing = new FenceAgentConfig("/nowhere/fence_missing", Map.of(), true, 1_000);
        FenceAgentConfig hangs = script("fence_hangs", "sleep 600", true, 300);
        FenceAgentConfig fails = script("fence_fails", "echo no such plug; exit 1", true, 5_000);
        FenceAgentConfig lies = script("fence_lies", "exit 0", true, 5_000);
        FenceAgentConfig works = script("fence_works", "case \"$options\" in *action=status*) exit 2;; esac; exit 0",
                true, 5_000);
        coordinator("k1", Map.of("h1", List.of(missing, hangs, fails, lies, works)));
        CoordinatorClient client = client();
        int a = create(client, spec("a").withProtection(5_000), "h1").slot();
        h1.die();
        patiently().until(() -> runsAt(a, h2));
        assertThat(h2.evidence).containsExactly("fence-agent:fence_works");
        assertThat(Files.readAllLines(directory.resolve("fence_works.log")).stream().map(String::strip).toList())
                .containsExactly("plug=h1 action=off", "plug=h1 action=status");
        assertThat(Files.readString(directory.resolve("fence_hangs.log"))).doesNotContain("reboot", "action=on ");
    }

    @Test
    void theAnswerOfAnUntrustedFenceAgentIsNoEvidenceForAHostWithoutABound() throws IOException {
        coordinator("k1", Map.of("h1", List.of(script("fence_says_off", "exit 0", false, 5_000))));
        CoordinatorClient client = client();
        int a = create(client, spec("a").withProtection(5_000), "h1").slot();
        h1.die();
        patiently().until(() -> Files.exists(directory.resolve("fence_says_off.log"))
                && state(a) == OwnerState.RECOVERING);
        patiently().until(() -> takeovers(client).stream()
                .anyMatch(one -> one.reason().equals("TAKEOVER_WAITS_FOR_CONFIRMATION")));
        assertThat(hostState(h1)).isEqualTo(HostState.FENCING);
        assertThat(h2.evidence).isEmpty();
        confirm(h1);
        patiently().until(() -> runsAt(a, h2));
    }

    // ---- ZooKeeper behind the region

    @Test
    void aWipedZooKeeperIsRefusedUntilItIsReconciledWithTheRegion() {
        Coordinator first = coordinator("k1", Map.of());
        CoordinatorClient before = client();
        VmSpec spec = spec("a");
        create(before, spec, "h1");
        int b = create(before, spec("b"), "h1").slot();
        first.close();
        open.remove(first);
        LeaderWrites writes = new LeaderWrites(zk);
        Versioned<VmRecord> lost = writes.vm("a").orElseThrow();
        writes.deleteVm(writes.currentTerm(), lost);
        Versioned<VmRecord> newer = writes.vm("b").orElseThrow();
        writes.updateVm(writes.currentTerm(), newer, new VmRecord(newer.value().spec(), b, "h1", 99, "", ""));
        coordinator("k2", Map.of());
        CoordinatorClient client = client();
        assertThat(codeOf(() -> create(client, spec("c"), ""))).isIn("REGION_AHEAD_OF_ZOOKEEPER",
                "REGION_BEHIND_ZOOKEEPER");
        assertThat(codeOf(() -> client.call(new CoordinatorRequest.VmPause("b"), Reply.VmReply.class, CALL_MS)))
                .isIn("REGION_AHEAD_OF_ZOOKEEPER", "REGION_BEHIND_ZOOKEEPER");
        Reply.Reconciled reconciled = client.call(new CoordinatorRequest.Reconcile(), Reply.Reconciled.class, CALL_MS);
        assertThat(reconciled.written()).containsExactlyInAnyOrder("a", "b");
        assertThat(reconciled.unknown()).isEmpty();
        assertThat(record("a")).isEqualTo(lost.value());
        assertThat(create(client, spec("c"), "h2").ownerHost()).isEqualTo("h2");
    }
}

package io.tombolo.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tombolo.coordinator.wire.ClusterInfo;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.HandoffOutcome;
import io.tombolo.coordinator.wire.HandoffReport;
import io.tombolo.coordinator.wire.HostStatus;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.MigratePhase;
import io.tombolo.coordinator.wire.MoveReport;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import io.tombolo.deploy.cluster.ClusterSpec;
import io.tombolo.deploy.drill.ContextSwitchBenchmark;
import io.tombolo.deploy.drill.Drill;
import io.tombolo.deploy.drill.DrillCluster;
import io.tombolo.deploy.drill.DrillPlan;
import io.tombolo.deploy.drill.DrillProgress;
import io.tombolo.deploy.drill.FakeCluster;
import io.tombolo.deploy.drill.GuestVerifier;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

final class TomboloTest {
    /// They run until they are stopped and print nothing, or only describe others.
    private static final Set<String> PRINT_NOTHING = Set.of("agent", "coordinator", "supervisor", "fence-local",
            "help");

    @TempDir
    Path directory;

    private FakeServices services;
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void fakeServices() {
        services = new FakeServices(directory.resolve("state"));
    }

    @Test
    void helpAndVersionEndWithZero() {
        assertThat(run("--help")).isZero();
        assertThat(run("--version")).isZero();
        assertThat(run("version")).isZero();
        assertThat(out.toString()).contains("Usage: tombolo").contains("drill").doesNotContain("supervisor")
                .contains("zookeeper");
        assertThat(err.toString()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "frobnicate", "vm", "vm frobnicate", "vm migrate", "vm migrate v --to",
            "drill --hops x",
            "vm migrate v", "vm migrate v --to h2 --cancel",
            "drill --unknown", "region format", "agent", "host show"})
    void aCommandLineThatCannotBeUnderstoodEndsWithTwoAndSaysWhereToLook(String line) {
        assertThat(run(words(line))).isEqualTo(2);
        assertThat(err.toString()).startsWith("USAGE: ").contains(". Next: tombolo").endsWith("--help\n")
                .hasLineCount(1);
        assertThat(out.toString()).isEmpty();
        assertThat(services.asked).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"drill --memory 1g", "drill --working-set 0", "up --region-size 1.5G",
            "region format x --size 10MB"})
    void aWrongSizeNamesItsOption(String line) {
        assertThat(run(words(line))).isEqualTo(2);
        assertThat(err.toString()).startsWith("SIZE_INVALID: not a size: option=--").contains("found=")
                .contains(" Next: ").hasLineCount(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"drill --hosts 1", "drill --hops 0", "drill --compare", "drill --guest windows",
            "drill --clients 2", "drill --guest linux --clients 1", "drill --program kv --clients 17",
            "drill --program bank --clients -1",
            "vm create v --tier fast", "vm create v --page-size 8K", "vm migrate v --to h2 --mode teleport",
            "up --local-size 3M", "up --hosts 0", "up --zookeeper-servers 2", "up --coordinators 0",
            "status --cluster UPPER",
            "vm list --zookeeper nowhere",
            "vm list --root relative", "doctor --zookeeper :1"})
    void aValueThatAnOptionCannotHaveIsRefusedBeforeAnythingStarts(String line) {
        assertThat(run(words(line))).isEqualTo(2);
        assertThat(err.toString()).startsWith("OPTION_INVALID: ").contains("option=--").contains("expected=");
        assertThat(services.asked).isEmpty();
    }

    @Test
    void aVmThatNoDriverCanRunIsRefusedBeforeTheCoordinatorIsAsked() {
        assertThat(run("vm", "create", "Not_A_Name")).isEqualTo(2);
        assertThat(err.toString()).startsWith("VM_SPEC_INVALID: ");
        assertThat(services.asked).isEmpty();
    }

    @Test
    void everyCommandThatPrintsCanPrintJson() {
        List<String> without = new ArrayList<>();
        leaves(Tombolo.commandLine(services), command -> {
            if (!PRINT_NOTHING.contains(command.getCommandName())
                    && command.getCommandSpec().findOption("--json") == null) {
                without.add(command.getCommandSpec().qualifiedName());
            }
        });
        assertThat(without).isEmpty();
    }

    @Test
    void anErrorOfTheCoordinatorKeepsItsCodeItsStatusAndItsNextStep() {
        services.coordinator = _ -> new Reply.ErrorReply("VM_UNKNOWN", "there is no such VM",
                List.of(new Reply.Fact("vm", "v9")), "tombolo vm list", 3);

        assertThat(run("vm", "show", "v9")).isEqualTo(3);
        assertThat(err.toString()).startsWith("VM_UNKNOWN: there is no such VM: vm=v9")
                .contains("Next: tombolo vm list");
        assertThat(services.openConnections).isZero();
    }

    @Test
    void whatNobodyExpectedIsOneLineAndTheStackIsInAFile() throws IOException {
        services.coordinator = _ -> {
            throw new IllegalStateException("a defect");
        };

        assertThat(run("vm", "list")).isEqualTo(1);
        Path log = directory.resolve("state/tombolo.log");
        assertThat(err.toString()).startsWith("INTERNAL: ").contains("a defect").contains(log.toString())
                .hasLineCount(1);
        assertThat(Files.readString(log)).contains("java.lang.IllegalStateException: a defect").contains("\tat ");
    }

    @Test
    void listsVmsAsTableAndAsJson() throws IOException {
        services.coordinator = _ -> new Reply.VmListReply(List.of(vm("v1", "RUNNING", "h2", "")));

        assertThat(run("vm", "list")).isZero();
        assertThat(out.toString()).isEqualTo("""
                VM  STATE    HOST  EPOCH  MEMORY  VCPUS  PROGRAM  PROTECTED  REASON
                v1  RUNNING  h2        7   1 GiB      2  dirty            -       -
                """);
        out.getBuffer().setLength(0);
        assertThat(run("vm", "list", "--json")).isZero();
        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.get(0).get("spec").get("name").asText()).isEqualTo("v1");
        assertThat(json.get(0).get("epoch").asLong()).isEqualTo(7);
    }

    @Test
    void createsAVmWithWhatTheOptionsSay() {
        services.coordinator = _ -> new Reply.VmReply(vm("web", "RUNNING", "h1", ""));

        assertThat(run("vm", "create", "web", "--memory", "64M", "--vcpus", "2", "--program", "kv", "--pattern", "zipf",
                "--working-set", "1M", "--seed", "-5", "--host", "h1", "--cluster", "blue")).isZero();
        assertThat(services.asked.getFirst()).isEqualTo(new ClusterTarget("blue", "", "/tombolo/blue"));
        CoordinatorRequest.VmCreate create = (CoordinatorRequest.VmCreate) services.asked.getLast();
        assertThat(create.host()).isEqualTo("h1");
        assertThat(create.spec()).isEqualTo(new VmSpec("web", create.spec().uuid(), "simulated", 64 << 20, 2, "kv",
                1 << 20, "zipf", -5));
    }

    @Test
    void aGuestWithoutOptionsIsOneGibibyteOfDirtyPages() {
        services.coordinator = _ -> new Reply.VmReply(vm("web", "RUNNING", "h1", ""));

        run("vm", "create", "web");
        run("vm", "create", "lin", "--guest", "linux");

        VmSpec simulated = ((CoordinatorRequest.VmCreate) services.asked.get(1)).spec();
        assertThat(simulated.memoryBytes()).isEqualTo(1L << 30);
        assertThat(simulated.workingSetBytes()).isEqualTo(1L << 28);
        assertThat(simulated.program()).isEqualTo("dirty");
        VmSpec linux = ((CoordinatorRequest.VmCreate) services.asked.get(3)).spec();
        assertThat(linux.driver()).isEqualTo("qemu");
        assertThat(linux.program()).isEqualTo("linux");
        assertThat(linux.memoryBytes()).isEqualTo(512L << 20);
    }

    @Test
    void migratesAndPrintsWhatItCost() {
        services.coordinator = _ -> new Reply.Migrated(
                new HandoffReport("v1", "h1", "h2", 3, 6_000_000, 900, 1_000, 800,
                        700, 2_000_000, 10, 3_410, 3_400, 352, 0, 4, 5, HandoffOutcome.COMPLETED),
                MoveReport.handoff(),
                vm("v1", "RUNNING", "h2", ""));

        assertThat(run("vm", "migrate", "v1", "--to", "h2")).isZero();
        assertThat(services.asked.getLast()).isEqualTo(new CoordinatorRequest.VmMigrate("v1", "h2"));
        assertThat(out.toString()).contains("downtime            3.4 us").contains("guest bytes copied  0")
                .contains("epoch               4 -> 5");
    }

    @Test
    void createsAVmWithLocalAndLargePages() {
        services.coordinator = _ -> new Reply.VmReply(vm("web", "RUNNING", "h1", ""));

        assertThat(run("vm", "create", "web", "--tier", "local", "--page-size", "2M")).isZero();
        VmSpec spec = ((CoordinatorRequest.VmCreate) services.asked.getLast()).spec();
        assertThat(spec.tier()).isEqualTo("local");
        assertThat(spec.pageBytes()).isEqualTo(2 << 20);
        assertThat(spec.pages()).isEqualTo(512);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--memory 3M --page-size 2M", "--guest linux --tier local", "--guest linux --tier auto",
            "--guest linux --page-size 2M", "--memory 5000"})
    void aVmWhosePagesCannotBeLikeThatIsRefusedBeforeTheCoordinatorIsAsked(String options) {
        assertThat(run(words("vm create v " + options))).isEqualTo(2);
        assertThat(err.toString()).startsWith("VM_SPEC_INVALID: ")
                .containsPattern("field=(tier|pageBytes|memoryBytes)");
        assertThat(services.asked).isEmpty();
    }

    @Test
    void transitShowsItsPhasesAndWhatBecameOfThePages() throws IOException {
        CountDownLatch seen = new CountDownLatch(2);
        List<Reply> phases = List.of(new Reply.MigrateProgress(MigratePhase.TO_SHARED, 1, 4, 1 << 20),
                new Reply.MigrateProgress(MigratePhase.TO_LOCAL, 4, 4, 1 << 20));
        services.coordinator = request -> switch (request) {
            case CoordinatorRequest.VmMigrateProgress _ -> {
                Reply phase = phases.get(seen.getCount() == 2 ? 0 : 1);
                seen.countDown();
                yield phase;
            }
            case CoordinatorRequest _ -> {
                await(seen);
                yield new Reply.Migrated(new HandoffReport("v1", "h1", "h2", 3, 6, 9, 1, 8, 7, 2, 10, 3_410, 3_400, 352,
                        0, 4, 5, HandoffOutcome.COMPLETED),
                        new MoveReport(MigrateMode.TRANSIT, 4, 3, 7 * 4096, 2_000, 3_000, 9_000),
                        vm("v1", "RUNNING", "h2", ""));
            }
        };

        assertThat(run("vm", "migrate", "v1", "--to", "h2", "--mode", "transit", "--move-timeout", "5s")).isZero();
        assertThat(services.asked).contains(new CoordinatorRequest.VmMigrate("v1", "h2", MigrateMode.TRANSIT, 5_000));
        assertThat(err.toString()).containsSubsequence("to-shared", "to-local", "4/4 1 MiB/s");
        assertThat(out.toString()).contains("mode             transit").contains("pages to shared  4 in 2 us")
                .contains("1 pages stayed shared. Next: tombolo pages move v1 all --to local");
        out.getBuffer().setLength(0);
        assertThat(run("vm", "migrate", "v1", "--to", "h2", "--mode", "transit", "--json")).isZero();
        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.get("downtimeNs").asLong()).isEqualTo(3_400);
        assertThat(json.get("move").get("pagesToShared").asLong()).isEqualTo(4);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Test
    void anErrorOfATransitIsTheErrorOfTheCommand() {
        services.coordinator = _ -> new Reply.ErrorReply("MIGRATE_NO_ROOM", "no room", List.of(), "make room", 3);
        assertThat(run("vm", "migrate", "v1", "--to", "h2", "--mode", "transit")).isEqualTo(3);
        assertThat(err.toString()).startsWith("MIGRATE_NO_ROOM: ");
        assertThat(services.openConnections).isZero();
    }

    @Test
    void cancelsAMigrationAndSaysWhereTheVmIs() {
        services.coordinator = _ -> new Reply.MigrateCancelled(MigratePhase.TO_LOCAL, true,
                vm("v1", "RUNNING", "h2", ""));

        assertThat(run("vm", "migrate", "v1", "--cancel")).isZero();
        assertThat(services.asked.getLast()).isEqualTo(new CoordinatorRequest.VmMigrateCancel("v1"));
        assertThat(out.toString()).isEqualTo("cancelled in phase to-local; v1 runs on h2\n");
    }

    @Test
    void listsHosts() {
        services.coordinator = _ -> new Reply.HostListReply(
                List.of(new HostStatus("h1", 0, 1, "LIVE", "127.0.0.1", 7001, 1024, 2048, List.of("v1", "v2"))));

        assertThat(run("host", "list")).isZero();
        assertThat(out.toString()).contains("h1       0  LIVE   127.0.0.1:7001  4 MiB  8 MiB  v1,v2");
    }

    @Test
    void upAndDownAreAboutTheNamedCluster() {
        assertThat(run("up", "--cluster", "blue", "--hosts", "2", "--zookeeper-servers", "3", "--base", "200ms",
                "--drivers", "simulated,qemu", "--local-size", "0")).isZero();
        assertThat(services.asked.getLast())
                .isEqualTo(ClusterSpec.of("blue", 4L << 30).withHosts(List.of("host-1", "host-2"))
                        .withZooKeeperServers(3).withLocalTierBytes(0).withBaseMs(200)
                        .withDrivers(List.of("simulated", "qemu")));
        assertThat(out.toString()).contains("4711").contains("Next: tombolo vm create VM --cluster blue");
        assertThat(run("down", "--cluster", "blue", "--json")).isZero();
        assertThat(services.asked.getLast()).isEqualTo("down blue");
    }

    @Test
    void statusShowsTheClusterAndForALocalOneItsProcesses() {
        services.coordinator = _ -> new Reply.ClusterReply(
                new ClusterInfo("default", new UUID(0, 7), "coordinator-2", 4,
                        new UUID(0, 8), List.of(), List.of(vm("v1", "RUNNING", "h2", "")), List.of()));

        assertThat(run("status")).isZero();
        assertThat(out.toString()).contains("coordinator-2 (term 4)").contains("v1").contains("host-1")
                .contains("4711");
        out.getBuffer().setLength(0);
        assertThat(run("status", "--zookeeper", "zk:2181")).isZero();
        assertThat(out.toString()).contains("coordinator-2").doesNotContain("4711");
    }

    @Test
    void processesEndWithTheStatusOfWhatTheyRan() {
        assertThat(run("agent", "--config", "a.yaml")).isEqualTo(71);
        assertThat(run("coordinator", "--config", "c.yaml")).isZero();
        assertThat(run("supervisor", "one", "two")).isZero();
        assertThat(services.asked).containsExactly("agent a.yaml", "coordinator c.yaml", "supervisor [one, two]");
    }

    @Test
    void aDrillWhoseChecksHoldEndsWithZeroAndWritesItsReport() {
        services.tools = plan -> drillTools(new GuestVerifier.Frames(0, 0, ""));

        assertThat(run("drill", "--hops", "4", "--memory", "64M", "--seed", "9", "--report",
                directory.resolve("r").toString())).isZero();
        assertThat(out.toString()).contains("4 hops of a simulated guest with 64 MiB").contains("seed 9");
        assertThat(directory.resolve("r/report.json")).exists();
        assertThat(directory.resolve("r/report.html")).exists();
        DrillPlan plan = (DrillPlan) services.asked.getFirst();
        assertThat(plan.hosts()).isEqualTo(3);
        assertThat(plan.vm().seed()).isEqualTo(9);
        assertThat(plan.clients()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"--program kv, 2", "--program bank, 2", "--program kv --clients 0, 0", "--program bank --clients 5, 5",
            "--clients 0, 0"})
    void aDrillHasTwoClientsUnlessToldOtherwiseOrTheGuestServesNone(String options, int clients) {
        services.tools = plan -> drillTools(new GuestVerifier.Frames(0, 0, ""));

        assertThat(run(words("drill --hops 2 --memory 1M " + options))).isZero();

        assertThat(((DrillPlan) services.asked.getFirst()).clients()).isEqualTo(clients);
        if (clients == 0) {
            assertThat(out.toString()).doesNotContain("clients");
        } else {
            assertThat(out.toString()).contains("clients: " + clients + ", ");
        }
    }

    @Test
    void aDrillWithACheckThatDoesNotHoldStillPrintsItsReportAndEndsWithOne() throws IOException {
        services.tools = plan -> drillTools(new GuestVerifier.Frames(2, 0, "FRAME_LEAKED"));

        assertThat(run("drill", "--hops", "2", "--json")).isEqualTo(1);
        assertThat(new ObjectMapper().readTree(out.toString()).get("verification").get("framesLeaked").asInt())
                .isEqualTo(2);
        assertThat(err.toString()).contains("DRILL_CHECKS_FAILED: ");
    }

    private static Drill.Tools drillTools(GuestVerifier.Frames frames) {
        GuestVerifier verifier = new GuestVerifier() {
            @Override
            public void awaitProgress(DrillCluster cluster, VmStatus earlier) {
                assertThat(earlier.ownerState()).isEqualTo("RUNNING");
            }

            @Override
            public Result verify(DrillCluster cluster, VmStatus stopped) {
                return new Result(true, "fake", 1, 0, "");
            }

            @Override
            public Frames verifyRegion(DrillCluster cluster) {
                return frames;
            }
        };
        ContextSwitchBenchmark.OneWay oneWay = new ContextSwitchBenchmark.OneWay(2_000, 3_000, 1_000, 10);
        return new Drill.Tools(FakeCluster::new, verifier, () -> new ContextSwitchBenchmark.Result(oneWay, oneWay),
                () -> {
                    throw new AssertionError("no comparison was asked for");
                }, DrillProgress.silent());
    }

    private static VmStatus vm(String name, String state, String host, String reason) {
        return new VmStatus(
                new VmSpec(name, UUID.randomUUID(), "simulated", 1L << 30, 2, "dirty", 1L << 28, "uniform", 1),
                0, state, host, 7, List.of(), reason);
    }

    private static void leaves(CommandLine command, Consumer<CommandLine> visitor) {
        if (command.getSubcommands().isEmpty()) {
            visitor.accept(command);
        }
        command.getSubcommands().values().forEach(c -> leaves(c, visitor));
    }

    private static String[] words(String line) {
        return line.isEmpty() ? new String[0] : line.split(" ", -1);
    }

    private int run(String... args) {
        return Tombolo.run(services, new PrintWriter(out, true), new PrintWriter(err, true), args);
    }
}

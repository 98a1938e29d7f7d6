package io.tombolo.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tombolo.coordinator.wire.CoordinatorRequest;
import io.tombolo.coordinator.wire.HostStatus;
import io.tombolo.coordinator.wire.ProtectionStatus;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TakeoverReport;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.coordinator.wire.VmStatus;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Protection, takeover and maintenance of hosts as words of the command line and as text for a person.
final class TakeoverCommandsTest {
    @TempDir
    Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final VmSpec spec = new VmSpec("db", new UUID(0, 1), "simulated", 1 << 20, 1, "kv", 1 << 18, "uniform", 7)
            .withProtection(5_000);
    private long commits = 1_000;
    private FakeServices services;

    @BeforeEach
    void aClusterWithOneProtectedVm() {
        services = new FakeServices(directory);
        services.coordinator = request -> switch (request) {
            case CoordinatorRequest.VmShow _,CoordinatorRequest.VmProtect _,CoordinatorRequest.VmCreate _ ->
                new Reply.VmReply(vm());
            case CoordinatorRequest.VmList _ -> new Reply.VmListReply(List.of(vm()));
            case CoordinatorRequest.VmTakeover _ -> new Reply.TakenOver(report(), vm());
            case CoordinatorRequest.Takeovers _ -> new Reply.TakeoverList(List.of(report()));
            case CoordinatorRequest.HostFence fence -> new Reply.HostReply(
                    new HostStatus(fence.host(), 0, 3, "FENCING", "127.0.0.1", 7, 10, 20, List.of("db")));
            case CoordinatorRequest.HostDrain drain -> new Reply.Drained(drain.host(),
                    drain.drain()
                            ? List.of(new Reply.DrainedVm("db", "host-2", "MOVED", ""),
                                    new Reply.DrainedVm("web", "", "VM_PROTECTED", "it has pages in a local tier"))
                            : List.of());
            case CoordinatorRequest.Reconcile _ -> new Reply.Reconciled(List.of("db"), List.of(), List.of("slot 3"));
            default -> new Reply.Ack();
        };
    }

    private VmStatus vm() {
        commits += 40;
        return new VmStatus(spec, 0, "RUNNING", "host-2", 12, List.of(5L), "").withProtection(new ProtectionStatus(true,
                commits + 7, 5_000, commits, 3, 17, 21, 1_500, 42_000, 1_024, 65_536, 9));
    }

    private static TakeoverReport report() {
        return new TakeoverReport("db", 0, "host-1", "host-2", 12, "RUNNING", "", "", List.of(), 1_000_000, 2_500_000,
                3_000_000, 1_303_000_000, 1_310_000_000, 1_312_000_000, 17);
    }

    private int run(String line) {
        return Tombolo.run(services, new PrintWriter(out, true), new PrintWriter(err, true), line.split(" "));
    }

    private <T> T asked(Class<T> type) {
        return services.asked.stream().filter(type::isInstance).map(type::cast).reduce((_, b) -> b).orElseThrow();
    }

    @Test
    void aVmIsCreatedWithItsProtectionAndItsPolicy() {
        assertThat(run("vm create db --memory 1M --protect --checkpoint-interval 2ms --on-host-failure restart"))
                .as(err.toString()).isZero();
        VmSpec created = asked(CoordinatorRequest.VmCreate.class).spec();
        assertThat(created.checkpointUs()).isEqualTo(2_000);
        assertThat(created.onHostFailure()).isEqualTo("restart");

        assertThat(run("vm create db --memory 1M --protect")).isZero();
        assertThat(asked(CoordinatorRequest.VmCreate.class).spec().checkpointUs()).isEqualTo(5_000);
        assertThat(run("vm create db --memory 1M")).isZero();
        assertThat(asked(CoordinatorRequest.VmCreate.class).spec().checkpointUs()).isZero();
        assertThat(asked(CoordinatorRequest.VmCreate.class).spec().onHostFailure()).isEqualTo("stop");
    }

    @ParameterizedTest
    @ValueSource(strings = {"vm create db --checkpoint-interval 5ms",
            "vm create db --protect --checkpoint-interval 1us",
            "vm create db --protect --checkpoint-interval 2s", "vm create db --on-host-failure hope",
            "vm protect db --checkpoint-interval 10us", "timeouts --dirty-pages 65537", "timeouts --memory 8G"})
    void refusesWhatCannotBe(String line) {
        assertThat(run(line)).isEqualTo(2);
        assertThat(err.toString()).startsWith("OPTION_INVALID").contains(" Next: ").hasLineCount(1);
        assertThat(services.asked).isEmpty();
    }

    @Test
    void protectAndUnprotectAskForAnInterval() {
        assertThat(run("vm protect db --checkpoint-interval 1ms")).isZero();
        assertThat(asked(CoordinatorRequest.VmProtect.class)).isEqualTo(new CoordinatorRequest.VmProtect("db", 1_000));
        assertThat(run("vm protect db")).isZero();
        assertThat(asked(CoordinatorRequest.VmProtect.class).checkpointUs()).isEqualTo(5_000);
        assertThat(run("vm unprotect db")).isZero();
        assertThat(asked(CoordinatorRequest.VmProtect.class).checkpointUs()).isZero();
    }

    @Test
    void showTellsWhatProtectionDoesAndCosts() throws IOException {
        assertThat(run("vm show db")).isZero();

        assertThat(out.toString()).containsPattern("(?m)^protected +a checkpoint every 5 ms at most$")
                .containsPattern("(?m)^checkpoints +1080, \\d+/s, interval 1087$")
                .containsPattern("(?m)^dirty pages +last 17, mean 21$")
                .containsPattern("(?m)^pause +p50 1.5 us, p99 42 us$")
                .containsPattern("(?m)^pre-images +4 MiB of 256 MiB$").containsPattern("(?m)^early checkpoints +3$")
                .containsPattern("(?m)^rolled back +9 pages$")
                .containsPattern("(?m)^on host failure +goes on elsewhere$");

        out.getBuffer().setLength(0);
        assertThat(run("vm show db --json")).isZero();
        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.get("checkpointsPerSecond").asDouble()).isPositive();
        assertThat(json.get("protection").get("earlyCommits").asLong()).isEqualTo(3);
    }

    @Test
    void listHasAColumnForIt() {
        assertThat(run("vm list")).isZero();
        assertThat(out.toString()).containsPattern("(?m)PROGRAM +PROTECTED +REASON *$")
                .containsPattern("(?m)^db .* kv +5 ms +-$");
    }

    @Test
    void aTakeoverByHandNamesTheHostsAndIsPrintedByPhase() {
        assertThat(run("vm takeover db --to host-2 --i-know-host-is-dead host-1")).isZero();

        assertThat(asked(CoordinatorRequest.VmTakeover.class))
                .isEqualTo(new CoordinatorRequest.VmTakeover("db", "host-2", "host-1"));
        assertThat(out.toString()).containsPattern("(?m)^confirmed stopped after +1.3 s$")
                .containsPattern("(?m)^memory put right in +7 ms$").containsPattern("(?m)^resumed in +2 ms$")
                .containsPattern("(?m)^pages rolled back +17$").containsPattern("(?m)^state +RUNNING$");
        assertThat(run("vm takeover db")).isZero();
        assertThat(asked(CoordinatorRequest.VmTakeover.class))
                .isEqualTo(new CoordinatorRequest.VmTakeover("db", "", ""));
    }

    @Test
    void takeoversOfTheTermAreATable() {
        assertThat(run("cluster takeovers")).isZero();
        assertThat(out.toString()).containsPattern("(?m)^db +host-1 +host-2 +RUNNING +1.3 s +9 ms +17 +-$");
    }

    @Test
    void hostsAreFencedDrainedGivenBackAndRemoved() {
        assertThat(run("host fence host-1 --i-know-host-is-dead host-1")).isZero();
        assertThat(asked(CoordinatorRequest.HostFence.class))
                .isEqualTo(new CoordinatorRequest.HostFence("host-1", "host-1"));
        assertThat(out.toString()).contains("FENCING");
        assertThat(run("host undrain host-1")).isZero();
        assertThat(asked(CoordinatorRequest.HostDrain.class))
                .isEqualTo(new CoordinatorRequest.HostDrain("host-1", false));
        assertThat(out.toString()).contains("host-1 may have VMs again");
        assertThat(run("host remove host-1")).isZero();
        assertThat(asked(CoordinatorRequest.HostRemove.class)).isEqualTo(new CoordinatorRequest.HostRemove("host-1"));
    }

    @Test
    void aDrainThatLeftAVmBehindSaysWhichAndDoesNotEndWithZero() {
        assertThat(run("host drain host-1")).isEqualTo(3);

        assertThat(asked(CoordinatorRequest.HostDrain.class))
                .isEqualTo(new CoordinatorRequest.HostDrain("host-1", true));
        assertThat(out.toString()).containsPattern("(?m)^db +host-2 +MOVED +-$")
                .containsPattern("(?m)^web +- +VM_PROTECTED +it has pages");
        assertThat(err.toString()).startsWith("HOST_NOT_DRAINED").contains("stayed=1");
    }

    @Test
    void reconcileNamesWhatItDid() {
        assertThat(run("cluster reconcile")).isZero();
        assertThat(asked(CoordinatorRequest.Reconcile.class)).isNotNull();
        assertThat(out.toString()).containsPattern("(?m)^written +db$")
                .containsPattern("(?m)^nobody can describe +slot 3$");
    }

    @Test
    void timeoutsPrintsEveryFigureAndTheFormulaWithItsTerms() throws IOException {
        assertThat(run("timeouts --base 500ms --memory 1G --dirty-pages 1000")).as(err.toString()).isZero();
        assertThat(out.toString()).containsPattern("(?m)^watchdog +1 s +SIGKILL")
                .containsPattern("(?m)^detection +T \\+ 1.5 tick +2000 ms \\+ 1.5 \\* 500 ms +2.75 s$")
                .containsPattern("(?m)^rollback +1 us \\* dirty pages +1 us \\* 1000 +1 ms$")
                .containsPattern("(?m)^sum .* 4.\\d+ s$").doesNotContain(" - \n");
        assertThat(out.toString().lines()).filteredOn(line -> line.matches("^[a-zA-Z]+ +[0-9.]+ (s|ms|us) +-$"))
                .as("every figure says what for").isEmpty();

        out.getBuffer().setLength(0);
        assertThat(run("timeouts --json --base 1s")).isZero();
        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.get("timings").get("sessionMs").asInt()).isEqualTo(4_000);
        assertThat(json.get("takeover").findValuesAsText("name")).contains("detection", "watchdogBound", "resume");
        long sum = 0;
        for (JsonNode term : json.get("takeover")) {
            sum += term.get("ns").asLong();
        }
        assertThat(json.get("takeoverNs").asLong()).isEqualTo(sum);
    }
}

package io.tombolo.deploy.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.VmStatus;
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
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// How options of `tombolo drill` become a plan, and what it prints of the modes.
final class DrillCommandTest {
    @TempDir
    Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final FakeCluster cluster = new FakeCluster();
    private FakeServices services;

    @BeforeEach
    void aClusterThatDoesNothing() {
        services = new FakeServices(directory);
        services.tools = _ -> tools();
    }

    @Test
    void aPlainDrillHandsOverAndLeavesTheGuestNoRest() {
        assertThat(run("drill --hops 1 --memory 1M")).isZero();

        assertThat(plan().modes()).containsExactly(MigrateMode.HANDOFF);
        assertThat(plan().restMs()).isZero();
        assertThat(plan().warmUp()).isEqualTo(50);
        assertThat(plan().needsLocalTier()).isFalse();
        assertThat(out.toString()).doesNotContain("MODE", "OPS/S");
    }

    @ParameterizedTest
    @ValueSource(strings = {"transit", "copy"})
    void aModeInWhichPagesMoveHasFewerHopsAndMeasuresTheGuest(String mode) {
        assertThat(run("drill --memory 1M --rest 1ms --mode " + mode)).isZero();

        assertThat(plan().modes()).extracting(MigrateMode::text).containsExactly(mode);
        assertThat(plan().hops()).isLessThan(30);
        assertThat(plan().needsLocalTier()).isTrue();
        assertThat(out.toString()).contains("hops by " + mode + " of a simulated guest").contains("OPS/S BEFORE");
    }

    @Test
    void comparedModesAreInOneTableAndInTheReport() throws IOException {
        assertThat(run("drill --compare-modes --memory 64M --hops 2 --warm-up 1 --rest 1ms --report "
                + directory.resolve("r")))
                .isZero();

        assertThat(plan().modes()).containsExactly(MigrateMode.values());
        assertThat(plan().vm().memoryBytes()).isEqualTo(64L << 20);
        assertThat(plan().warmUp()).isEqualTo(1);
        assertThat(plan().movingWarmUp()).isEqualTo(1);
        assertThat(out.toString()).startsWith("\n6 hops in 3 modes of a simulated guest with 64 MiB over 3 hosts")
                .containsPattern("(?m)^handoff +2 ").containsPattern("(?m)^transit +2 .* 128 MiB ")
                .containsPattern("(?m)^copy +2 .* 30 ms +30 ms +192 MiB ")
                .contains("PASS     transit downtime p50 <= 1/50 of copy's")
                .contains("PASS     copy: guest memory as it must be");
        JsonNode report = new ObjectMapper().readTree(directory.resolve("r/report.json").toFile());
        assertThat(report.get("modes")).hasSize(3);
    }

    @Test
    void sizesOfAComparisonCanBeChosen() {
        assertThat(run("drill --compare-modes --hops 1 --rest 5ms --memory 2M --program kv --clients 0")).isZero();

        assertThat(plan().vm().memoryBytes()).isEqualTo(2 << 20);
        assertThat(plan().vm().program()).isEqualTo("kv");
        assertThat(plan().restMs()).isEqualTo(5);
        assertThat(plan().warmUp()).isGreaterThan(plan().movingWarmUp());
    }

    @Test
    void aModeThatTheClusterDoesNotHaveEndsTheDrillWithTheClustersError() {
        cluster.unavailable.add(MigrateMode.COPY);

        assertThat(run("drill --compare-modes --hops 1 --warm-up 0 --rest 1ms --memory 1M")).isEqualTo(3);

        assertThat(err.toString()).startsWith("MIGRATE_MODE_UNAVAILABLE: ");
        assertThat(cluster.closed).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--mode teleport", "--mode transit --guest linux", "--compare-modes --guest linux",
            "--compare-modes --mode copy", "--rest 1us", "--rest 2m", "--rest 1s --guest linux",
            "--mode transit --hops 0", "--mode copy --warm-up -1", "--compare-modes --compare"})
    void aValueThatAnOptionCannotHaveIsRefusedBeforeAnythingStarts(String options) {
        assertThat(run("drill " + options)).isEqualTo(2);

        assertThat(err.toString()).startsWith("OPTION_INVALID: ").contains("option=--").contains("expected=");
        assertThat(services.asked).isEmpty();
    }

    private DrillPlan plan() {
        return (DrillPlan) services.asked.getFirst();
    }

    private int run(String line) {
        return Tombolo.run(services, new PrintWriter(out, true), new PrintWriter(err, true), line.split(" "));
    }

    private Drill.Tools tools() {
        GuestVerifier verifier = new GuestVerifier() {
            @Override
            public void awaitProgress(DrillCluster where, VmStatus earlier) {
                assertThat(earlier.ownerState()).isEqualTo("RUNNING");
            }

            @Override
            public Result verify(DrillCluster where, VmStatus stopped) {
                return new Result(true, "fake", 1, 0, "");
            }

            @Override
            public Frames verifyRegion(DrillCluster where) {
                return new Frames(0, 0, "");
            }
        };
        ContextSwitchBenchmark.OneWay oneWay = new ContextSwitchBenchmark.OneWay(2_000, 3_000, 1_000, 10);
        return new Drill.Tools(() -> cluster, verifier, () -> new ContextSwitchBenchmark.Result(oneWay, oneWay), () -> {
            throw new AssertionError("no comparison was asked for");
        }, DrillProgress.silent());
    }
}

package io.tombolo.deploy.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.deploy.cli.Tombolo;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The fence agent as whoever fences runs it: a process, options on its standard input, an exit status.
final class FenceLocalTest {
    private static final ClusterPrograms PROGRAMS = new JavaPrograms(MemberMain.class.getName(), Optional.empty());

    @TempDir
    private Path state;
    private final String name = "f" + Long.toString(System.nanoTime() % 1_000_000_000_000L, 36);

    private record Ran(int status, String out) {
    }

    private Ran fence(String... options) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
                System.getProperty("java.class.path"), Tombolo.class.getName(), "fence-local")
                .redirectErrorStream(true);
        builder.environment().put("TOMBOLO_STATE", state.toString());
        Process process = builder.start();
        try (OutputStream in = process.getOutputStream()) {
            in.write((String.join("\n", options) + "\n").getBytes(UTF_8));
        }
        String out = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Ran(process.exitValue(), out);
    }

    @Test
    void offKillsTheWholeGroupOfOneHostAndStatusTellsOnFromOff() throws IOException, InterruptedException {
        ClusterPlaces places = new ClusterPlaces(state, Path.of("/dev/shm"));
        ClusterSpec spec = ClusterSpec.of(name, 4L << 20).withHosts(List.of("ant", "bee")).withCoordinators(1);
        try (RunningCluster cluster = Clusters.up(spec, places, PROGRAMS, new ArrayList<String>()::add)) {
            String socket = Path.of(cluster.facts().runDirectory(), ControlProtocol.SOCKET).toString();
            assertThat(fence("action=monitor", "cluster=" + name).status()).isZero();
            assertThat(fence("# a comment", "action=status", "plug=ant", "cluster=" + name).status()).isZero();
            // A host that stands still is fenced all the same.
            cluster.signalGroup("ant", Linux.SIGSTOP);

            assertThat(fence("action=off", "port=ant", "cluster=" + socket)).isEqualTo(new Ran(0, ""));

            ClusterFacts.ProcessFacts ant = process(cluster, "ant");
            assertThat(ant.state()).isEqualTo(ProcessState.STOPPED);
            assertThat(ProcFs.dead(ant.pid())).isTrue();
            assertThat(process(cluster, "bee").state()).isEqualTo(ProcessState.READY);
            assertThat(fence("action=status", "plug=ant", "cluster=" + name).status()).isEqualTo(2);
            assertThat(fence("action=off", "plug=ant", "cluster=" + name).status()).isZero();

            Ran unknown = fence("action=off", "plug=zookeeper-1", "cluster=" + name);
            assertThat(unknown.status()).isEqualTo(1);
            assertThat(unknown.out()).startsWith("OPTION_INVALID").contains("option=plug");
            assertThat(process(cluster, "zookeeper-1").state()).isEqualTo(ProcessState.READY);
        }
    }

    private static ClusterFacts.ProcessFacts process(RunningCluster cluster, String name) {
        return cluster.facts().processes().stream().filter(p -> p.name().equals(name)).findFirst().orElseThrow();
    }

    @Test
    void whatItCannotDoEndsWithOneAndStartsNothing() throws IOException, InterruptedException {
        assertThat(fence("action=off", "plug=ant", "cluster=" + name).status()).isEqualTo(1);
        for (String action : List.of("on", "reboot", "")) {
            Ran refused = fence("action=" + action, "plug=ant", "cluster=" + name);
            assertThat(refused.status()).as(action).isEqualTo(1);
            assertThat(refused.out()).contains("is not one of off, status, monitor, metadata");
        }
        assertThat(fence("action=metadata").out()).contains("<resource-agent", "<action name=\"off\"/>");
    }
}

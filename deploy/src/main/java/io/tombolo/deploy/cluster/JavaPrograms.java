package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.hypervisor.SimulatedHypervisor;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/// The processes as Java processes with this JVM's binary and class path.
///
/// Agents get the full JIT, because their vCPUs are what is measured; the others only C1, which makes them start sooner
/// and leaves the processors to the agents. The serial collector, since none has a large heap. No AOT cache: JDK 25.0.3
/// runs the old code from one after a jar has changed (JDK-8377932); an AppCDS archive notices and is used if there is
/// one.
public final class JavaPrograms implements ClusterPrograms {
    private static final String MAIN = "io.tombolo.deploy.cli.Tombolo";
    /// Packages of what runs while a guest is stopped; the launcher names the same.
    private static final List<String> HANDOFF_PATH = List.of("io.tombolo.region", "io.tombolo.agent.sim",
            "io.tombolo.agent.hypervisor", "io.tombolo.agent.qemu", "io.tombolo.agent.handoff",
            "io.tombolo.agent.right", "io.tombolo.agent.pages", "io.tombolo.agent.takeover");
    /// C2 for what runs while a guest is stopped or executes it, C1 for all else: on two cores C2's threads were the
    /// longest of what a guest that hops has to wait for.
    private static final String DIRECTIVES = """
            [
              { match: [%s], c2: { Exclude: false } },
              { match: "*.*", c2: { Exclude: true } }
            ]
            """.formatted(HANDOFF_PATH.stream().map(path -> '"' + path.replace('.', '/') + "/*.*\"")
            .collect(Collectors.joining(", ")));
    private static final String HANDOFF_THRESHOLD = "0.002";
    private static final String LOGGING = "io/tombolo/deploy/logback-daemon.xml";

    private final String mainClass;
    private final Optional<Path> sharedArchive;

    /// @param mainClass main class of the command line
    /// @param sharedArchive an AppCDS archive; ignored if the file is not there
    public JavaPrograms(String mainClass, Optional<Path> sharedArchive) {
        this.mainClass = requireNonNull(mainClass, "mainClass is null");
        this.sharedArchive = requireNonNull(sharedArchive, "sharedArchive is null").filter(Files::isReadable);
    }

    /// The project's own command line; the archive is named by the system property `tombolo.cds`.
    public static JavaPrograms standard() {
        return new JavaPrograms(MAIN, Optional.ofNullable(System.getProperty("tombolo.cds")).map(Path::of));
    }

    @Override
    public List<String> zooKeeper(Path config) {
        return java(List.of("-Xmx128m", "-XX:TieredStopAtLevel=1", "-Dzookeeper.jmx.log4j.disable=true"),
                "org.apache.zookeeper.server.quorum.QuorumPeerMain", List.of(config.toString()));
    }

    @Override
    public List<String> coordinator(Path config) {
        return java(List.of("-Xmx128m", "-XX:TieredStopAtLevel=1"), mainClass,
                List.of("coordinator", "--config", config.toString()));
    }

    @Override
    public List<String> agent(Path config, int heapMb, List<String> drivers) {
        List<String> flags = new ArrayList<>(
                List.of("-Xms" + heapMb + "m", "-Xmx" + heapMb + "m", "-XX:CompileCommand=quiet"));
        if (drivers.contains(SimulatedHypervisor.NAME)) {
            flags.addAll(List.of("-XX:+UnlockDiagnosticVMOptions",
                    "-XX:CompilerDirectivesFile=" + directives(config)));
        }
        if (!drivers.contains(SimulatedHypervisor.NAME)) {
            // It executes no guests itself. C2 took a core during most of a QEMU guest's downtime, for milliseconds.
            flags.add("-XX:TieredStopAtLevel=1");
        }
        // A hand-off executes its path once: compile it after few calls instead of thousands, see Rehearsal.
        for (String path : HANDOFF_PATH) {
            flags.add("-XX:CompileCommand=CompileThresholdScaling," + path + ".*::*," + HANDOFF_THRESHOLD);
        }
        return java(flags, mainClass, List.of("agent", "--config", config.toString()));
    }

    /// The JVM takes them from a file only.
    private static Path directives(Path config) {
        Path file = config.resolveSibling(config.getFileName() + ".jit.json");
        try {
            return Files.writeString(file, DIRECTIVES);
        } catch (IOException e) {
            throw TomboloException.error(ClusterError.CLUSTER_FILES, "a file of the cluster cannot be written")
                    .fact("file", file).fact("reason", e.getMessage()).next("check the state directory").cause(e)
                    .build();
        }
    }

    @Override
    public List<String> supervisor(Path directory) {
        return java(List.of("-Xmx64m", "-XX:TieredStopAtLevel=1"), mainClass,
                List.of("supervisor", directory.toString()));
    }

    private List<String> java(List<String> flags, String main, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError",
                "-XX:-UsePerfData", "-Dkryo.unsafe=false"));
        if (JavaPrograms.class.getClassLoader().getResource(LOGGING) != null) {
            command.add("-Dlogback.configurationFile=" + LOGGING);
        }
        sharedArchive.ifPresent(archive -> command.addAll(List.of("-XX:SharedArchiveFile=" + archive, "-Xshare:auto")));
        command.addAll(flags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main));
        command.addAll(arguments);
        return command;
    }
}

package io.tombolo.chaos.cluster;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Looks for what a cluster may have left, after it was closed. Everything that belongs to it has its name somewhere.
public final class Leftovers {
    private static final Path NETNS = Path.of("/run/netns");

    private final String name;
    private final Path runDirectory;
    private final String cgroup;

    private Leftovers(String name, Path runDirectory, String cgroup) {
        this.name = name;
        this.runDirectory = runDirectory;
        this.cgroup = cgroup;
    }

    /// To be asked before the cluster is closed what to look for afterwards.
    public static Leftovers of(ClusterUnderTest cluster) {
        requireNonNull(cluster, "cluster is null");
        return new Leftovers(cluster.processes().spec().name(), cluster.processes().runDirectory(),
                cluster.processes().facts().cgroup());
    }

    /// What is there, one sentence each.
    public List<String> find() {
        List<String> found = new ArrayList<>();
        try {
            processes(found);
            namespaces(found);
            mounts(found);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (!cgroup.isEmpty() && Files.exists(Path.of(cgroup))) {
            found.add("cgroup " + cgroup);
        }
        if (Files.exists(runDirectory)) {
            found.add("directory " + runDirectory);
        }
        return found;
    }

    private void processes(List<String> found) throws IOException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : all) {
                if (process.getFileName().toString().equals(Long.toString(ProcessHandle.current().pid()))) {
                    continue;
                }
                String line = read(process.resolve("cmdline")).replace('\0', ' ');
                if (line.contains(name + "/") || line.contains(runDirectory.toString())) {
                    found.add("process " + process.getFileName() + ": "
                            + line.substring(0, Math.min(200, line.length())));
                }
            }
        }
    }

    private static String read(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        } catch (IOException _) {
            // It has ended meanwhile.
            return "";
        }
    }

    private void namespaces(List<String> found) throws IOException {
        try (DirectoryStream<Path> all = Files.newDirectoryStream(NETNS, name + "*")) {
            all.forEach(namespace -> found.add("network namespace " + namespace.getFileName()));
        } catch (NoSuchFileException _) {
            // There has never been one on this machine.
        }
        try (DirectoryStream<Path> all = Files.newDirectoryStream(NamespaceNetwork.LINKS, "tb*")) {
            // Links are named after the process that made them.
            String mark = NamespaceNetwork.links(ProcessHandle.current().pid());
            for (Path link : all) {
                if (link.getFileName().toString().startsWith(mark)) {
                    found.add("network link " + link.getFileName());
                }
            }
        }
    }

    private void mounts(List<String> found) throws IOException {
        for (String mount : Files.readAllLines(Path.of("/proc/self/mounts"))) {
            if (mount.contains(runDirectory.toString()) || mount.contains("/" + name + "/")) {
                found.add("mount " + mount);
            }
        }
    }
}

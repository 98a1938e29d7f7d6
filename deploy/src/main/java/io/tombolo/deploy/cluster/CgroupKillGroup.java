package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A kill group that is a cgroup of version 2 (cgroups(7)): `cgroup.kill` kills every process in it and below it at
/// once, stopped ones too and children forked meanwhile too, and `populated 0` in `cgroup.events` says that none is
/// left. Needs Linux 5.14 for cgroup.kill.
final class CgroupKillGroup implements KillGroup {
    private final Path directory;
    private volatile Process leader;

    /// Makes the cgroup; the directory must not exist.
    CgroupKillGroup(Path directory) {
        this.directory = requireNonNull(directory, "directory is null");
        try {
            Files.createDirectory(directory);
        } catch (IOException e) {
            throw failed("the cgroup cannot be made", e);
        }
    }

    @Override
    public String describe() {
        return "cgroup " + directory;
    }

    @Override
    public List<String> wrap(List<String> command) {
        // The shell enters the cgroup and then becomes the command, so nothing of it ever runs outside. setsid keeps
        // the terminal's Ctrl-C for the supervisor.
        List<String> all = new ArrayList<>(
                List.of("/bin/sh", "-c", "echo $$ > \"$0\" && exec setsid \"$@\"", directory + "/cgroup.procs"));
        all.addAll(command);
        return all;
    }

    @Override
    public Map<String, String> environment() {
        return Map.of();
    }

    @Override
    public void started(Process process) {
        leader = requireNonNull(process, "process is null");
    }

    @Override
    public List<Long> members() {
        return read("cgroup.procs").lines().map(Long::valueOf).filter(pid -> !ProcFs.dead(pid)).toList();
    }

    @Override
    public boolean empty() {
        // The leader first: until it has entered the cgroup, it is the only process, and it is not in the list.
        return (leader == null || !leader.isAlive()) && read("cgroup.events").lines().anyMatch("populated 0"::equals);
    }

    @Override
    public void killOnce() {
        if (leader != null) {
            leader.destroyForcibly();
        }
        try {
            Files.writeString(directory.resolve("cgroup.kill"), "1");
        } catch (NoSuchFileException _) {
            // Removed: it was empty.
        } catch (IOException e) {
            throw failed("the cgroup cannot be killed", e);
        }
    }

    private String read(String file) {
        try {
            return Files.readString(directory.resolve(file));
        } catch (NoSuchFileException _) {
            return "populated 0\n".repeat(file.equals("cgroup.events") ? 1 : 0);
        } catch (IOException e) {
            throw failed("the cgroup cannot be read", e);
        }
    }

    private TomboloException failed(String what, IOException cause) {
        return TomboloException.error(ClusterError.KILL_GROUP_UNAVAILABLE, what).fact("cgroup", directory)
                .fact("cause", cause).next("check the rights on the cgroup, or use sessions as kill groups")
                .cause(cause).build();
    }

    @Override
    public void close() {
        try {
            Files.deleteIfExists(directory);
        } catch (IOException e) {
            throw failed("the cgroup cannot be removed", e);
        }
    }
}

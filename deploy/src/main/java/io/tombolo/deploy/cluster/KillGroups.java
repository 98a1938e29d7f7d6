package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.TomboloException;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The kill groups of one cluster, all under one roof, so that they can be found and killed even when their supervisor
/// is gone: a parent cgroup, or a common beginning of their marks.
///
/// Thread safe.
public final class KillGroups implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KillGroups.class);
    private static final long REMOVE_TIMEOUT_MS = 5_000;

    /// Which kind to use.
    public enum Kind {
        CGROUP, SESSION
    }

    private final String run;
    private final Optional<Path> parent;

    private KillGroups(String run, Optional<Path> parent) {
        this.run = run;
        this.parent = parent;
    }

    /// The best kind this machine offers. `run` is unique on the machine and fit for a file name.
    public static KillGroups detect(String run) {
        Optional<Path> roof = makeRoof(run);
        if (roof.isEmpty()) {
            LOG.info("no cgroup can be made here; a host's processes are held together by session and mark");
        }
        return new KillGroups(requireNonNull(run, "run is null"), roof);
    }

    /// A given kind.
    ///
    /// @throws TomboloException KILL_GROUP_UNAVAILABLE
    public static KillGroups of(Kind kind, String run) {
        requireNonNull(run, "run is null");
        return switch (kind) {
            case SESSION -> new KillGroups(run, Optional.empty());
            case CGROUP -> new KillGroups(run, Optional.of(makeRoof(run).orElseThrow(
                    () -> TomboloException.error(ClusterError.KILL_GROUP_UNAVAILABLE, "no cgroup can be made here")
                            .fact("mount", CgroupMount.find().map(Path::toString).orElse("none"))
                            .next("mount a cgroup2 file system, or use sessions as kill groups").build())));
        };
    }

    /// The groups of a run whose supervisor has died, for cleaning up.
    static KillGroups ofDeadRun(String run, Optional<Path> parent) {
        return new KillGroups(run, parent);
    }

    private static Optional<Path> makeRoof(String run) {
        Optional<Path> own = CgroupMount.find();
        if (own.isEmpty()) {
            return Optional.empty();
        }
        Path roof = own.get().resolve("tombolo-" + run);
        try {
            Files.createDirectory(roof);
            if (Files.exists(roof.resolve("cgroup.kill")) && canEnter(roof)) {
                return Optional.of(roof);
            }
            Files.delete(roof);
        } catch (IOException e) {
            LOG.debug("cgroup {} cannot be used", roof, e);
        }
        return Optional.empty();
    }

    /// Making a directory is allowed more often than moving a process there: tried with a real one.
    private static boolean canEnter(Path roof) throws IOException {
        Path probe = roof.resolve("probe");
        Files.createDirectory(probe);
        Process shell = new ProcessBuilder("/bin/sh", "-c", "echo $$ > \"$0\"", probe + "/cgroup.procs")
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        try {
            return shell.waitFor() == 0;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            shell.destroyForcibly();
            return false;
        } finally {
            removeRetrying(probe);
        }
    }

    public Kind kind() {
        return parent.isPresent() ? Kind.CGROUP : Kind.SESSION;
    }

    public String run() {
        return run;
    }

    /// The parent cgroup, if there is one.
    public Optional<Path> parent() {
        return parent;
    }

    /// A new group; `name` is unique in the run and fit for a file name.
    public KillGroup create(String name) {
        requireNonNull(name, "name is null");
        return parent.isPresent()
                ? new CgroupKillGroup(parent.get().resolve(name))
                : new SessionKillGroup(run + "/" + name);
    }

    /// Living processes of all groups.
    List<Long> members() {
        if (parent.isEmpty()) {
            return SessionKillGroup.members(SessionKillGroup.MARK + "=" + run + "/", -1);
        }
        List<Long> all = new ArrayList<>();
        for (Path child : children()) {
            try {
                Files.readAllLines(child.resolve("cgroup.procs")).forEach(line -> all.add(Long.valueOf(line)));
            } catch (NoSuchFileException _) {
                // Removed meanwhile.
            } catch (IOException e) {
                throw unreadable(e);
            }
        }
        return all.stream().filter(pid -> !ProcFs.dead(pid)).toList();
    }

    /// Kills everything of the run, whoever started it, and removes the groups.
    ///
    /// @throws TomboloException KILL_GROUP_SURVIVED
    public void killAll(long timeoutMs) {
        long deadlineNs = System.nanoTime() + timeoutMs * 1_000_000L;
        while (!nobodyLeft()) {
            if (System.nanoTime() > deadlineNs) {
                throw TomboloException
                        .error(ClusterError.KILL_GROUP_SURVIVED, "processes are still there after SIGKILL")
                        .fact("run", run).fact("pids", members()).next("look at them with ps").build();
            }
            killOnce();
            LockSupport.parkNanos(1_000_000L);
        }
        close();
    }

    private void killOnce() {
        if (parent.isEmpty()) {
            members().forEach(pid -> Linux.kill(pid, Linux.SIGKILL));
            return;
        }
        try {
            Files.writeString(parent.get().resolve("cgroup.kill"), "1");
        } catch (NoSuchFileException _) {
            // Removed meanwhile, so it was empty.
        } catch (IOException e) {
            throw unreadable(e);
        }
    }

    /// Two looks, as in [SessionKillGroup].
    private boolean nobodyLeft() {
        List<Long> first = members();
        return first.isEmpty() && members().isEmpty();
    }

    private List<Path> children() {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(parent.orElseThrow(), Files::isDirectory)) {
            entries.forEach(found::add);
        } catch (NoSuchFileException _) {
            return List.of();
        } catch (IOException e) {
            throw unreadable(e);
        }
        return found;
    }

    private TomboloException unreadable(IOException e) {
        return TomboloException.error(ClusterError.KILL_GROUP_UNAVAILABLE, "the cgroup cannot be used")
                .fact("cgroup", parent.orElseThrow()).fact("cause", e).cause(e).build();
    }

    private static void removeRetrying(Path directory) throws IOException {
        // A process that has just been reaped may hold its cgroup for a moment longer.
        long deadlineNs = System.nanoTime() + REMOVE_TIMEOUT_MS * 1_000_000L;
        while (true) {
            try {
                Files.deleteIfExists(directory);
                return;
            } catch (IOException e) {
                if (System.nanoTime() > deadlineNs) {
                    throw e;
                }
                LockSupport.parkNanos(1_000_000L);
            }
        }
    }

    /// Removes the roof. All groups are empty.
    @Override
    public void close() {
        if (parent.isEmpty()) {
            return;
        }
        try {
            for (Path child : children()) {
                removeRetrying(child);
            }
            removeRetrying(parent.get());
        } catch (IOException e) {
            throw unreadable(e);
        }
    }
}

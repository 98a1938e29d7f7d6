package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.Threads;
import io.tombolo.deploy.cluster.ProcessState;
import io.tombolo.deploy.cluster.StopReason;
import io.tombolo.deploy.cluster.SupervisedProcess;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// `disk`: servers of ZooKeeper cannot write any more: the limit of their file sizes (RLIMIT_FSIZE, with prlimit(1)) is
/// set below that of their logs, so every write fails as on a full disk, with another errno (EFBIG, not ENOSPC).
/// Needs no rights, and leaves nothing to clean up. A server that meets it ends itself or loses the thread that writes,
/// and is started again. What it has to say meanwhile is lost too.
public final class DiskNemesis implements Nemesis {
    private static final Logger LOG = LoggerFactory.getLogger(DiskNemesis.class);
    private static final int FULL_BYTES = 4096;
    private static final String WRITER = "SyncThread:";
    private static final long LOOK_NS = 50_000_000;
    private static final long COMMAND_MS = 2_000;

    private final Targets targets;
    private final Healing healing;
    /// Who is hit, and its process.
    private final Map<String, Long> hit = new ConcurrentHashMap<>();
    private final Set<String> failed = ConcurrentHashMap.newKeySet();
    private Thread watch;
    private volatile boolean ending;

    public DiskNemesis(Targets targets) {
        this.targets = requireNonNull(targets, "targets is null");
        this.healing = targets.healing();
    }

    @Override
    public String name() {
        return "disk";
    }

    @Override
    public double lasting() {
        return 1.5;
    }

    @Override
    public Map<String, Object> choose(SplittableRandom random) {
        return Targets.choose(random, List.of(Targets.ZOOKEEPER));
    }

    @Override
    public Object begin(Map<String, Object> chosen) {
        List<String> servers = targets.resolve(chosen).stream()
                .filter(server -> limit(server, Integer.toString(FULL_BYTES))).toList();
        servers.forEach(server -> hit.put(server, targets.cluster().processes().process(server).pid()));
        failed.clear();
        ending = false;
        watch = Thread.ofPlatform().daemon().name("chaos-disks").start(this::watch);
        return servers;
    }

    /// A server whose writing thread has ended is killed before it can take part in an election. In the same process it
    /// would go on with what it has in memory and a log with a hole in it, which it refuses when it is next started
    /// (`First digest mismatch`, chaos storm seed 105): ZooKeeper survives a full disk if it ends, and not otherwise.
    private void watch() {
        Set<String> writing = new HashSet<>();
        while (!ending) {
            hit.forEach((server, pid) -> {
                if (failed.contains(server)) {
                    return;
                }
                switch (writes(server, pid)) {
                    case YES -> writing.add(server);
                    case NO -> {
                        if (writing.contains(server)) {
                            failed.add(server);
                            var _ = targets.cluster().kill(server);
                        }
                    }
                    case ENDED -> failed.add(server);
                    case UNKNOWN -> {
                    }
                }
            });
            LockSupport.parkNanos(this, LOOK_NS);
        }
    }

    private enum Writes {
        YES, NO, ENDED, UNKNOWN
    }

    /// Whether it has the thread that writes. The log does not tell: it is a file too.
    private Writes writes(String server, long pid) {
        SupervisedProcess process = targets.cluster().processes().process(server);
        if (process.pid() != pid || process.state() == ProcessState.STOPPED) {
            return targets.cluster().stops().stream()
                    .anyMatch(stop -> stop.pid() == pid && stop.reason() == StopReason.EXITED)
                            ? Writes.ENDED
                            : Writes.UNKNOWN;
        }
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc", Long.toString(pid), "task"))) {
            for (Path thread : threads) {
                if (Files.readString(thread.resolve("comm")).startsWith(WRITER)) {
                    return Writes.YES;
                }
            }
            return Writes.NO;
        } catch (IOException | DirectoryIteratorException e) {
            LOG.debug("a thread of {} ends just now", server, e);
            return Writes.UNKNOWN;
        }
    }

    private boolean limit(String server, String bytes) {
        long pid = targets.cluster().processes().process(server).pid();
        try {
            Process command = new ProcessBuilder("prlimit", "--pid", Long.toString(pid), "--fsize=" + bytes + ":")
                    .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            return command.waitFor(COMMAND_MS, TimeUnit.MILLISECONDS) && command.exitValue() == 0;
        } catch (IOException e) {
            LOG.warn("prlimit cannot be used", e);
            return false;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public Object end() {
        ending = true;
        if (watch != null) {
            Threads.awaitEnd(watch);
            watch = null;
        }
        hit.keySet().stream().filter(server -> !failed.contains(server)).forEach(server -> limit(server, "unlimited"));
        List<String> done = new ArrayList<>(failed.stream().map(server -> server + " could not write").toList());
        healing.letUp(hit.keySet()).forEach(server -> done.add(server + " is started again"));
        hit.clear();
        return done;
    }

    @Override
    public boolean tookEffect() {
        return !failed.isEmpty();
    }

    @Override
    public List<Expected> expected() {
        // Its log is a file like others, so the line that says it may be cut off anywhere.
        return List.of(new Expected("a server that cannot write", "zookeeper-\\d+\\.log",
                " ERROR (\\S+ .*(File too large|unrecoverable error|Exiting JVM with code 10)"
                        + "|ZooKeeperCriticalThread \\[SyncThread:|\\S{0,24}( \\[\\S*)?$)"));
    }
}

package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import io.tombolo.deploy.cluster.ProcessState;
import io.tombolo.deploy.cluster.StopReason;
import io.tombolo.deploy.cluster.SupervisedProcess;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
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
    private static final long COMMAND_MS = 2_000;

    private final Targets targets;
    private final Healing healing;
    /// Who is hit, and its process.
    private final Map<String, Long> hit = new LinkedHashMap<>();
    private boolean effect;

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
        effect = false;
        List<String> servers = targets.resolve(chosen).stream()
                .filter(server -> limit(server, Integer.toString(FULL_BYTES))).toList();
        servers.forEach(server -> hit.put(server, targets.cluster().processes().process(server).pid()));
        return servers;
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

    /// A server that has met the limit has lost the thread that writes: it may go on answering, with no log behind it,
    /// and only starting it again makes it whole.
    @Override
    public Object end() {
        List<String> done = new ArrayList<>();
        hit.forEach((server, pid) -> {
            boolean failed = couldNotWrite(server, pid);
            limit(server, "unlimited");
            if (failed) {
                effect = true;
                done.add(server + " could not write");
                var _ = targets.cluster().kill(server);
            }
        });
        healing.letUp(hit.keySet()).forEach(server -> done.add(server + " is started again"));
        hit.clear();
        return done;
    }

    /// Whether it ended by itself, or lives without the thread that writes. The log does not tell: it is a file too.
    private boolean couldNotWrite(String server, long pid) {
        SupervisedProcess process = targets.cluster().processes().process(server);
        if (process.pid() != pid || process.state() == ProcessState.STOPPED) {
            return targets.cluster().stops().stream()
                    .anyMatch(stop -> stop.pid() == pid && stop.reason() == StopReason.EXITED);
        }
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc", Long.toString(pid), "task"))) {
            for (Path thread : threads) {
                if (Files.readString(thread.resolve("comm")).startsWith(WRITER)) {
                    return false;
                }
            }
            return true;
        } catch (IOException e) {
            LOG.debug("{} ends just now", server, e);
            return false;
        }
    }

    @Override
    public boolean tookEffect() {
        return effect;
    }

    @Override
    public List<Expected> expected() {
        return List.of(new Expected("a server that cannot write", "zookeeper-\\d+\\.log",
                " ERROR \\S+ .*(File too large|unrecoverable error"
                        + "|Exiting JVM with code 10)"));
    }
}

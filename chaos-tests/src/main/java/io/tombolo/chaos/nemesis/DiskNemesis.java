package io.tombolo.chaos.nemesis;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// `disk`: servers of ZooKeeper cannot write any more: the limit of their file sizes (RLIMIT_FSIZE, with prlimit(1)) is
/// set below that of their logs, so every write fails as on a full disk, with another errno (EFBIG, not ENOSPC).
/// Needs no rights, and leaves nothing to clean up. A server that meets it ends itself, and is started again.
public final class DiskNemesis implements Nemesis {
    private static final Logger LOG = LoggerFactory.getLogger(DiskNemesis.class);
    private static final int FULL_BYTES = 4096;
    private static final long COMMAND_MS = 2_000;

    private final Targets targets;
    private final Healing healing;
    private final List<String> hit = new ArrayList<>();

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
        hit.addAll(servers);
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

    @Override
    public Object end() {
        hit.forEach(server -> limit(server, "unlimited"));
        List<String> revived = healing.letUp(hit);
        hit.clear();
        return revived;
    }

    @Override
    public List<String> expected() {
        return List.of(" ERROR \\S+ .*(File too large|unrecoverable error)", "Severe unrecoverable error");
    }
}

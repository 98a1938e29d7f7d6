package io.tombolo.coordinator.zk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.zookeeper.ZooKeeper;

/// A real ZooKeeper server process for one test class, and connections to a tree of its own for each test.
public final class ZooKeeperServers implements AutoCloseable {
    /// Short sessions, but not so short that a busy machine loses them by itself.
    public static final int TICK_MS = 200;
    public static final int SESSION_MS = 1_000;
    private static final AtomicInteger ROOTS = new AtomicInteger();

    private final Path directory;
    private final ZooKeeperEnsemble ensemble;

    public ZooKeeperServers(int count) throws IOException {
        directory = Files.createTempDirectory("tombolo-zk-");
        ensemble = ZooKeeperEnsemble.start(directory, count, TICK_MS);
    }

    public ZooKeeperEnsemble ensemble() {
        return ensemble;
    }

    public ZooKeeperProcess server() {
        return ensemble.servers().getFirst();
    }

    public static ZkPaths newTree() {
        return new ZkPaths("/test/t" + ROOTS.incrementAndGet());
    }

    public ZkConnection connect(ZkPaths tree) {
        ZkConnection zk = ZkConnection.open(ensemble.connectString(), tree, SESSION_MS, 10_000);
        new ClusterTree(zk).join(new ClusterRecord(new UUID(1, 1), "test", new UUID(2, 2)));
        return zk;
    }

    /// Ends a session at the server, as an expiry would, while its client believes in it.
    public void expire(ZkConnection zk) throws Exception {
        ZooKeeper victim = zk.curator().getZookeeperClient().getZooKeeper();
        ZooKeeper twin = new ZooKeeper(ensemble.connectString(), SESSION_MS, _ -> {
        }, victim.getSessionId(), victim.getSessionPasswd());
        try {
            long startNs = System.nanoTime();
            while (twin.getState() != ZooKeeper.States.CONNECTED) {
                if (System.nanoTime() - startNs > TimeUnit.SECONDS.toNanos(10)) {
                    throw new AssertionError("the twin of the session cannot connect");
                }
                Thread.onSpinWait();
            }
        } finally {
            twin.close();
        }
    }

    /// Sends a signal by name, for example STOP.
    public static void signal(long pid, String name) throws IOException, InterruptedException {
        int status = new ProcessBuilder("kill", "-" + name, Long.toString(pid)).inheritIO().start().waitFor();
        if (status != 0) {
            throw new AssertionError("kill -" + name + " " + pid + " ended with " + status);
        }
    }

    @Override
    public void close() throws IOException {
        ensemble.close();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}

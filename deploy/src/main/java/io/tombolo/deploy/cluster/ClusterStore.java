package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;

/// The files of one cluster name: who holds the name, and what its run is.
///
/// A name is held by a lock on `<state>/<name>.lock`, which the kernel lets go of however its holder ends; a `cluster.json`
/// without a holder is what a dead supervisor left.
final class ClusterStore implements AutoCloseable {
    private static final String FACTS = "cluster.json";
    private static final long KILL_TIMEOUT_MS = 30_000;

    private final String name;
    private final Path directory;
    private final Path lockFile;
    private final FileChannel channel;
    private final FileLock lock;

    private ClusterStore(String name, Path directory, Path lockFile, FileChannel channel, FileLock lock) {
        this.name = name;
        this.directory = directory;
        this.lockFile = lockFile;
        this.channel = channel;
        this.lock = lock;
    }

    /// Takes the name, or empty if somebody holds it.
    static Optional<ClusterStore> take(String name, ClusterPlaces places) {
        requireNonNull(name, "name is null");
        Path lockFile = places.state().resolve(name + ".lock");
        try {
            Files.createDirectories(places.state());
            while (true) {
                FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = tryLock(channel);
                if (lock == null) {
                    channel.close();
                    return Optional.empty();
                }
                // The holder before may have deleted the file between our open and our lock: then we locked nothing.
                if (sameFile(channel, lockFile)) {
                    return Optional.of(new ClusterStore(name, places.directory(name), lockFile, channel, lock));
                }
                channel.close();
            }
        } catch (IOException e) {
            throw files(name, lockFile, e);
        }
    }

    private static FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException _) {
            // Held by this very process.
            return null;
        }
    }

    private static boolean sameFile(FileChannel channel, Path path) throws IOException {
        // A byte of our own that shows through the path: FileChannel has no fstat.
        long stamp = System.nanoTime();
        channel.truncate(0);
        channel.write(ByteBuffer.allocate(8).putLong(stamp).flip(), 0);
        try {
            byte[] seen = Files.readAllBytes(path);
            return seen.length == 8 && ByteBuffer.wrap(seen).getLong() == stamp;
        } catch (NoSuchFileException _) {
            return false;
        }
    }

    static TomboloException files(String name, Path path, IOException cause) {
        return TomboloException.error(ClusterError.CLUSTER_FILES, "the files of a cluster cannot be used")
                .fact("cluster", name).fact("path", path).fact("cause", cause)
                .next("check the directory and its rights, or set TOMBOLO_STATE").cause(cause).build();
    }

    /// What is known of a run; empty if there is none.
    static Optional<ClusterFacts> facts(String name, ClusterPlaces places) {
        Path file = places.directory(name).resolve(FACTS);
        try {
            return Optional.of(Json.parse(Files.readString(file), ClusterFacts.class));
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (JsonProcessingException e) {
            throw TomboloException.error(ClusterError.CLUSTER_FILES, "the file of a cluster is damaged")
                    .fact("file", file).fact("cause", e.getOriginalMessage())
                    .next("stop its processes by hand, then remove " + places.directory(name)).cause(e).build();
        } catch (IOException e) {
            throw files(name, file, e);
        }
    }

    Path directory() {
        return directory;
    }

    /// Writes the facts so that a reader sees either the old or the new ones.
    void write(ClusterFacts facts) {
        Path file = directory.resolve(FACTS);
        try {
            Path fresh = directory.resolve(FACTS + ".new");
            Files.writeString(fresh, Json.line(facts));
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw files(name, file, e);
        }
    }

    /// Kills and removes what a supervisor that died has left; the number of processes that were still there.
    int cleanUp(ClusterPlaces places) {
        Optional<ClusterFacts> left = facts(name, places);
        if (left.isEmpty()) {
            return 0;
        }
        ClusterFacts facts = left.get();
        KillGroups groups = KillGroups.ofDeadRun(facts.run(),
                facts.cgroup().isEmpty() ? Optional.empty() : Optional.of(Path.of(facts.cgroup())));
        int living = groups.members().size();
        groups.killAll(KILL_TIMEOUT_MS);
        Path run = Path.of(facts.runDirectory());
        if (Files.exists(run.resolve(LocalCluster.RUN_MARK))) {
            delete(run);
        }
        delete(directory);
        return living;
    }

    /// Deletes a directory with all that is in it, if it is there.
    void delete(Path tree) {
        if (!Files.exists(tree)) {
            return;
        }
        try {
            Files.walkFileTree(tree, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.deleteIfExists(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path visited, IOException failure) throws IOException {
                    Files.deleteIfExists(visited);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw files(name, tree, e);
        }
    }

    /// Lets the name go.
    @Override
    public void close() {
        try {
            Files.deleteIfExists(lockFile);
            lock.release();
            channel.close();
        } catch (IOException e) {
            throw files(name, lockFile, e);
        }
    }
}

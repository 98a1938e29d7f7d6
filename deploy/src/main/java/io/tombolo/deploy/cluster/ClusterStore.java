package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/// The files of one cluster name: who holds the name, and what its run is.
///
/// A name is held by a lock on `<state>/<name>.lock`, which the kernel lets go of however its holder ends; a
/// `cluster.json` without a holder is what a dead supervisor left.
final class ClusterStore implements AutoCloseable {
    private static final String FACTS = "cluster.json";
    private static final long KILL_TIMEOUT_MS = 30_000;

    /// Names that this process holds. POSIX locks are per process, and lost when *any* descriptor of the file is
    /// closed, so a second attempt from the same process must not even open the file.
    private static final Set<Path> HELD_HERE = ConcurrentHashMap.newKeySet();

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
        if (!HELD_HERE.add(lockFile)) {
            return Optional.empty();
        }
        ClusterStore taken = null;
        try {
            Files.createDirectories(places.state());
            taken = lock(name, places.directory(name), lockFile);
            return Optional.ofNullable(taken);
        } catch (IOException e) {
            throw files(name, lockFile, e);
        } finally {
            if (taken == null) {
                HELD_HERE.remove(lockFile);
            }
        }
    }

    private static ClusterStore lock(String name, Path directory, Path lockFile) throws IOException {
        while (true) {
            FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock();
            if (lock == null) {
                channel.close();
                return null;
            }
            // The holder before may have deleted the file between our open and our lock: then we locked nothing.
            if (sameFile(channel, lockFile)) {
                return new ClusterStore(name, directory, lockFile, channel, lock);
            }
            channel.close();
        }
    }

    /// Whether the path still means the file behind the channel: a length that we give the one must show in the other.
    /// The path is only looked at, never opened, because to close any descriptor of a file is to lose all locks on it.
    private static boolean sameFile(FileChannel channel, Path path) throws IOException {
        long length = 1 + ThreadLocalRandom.current().nextLong(1L << 40);
        channel.truncate(0);
        channel.write(ByteBuffer.wrap(new byte[1]), length - 1);
        try {
            return Files.size(path) == length;
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
                public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
                    if (failure instanceof NoSuchFileException) {
                        // Somebody else deletes here too: the guard, or a process at its end.
                        return FileVisitResult.CONTINUE;
                    }
                    throw failure;
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
        } finally {
            HELD_HERE.remove(lockFile);
        }
    }
}

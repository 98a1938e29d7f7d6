package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.deploy.cluster.ControlProtocol.Failure;
import io.tombolo.region.TomboloException;
import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/// The local clusters of a user, by name: what `tombolo up`, `status` and `down` call. No state of its own.
public final class Clusters {
    private static final long POLL_NS = 20_000_000L;

    private Clusters() {
    }

    /// Starts a cluster under a supervisor process of its own that stays when this one ends, and waits until it is
    /// ready.
    ///
    /// @param progress told one line per process that became ready
    /// @throws TomboloException what [LocalCluster#start] throws, with the same codes; SUPERVISOR_UNREACHABLE
    public static RunningCluster up(ClusterSpec spec, ClusterPlaces places, ClusterPrograms programs,
            Consumer<String> progress) {
        requireNonNull(spec, "spec is null");
        Path directory = places.directory(spec.name());
        Process supervisor;
        // Held only to look and to clean up; the supervisor takes the name itself.
        try (ClusterStore store = ClusterStore.take(spec.name(), places)
                .orElseThrow(() -> LocalCluster.alreadyUp(spec.name()))) {
            store.cleanUp(places);
            store.delete(directory);
            Files.createDirectories(directory);
            Files.writeString(directory.resolve(ClusterDaemon.SPEC), Json
                    .line(new ClusterDaemon.Order(spec, places.state().toString(), places.memory().toString())));
        } catch (IOException e) {
            throw ClusterStore.files(spec.name(), directory, e);
        }
        Path log = directory.resolve("supervisor.log");
        try {
            List<String> command = new ArrayList<>(List.of("setsid"));
            command.addAll(programs.supervisor(directory));
            supervisor = new ProcessBuilder(command).redirectErrorStream(true)
                    .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile())).start();
        } catch (IOException e) {
            throw ClusterStore.files(spec.name(), directory, e);
        }
        return awaitUp(spec, places, supervisor, log, progress);
    }

    private static RunningCluster awaitUp(ClusterSpec spec, ClusterPlaces places, Process supervisor, Path log,
            Consumer<String> progress) {
        long deadlineNs = System.nanoTime() + 4L * spec.timings().startTimeoutMs() * 1_000_000L;
        Map<String, ProcessState> told = new HashMap<>();
        while (true) {
            Optional<TomboloException> failure = failure(places.directory(spec.name()));
            if (failure.isPresent()) {
                throw failure.get();
            }
            Optional<ClusterFacts> facts = ClusterStore.facts(spec.name(), places);
            if (facts.isPresent() && facts.get().supervisorPid() == supervisor.pid()) {
                facts.get().processes().forEach(p -> {
                    if (told.put(p.name(), p.state()) != p.state()) {
                        progress.accept(p.name() + " pid " + p.pid() + " " + p.state());
                    }
                });
                Path run = Path.of(facts.get().runDirectory());
                if (facts.get().up() && Files.exists(run.resolve(ControlProtocol.SOCKET))) {
                    return new RemoteCluster(spec.name(), run);
                }
            }
            if (!supervisor.isAlive() || System.nanoTime() > deadlineNs) {
                boolean alive = supervisor.isAlive();
                supervisor.destroyForcibly();
                failure(places.directory(spec.name())).ifPresent(e -> {
                    throw e;
                });
                throw TomboloException
                        .error(ClusterError.SUPERVISOR_UNREACHABLE,
                                alive ? "the supervisor did not come up in time" : "the supervisor ended")
                        .fact("cluster", spec.name()).fact("log", log).next("read the log").build();
            }
            LockSupport.parkNanos(POLL_NS);
        }
    }

    private static Optional<TomboloException> failure(Path directory) {
        Path file = directory.resolve(ClusterDaemon.FAILURE);
        try {
            return Optional.of(Json.parse(Files.readString(file), Failure.class).toException());
        } catch (NoSuchFileException _) {
            return Optional.empty();
        } catch (IOException e) {
            throw ClusterStore.files(directory.getFileName().toString(), file, e);
        }
    }

    /// A cluster that runs.
    ///
    /// @throws TomboloException CLUSTER_NOT_FOUND
    public static RunningCluster find(String name, ClusterPlaces places) {
        ClusterFacts facts = ClusterStore.facts(name, places).orElseThrow(() -> notFound(name, places));
        if (!supervisorLives(facts)) {
            throw TomboloException.error(ClusterError.CLUSTER_NOT_FOUND, "the supervisor of the cluster is dead")
                    .fact("cluster", name).fact("supervisorPid", facts.supervisorPid())
                    .next("`tombolo down --cluster " + name + "` cleans up, `tombolo up` starts it again").build();
        }
        return new RemoteCluster(name, Path.of(facts.runDirectory()));
    }

    /// A cluster by the control socket of its supervisor. Whether somebody answers there is found by the first call.
    public static RunningCluster at(Path socket) {
        return new RemoteCluster(socket);
    }

    private static boolean supervisorLives(ClusterFacts facts) {
        return Linux.kill(facts.supervisorPid(), 0) && Files.exists(Path.of(facts.runDirectory()));
    }

    private static TomboloException notFound(String name, ClusterPlaces places) {
        String known = String.join(",", list(places).stream().map(ClusterFacts::name).toList());
        return TomboloException.error(ClusterError.CLUSTER_NOT_FOUND, "no cluster of that name is running")
                .fact("cluster", name).fact("running", known.isEmpty() ? "none" : known)
                .next("start it with `tombolo up --cluster " + name + "`").build();
    }

    /// What is known of a cluster without asking its supervisor.
    public static Optional<ClusterFacts> facts(String name, ClusterPlaces places) {
        return ClusterStore.facts(name, places);
    }

    /// All clusters that run, by name.
    public static List<ClusterFacts> list(ClusterPlaces places) {
        List<ClusterFacts> all = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(places.state(), Files::isDirectory)) {
            for (Path entry : entries) {
                ClusterStore.facts(entry.getFileName().toString(), places).filter(Clusters::supervisorLives)
                        .ifPresent(all::add);
            }
        } catch (NoSuchFileException _) {
            return List.of();
        } catch (IOException e) {
            throw ClusterStore.files("all", places.state(), e);
        }
        all.sort(Comparator.comparing(ClusterFacts::name));
        return List.copyOf(all);
    }

    /// Removes what clusters whose supervisor was killed have left; of those that run nothing is touched.
    ///
    /// @param prefix of their names
    public static void removeDead(String prefix, ClusterPlaces places) {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(places.state(),
                entry -> Files.isDirectory(entry) && entry.getFileName().toString().startsWith(prefix))) {
            entries.forEach(entry -> names.add(entry.getFileName().toString()));
        } catch (NoSuchFileException _) {
            return;
        } catch (IOException e) {
            throw ClusterStore.files(prefix + "*", places.state(), e);
        }
        for (String name : names) {
            if (ClusterStore.facts(name, places).isPresent()) {
                ClusterStore.take(name, places).ifPresent(store -> {
                    try (store) {
                        store.cleanUp(places);
                    }
                });
            }
        }
    }

    /// Stops a cluster and removes its files, also what is left of one whose supervisor has died.
    ///
    /// @return how many processes were stopped
    /// @throws TomboloException CLUSTER_NOT_FOUND
    public static int down(String name, ClusterPlaces places) {
        ClusterFacts facts = ClusterStore.facts(name, places).orElseThrow(() -> notFound(name, places));
        Optional<ClusterStore> free = ClusterStore.take(name, places);
        if (free.isPresent()) {
            try (ClusterStore store = free.get()) {
                return store.cleanUp(places);
            }
        }
        try (RunningCluster cluster = new RemoteCluster(name, Path.of(facts.runDirectory()))) {
            return (int) cluster.facts().processes().stream().filter(p -> p.state() != ProcessState.STOPPED).count();
        }
    }
}

package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.right.Timings;
import io.tombolo.coordinator.Threads;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Starts the processes of a cluster, each in a kill group of its own, and is the watchdog of those that have one.
///
/// It is the trusted base: what it says about a process having stopped is what takeover may rely on, and nothing in a
/// drill or a chaos run attacks it. It starts nothing again by itself; somebody has to ask ([#restart]).
///
/// When it dies, its [Guard] kills what it had started. When it is closed, it has done so itself. Thread safe.
public final class Supervisor implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Supervisor.class);
    private static final int NAME_BYTES_MAX = 107;

    private final Path runDirectory;
    private final Timings timings;
    private final KillGroups groups;
    private final Guard guard;
    private final Path stops;
    private final Consumer<StopRecord> evidence;
    private final Map<String, SupervisedProcess> processes = new LinkedHashMap<>();
    private final List<StopRecord> records = new ArrayList<>();
    private boolean closed;

    /// @param runDirectory existing directory with a short path; holds the notify sockets and `stops.jsonl`
    /// @param groups the supervisor closes them
    /// @param removeAtDeath a directory that the guard deletes if this process dies without closing the supervisor; it
    ///        must hold a file `.tombolo-run`
    public Supervisor(Path runDirectory, Timings timings, KillGroups groups, Optional<Path> removeAtDeath) {
        this(runDirectory, timings, groups, removeAtDeath, _ -> {
        });
    }

    /// @param evidence told of every confirmed stop before anybody else, by the thread that confirmed it; who waits for
    ///        a process to have stopped finds that it was told
    public Supervisor(Path runDirectory, Timings timings, KillGroups groups, Optional<Path> removeAtDeath,
            Consumer<StopRecord> evidence) {
        this.evidence = requireNonNull(evidence, "evidence is null");
        this.runDirectory = requireNonNull(runDirectory, "runDirectory is null");
        this.timings = requireNonNull(timings, "timings is null");
        this.groups = requireNonNull(groups, "groups is null");
        this.stops = runDirectory.resolve("stops.jsonl");
        this.guard = Guard.start(groups, removeAtDeath);
    }

    /// Starts a process; does not wait until it is ready.
    ///
    /// @throws TomboloException PROCESS_START_FAILED
    public synchronized SupervisedProcess start(ProcessSpec spec) {
        requireNonNull(spec, "spec is null");
        if (closed) {
            throw new IllegalStateException("the supervisor is closed");
        }
        SupervisedProcess before = processes.get(spec.name());
        if (before != null && before.state() != ProcessState.STOPPED) {
            throw TomboloException.error(ClusterError.PROCESS_START_FAILED, "a process of that name is running")
                    .fact("process", spec.name()).fact("pid", before.pid()).next("kill or stop it first").build();
        }
        int start = before == null ? 1 : before.startNumber() + 1;
        Path socket = runDirectory.resolve(spec.name() + "." + start + ".sock");
        if (socket.toString().length() > NAME_BYTES_MAX) {
            throw TomboloException
                    .error(ClusterError.PROCESS_START_FAILED, "the path is too long for the name of a socket")
                    .fact("path", socket).fact("limit", NAME_BYTES_MAX).next("use a shorter directory").build();
        }
        SupervisedProcess process = SupervisedProcess.start(spec, start, socket,
                groups.create(spec.name() + "." + start),
                timings, this::stopped);
        guard.add(process.pid());
        if (process.state() == ProcessState.STOPPED) {
            guard.remove(process.pid());
        }
        processes.put(spec.name(), process);
        LOG.info("started {} pid {} in {}", spec.name(), process.pid(), process.group());
        return process;
    }

    private void stopped(StopRecord record) {
        try {
            evidence.accept(record);
        } catch (RuntimeException e) {
            // Without it a takeover waits for other evidence; the record must be kept all the same.
            LOG.error("the stop of {} pid {} cannot be said in the region", record.process(), record.pid(), e);
        }
        guard.remove(record.pid());
        LOG.info("stopped: {}", record);
        synchronized (records) {
            records.add(record);
        }
        try {
            Files.writeString(stops, Json.line(record) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            LOG.error("the record of {} cannot be written to {}", record.process(), stops, e);
        }
    }

    /// The latest start of a process.
    ///
    /// @throws TomboloException PROCESS_UNKNOWN
    public synchronized SupervisedProcess process(String name) {
        SupervisedProcess found = processes.get(name);
        if (found == null) {
            throw TomboloException.error(ClusterError.PROCESS_UNKNOWN, "the cluster has no process of that name")
                    .fact("process", name).fact("known", String.join(",", processes.keySet()))
                    .next("use one of the known names").build();
        }
        return found;
    }

    public synchronized List<SupervisedProcess> processes() {
        return List.copyOf(processes.values());
    }

    /// Everything that was confirmed stopped, in that order, restarted ones too.
    public List<StopRecord> stopRecords() {
        synchronized (records) {
            return List.copyOf(records);
        }
    }

    /// Which kind of kill groups the processes have.
    public KillGroups.Kind kind() {
        return groups.kind();
    }

    /// The run's kill groups, whose names go into the cluster's file.
    KillGroups groups() {
        return groups;
    }

    /// Pid of the guard, for tests.
    long guardPid() {
        return guard.pid();
    }

    /// Starts a stopped process again, as it was: same command, same files, next start number, new kill group.
    public SupervisedProcess restart(String name) {
        SupervisedProcess before = process(name);
        before.awaitStopped(timings.startTimeoutMs());
        return start(before.spec());
    }

    /// Waits until all are ready.
    ///
    /// @throws TomboloException PROCESS_ENDED_EARLY, PROCESS_NOT_READY, with the end of the process's log
    public void awaitReady(Collection<SupervisedProcess> started, long timeoutMs) {
        long deadlineNs = System.nanoTime() + timeoutMs * 1_000_000L;
        for (SupervisedProcess process : started) {
            process.awaitReady(Math.max(0, (deadlineNs - System.nanoTime()) / 1_000_000L));
        }
    }

    /// Asks these to stop, all at once, and kills those that do not within `graceMs`.
    public void stop(Collection<SupervisedProcess> victims, long graceMs) {
        forAll(victims, process -> process.stop(graceMs));
    }

    private static void forAll(Collection<SupervisedProcess> victims, Consumer<SupervisedProcess> action) {
        Threads.awaitEnd(victims.stream().map(v -> Thread.ofVirtual().start(() -> action.accept(v))).toList());
    }

    /// Kills everything that runs and removes the groups.
    @Override
    public void close() {
        List<SupervisedProcess> all;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            all = processes();
        }
        forAll(all, process -> process.kill(StopReason.SUPERVISOR_CLOSED));
        groups.killAll(timings.startTimeoutMs());
        guard.close();
    }
}

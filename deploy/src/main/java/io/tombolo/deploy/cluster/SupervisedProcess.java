package io.tombolo.deploy.cluster;

import io.tombolo.agent.right.Timings;
import io.tombolo.agent.right.WatchdogSettings;
import io.tombolo.region.TomboloException;
import io.tombolo.region.os.Linux;
import io.tombolo.region.os.NotifySocket;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One start of one process: its kill group, its notify socket and the thread that reads it and judges its pets.
///
/// All ways to an end lead through that thread: it sends the SIGKILL, waits until the group is empty, and writes the
/// [StopRecord]. Methods are thread safe.
public final class SupervisedProcess {
    private static final Logger LOG = LoggerFactory.getLogger(SupervisedProcess.class);
    /// Upper end of one wait while the process starts, so that its readiness is looked at.
    private static final long START_TURN_MS = 20;
    /// Upper end of one wait afterwards; requests and the end of the process wake the thread.
    private static final long TURN_MS = 200;
    private static final long OWN_PID = ProcessHandle.current().pid();
    private static final String WAKE = "wake";
    private static final long REAP_TIMEOUT_MS = 60_000;
    /// Nobody keeps the watchdog from judging by sending without end; more than this does not fit a socket's queue.
    private static final int DRAIN_MAX = 1000;
    private static final int LOG_TAIL_BYTES = 4000;

    private final ProcessSpec spec;
    private final int startNumber;
    private final KillGroup group;
    private final NotifySocket socket;
    private final NotifySocket waker;
    private final Process process;
    private final PetWatch watch;
    private final Consumer<StopRecord> onStopped;
    private final CountDownLatch readyLatch = new CountDownLatch(1);
    private final CountDownLatch stoppedLatch = new CountDownLatch(1);
    private final Thread thread;
    private volatile ProcessState state = ProcessState.STARTING;
    private volatile StopReason asked;
    private volatile boolean stopRequested;
    private volatile long signalledNs;
    private volatile StopRecord record;
    private volatile Map<String, String> declared = Map.of();

    private SupervisedProcess(ProcessSpec spec, int startNumber, KillGroup group, NotifySocket socket, Process process,
            PetWatch watch, Consumer<StopRecord> onStopped) {
        this.spec = spec;
        this.startNumber = startNumber;
        this.group = group;
        this.socket = socket;
        this.waker = NotifySocket.sender(socket.name());
        this.process = process;
        this.watch = watch;
        this.onStopped = onStopped;
        this.thread = Thread.ofPlatform().name("supervise " + spec.name()).daemon().unstarted(this::run);
    }

    static SupervisedProcess start(ProcessSpec spec, int startNumber, Path socketPath, KillGroup group, Timings timings,
            Consumer<StopRecord> onStopped) {
        NotifySocket socket = NotifySocket.bind(socketPath.toString());
        try {
            Process process = launch(spec, socketPath, group);
            PetWatch watch = new PetWatch(process.pid(), spec.watchdogNs().orElse(Long.MAX_VALUE),
                    Linux.clockBoottimeNs(), timings.startTimeoutMs() * 1_000_000L);
            SupervisedProcess supervised = new SupervisedProcess(spec, startNumber, group, socket, process, watch,
                    onStopped);
            supervised.thread.start();
            // What the main process leaves behind goes at once; the thread then waits for the confirmation.
            CompletableFuture<Void> _ = process.onExit().thenRun(supervised::mainEnded);
            return supervised;
        } catch (IOException e) {
            socket.close();
            group.close();
            throw TomboloException.error(ClusterError.PROCESS_START_FAILED, "a process cannot be started")
                    .fact("process", spec.name()).fact("command", spec.command().getFirst()).fact("cause", e)
                    .next("check that the program is there and executable").cause(e).build();
        }
    }

    private static Process launch(ProcessSpec spec, Path socketPath, KillGroup group) throws IOException {
        Files.createDirectories(spec.log().toAbsolutePath().getParent());
        ProcessBuilder builder = new ProcessBuilder(group.wrap(spec.command())).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(spec.log().toFile()))
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        Map<String, String> environment = builder.environment();
        // Of another service manager that started this process; it is not theirs to talk to.
        environment.keySet().removeAll(List.of("WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID"));
        environment.putAll(spec.environment());
        environment.putAll(group.environment());
        environment.put("NOTIFY_SOCKET", socketPath.toString());
        environment.put(WatchdogSettings.SUPERVISOR_KEY, "1");
        spec.watchdogNs().ifPresent(ns -> environment.put("WATCHDOG_USEC", Long.toString(ns / 1000)));
        Process process = builder.start();
        group.started(process);
        return process;
    }

    private void mainEnded() {
        if (state != ProcessState.STOPPED) {
            noteSignal();
            try {
                group.killOnce();
            } catch (RuntimeException e) {
                // The thread tries again until the group is empty, and says so if it fails.
                LOG.warn("{} could not be killed at once", group.describe(), e);
            }
            wake();
        }
    }

    /// Ends the thread's wait: it looks at what it was asked and whether the process still runs.
    private synchronized void wake() {
        if (state != ProcessState.STOPPED) {
            waker.send(WAKE);
        }
    }

    private synchronized void noteSignal() {
        if (signalledNs == 0) {
            signalledNs = Linux.clockBoottimeNs();
        }
    }

    private void run() {
        StopReason reason;
        try {
            reason = watchUntilTheEnd();
        } catch (RuntimeException | Error e) {
            LOG.error("the supervision of {} failed; its processes are killed", spec.name(), e);
            reason = StopReason.SUPERVISOR_CLOSED;
        }
        finish(reason);
    }

    private StopReason watchUntilTheEnd() {
        while (true) {
            // The clock before the queue: what is drained after it was there in time.
            long now = Linux.clockBoottimeNs();
            boolean trigger = drain();
            noteReadiness();
            if (asked != null) {
                return asked;
            }
            if (!process.isAlive()) {
                return stopRequested ? StopReason.STOPPED : StopReason.EXITED;
            }
            if (trigger || watch.dueNs() <= now) {
                LOG.warn("watchdog of {}: the oldest check was {} ms ago", spec.name(),
                        (now - watch.lastCheckedNs()) / 1_000_000L);
                return StopReason.WATCHDOG;
            }
            long turnMs = state == ProcessState.STARTING ? START_TURN_MS : TURN_MS;
            long waitMs = Math.min(turnMs, Math.max(1, (watch.dueNs() - now) / 1_000_000L));
            take(socket.receive(waitMs));
        }
    }

    /// Everything that is in the socket's queue now; true if the process asks to be killed.
    private boolean drain() {
        boolean trigger = false;
        for (int i = 0; i < DRAIN_MAX; i++) {
            NotifySocket.Datagram message = socket.receive(0);
            if (message == null) {
                break;
            }
            trigger |= take(message);
        }
        return trigger;
    }

    private boolean take(NotifySocket.Datagram message) {
        if (message == null || (message.pid() == OWN_PID && message.text().equals(WAKE))) {
            return false;
        }
        PetWatch.Verdict verdict = watch.take(message.text(), message.pid(), Linux.clockBoottimeNs());
        boolean refused = verdict == PetWatch.Verdict.REFUSED_SENDER || verdict == PetWatch.Verdict.REFUSED_TIME;
        // One that is refused again and again fills no log.
        if (refused && Long.bitCount(watch.refused()) == 1) {
            LOG.warn("{} refused from pid {}: {}: {}", spec.name(), message.pid(), verdict,
                    message.text().replace('\n', ' '));
        }
        declared = watch.declared();
        return verdict == PetWatch.Verdict.TRIGGERED;
    }

    private void noteReadiness() {
        if (state == ProcessState.STARTING
                && (watch.ready() || spec.readiness().map(probe -> probe.getAsBoolean()).orElse(false))) {
            state = ProcessState.READY;
            readyLatch.countDown();
        }
    }

    private void finish(StopReason reason) {
        noteSignal();
        long dueNs = watch.dueNs();
        long confirmedNs = group.kill(REAP_TIMEOUT_MS);
        drain();
        record = new StopRecord(spec.name(), startNumber, process.pid(), reason, watch.declared(), process.exitValue(),
                watch.lastCheckedNs(), dueNs, signalledNs, confirmedNs);
        synchronized (this) {
            state = ProcessState.STOPPED;
            waker.close();
            socket.close();
        }
        try {
            group.close();
        } catch (TomboloException e) {
            // The group is empty, which is what counts; KillGroups removes the directory once more at its end.
            LOG.debug("{} not removed yet", group.describe(), e);
        }
        onStopped.accept(record);
        readyLatch.countDown();
        stoppedLatch.countDown();
    }

    /// Kills the group and waits until that is confirmed.
    public StopRecord kill() {
        return kill(StopReason.KILLED);
    }

    StopRecord kill(StopReason reason) {
        ask(reason);
        // At once, not at the turn of the thread; that one goes on until the group is empty.
        if (state != ProcessState.STOPPED) {
            noteSignal();
            group.killOnce();
            wake();
        }
        return awaitStopped(REAP_TIMEOUT_MS);
    }

    private synchronized void ask(StopReason reason) {
        if (asked == null) {
            asked = reason;
        }
    }

    /// SIGTERM to the main process, SIGKILL to the group when it has ended or after `graceMs`.
    public StopRecord stop(long graceMs) {
        if (state != ProcessState.STOPPED && graceMs > 0) {
            stopRequested = true;
            process.destroy();
            try {
                process.waitFor(graceMs, TimeUnit.MILLISECONDS);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
        return kill(StopReason.STOPPED);
    }

    /// Sends a signal to the main process only: what a person with `kill` does.
    ///
    /// @throws TomboloException PROCESS_UNKNOWN if it does not run
    public void signalMain(int signal) {
        if (!process.isAlive() || !Linux.kill(process.pid(), signal)) {
            throw notRunning();
        }
    }

    /// Sends a signal to every process of the group.
    public void signalAll(int signal) {
        if (!process.isAlive()) {
            throw notRunning();
        }
        group.signal(signal);
    }

    /// SIGSTOP to the whole group.
    public void pause() {
        signalAll(Linux.SIGSTOP);
    }

    /// SIGCONT to the whole group.
    public void cont() {
        signalAll(Linux.SIGCONT);
    }

    private TomboloException notRunning() {
        return TomboloException.error(ClusterError.PROCESS_UNKNOWN, "the process does not run")
                .fact("process", spec.name()).fact("state", state).next("restart it first").build();
    }

    /// Waits until the process is ready.
    ///
    /// @throws TomboloException PROCESS_ENDED_EARLY, PROCESS_NOT_READY
    public void awaitReady(long timeoutMs) {
        boolean counted;
        try {
            counted = readyLatch.await(timeoutMs, TimeUnit.MILLISECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            counted = false;
        }
        if (state == ProcessState.READY) {
            return;
        }
        boolean ended = counted && state == ProcessState.STOPPED;
        TomboloException.Builder error = TomboloException
                .error(ended ? ClusterError.PROCESS_ENDED_EARLY : ClusterError.PROCESS_NOT_READY,
                        ended ? "a process ended before it was ready" : "a process was not ready in time")
                .fact("process", spec.name()).fact("pid", pid()).fact("log", spec.log());
        if (ended) {
            error.fact("reason", record.reason()).fact("exitStatus", record.exitStatus());
        }
        throw error.fact("lastWords", logTail()).next("read the log").build();
    }

    /// Waits for the confirmed stop.
    ///
    /// @throws TomboloException KILL_GROUP_SURVIVED if it is not there in time
    public StopRecord awaitStopped(long timeoutMs) {
        boolean stopped;
        try {
            stopped = stoppedLatch.await(timeoutMs, TimeUnit.MILLISECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            stopped = false;
        }
        if (!stopped) {
            throw TomboloException.error(ClusterError.KILL_GROUP_SURVIVED, "the process has not stopped")
                    .fact("process", spec.name()).fact("group", group.describe()).fact("pids", group.members())
                    .next("look at them with ps").build();
        }
        return record;
    }

    /// Last line of its log that is not part of a stack trace.
    public String logTail() {
        try (RandomAccessFile file = new RandomAccessFile(spec.log().toFile(), "r")) {
            file.seek(Math.max(0, file.length() - LOG_TAIL_BYTES));
            byte[] tail = new byte[(int) Math.min(LOG_TAIL_BYTES, file.length())];
            file.readFully(tail);
            return new String(tail, StandardCharsets.UTF_8).lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("\tat ")).reduce((a, b) -> b).orElse("");
        } catch (IOException e) {
            return "no log: " + e;
        }
    }

    public ProcessSpec spec() {
        return spec;
    }

    public String name() {
        return spec.name();
    }

    public int startNumber() {
        return startNumber;
    }

    /// Pid of the main process, also after its end.
    public long pid() {
        return process.pid();
    }

    /// Pids of everything in the group that lives.
    public List<Long> pids() {
        return group.members();
    }

    public String group() {
        return group.describe();
    }

    public ProcessState state() {
        return state;
    }

    /// What the process said of itself: STATUS and X_TOMBOLO_ keys.
    public Map<String, String> declared() {
        return declared;
    }

    /// The evidence of its end, once it has ended.
    public Optional<StopRecord> stopRecord() {
        return Optional.ofNullable(record);
    }
}

package io.tombolo.agent.qemu;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/// One guest in one QEMU process, at the source or waiting as a target.
///
/// QEMU never decides here whether a guest runs: it is started stopped on both sides, and goes on by itself only where
/// a save fails while this host still owns the VM. After [#saveState] has returned, only [#takeBack] or [#kill] may
/// follow.
///
/// Used by one thread at a time, except [#kill], [#pid], [#isAlive] and [#endedByItself]: `kill` ends whatever another
/// thread waits for here.
public final class QemuGuest implements AutoCloseable {
    /// Bound of each QMP command that is not a move.
    /// Twice what loading a small guest's state takes.
    private static final long LOAD_SPIN_NS = 2_000_000;
    static final long COMMAND_TIMEOUT_MS = 10_000;
    static final long START_TIMEOUT_MS = 30_000;

    /// First bytes of QEMU's migration stream: magic "QEVM" and version 3, big endian.
    private static final int STREAM_MAGIC = 0x5145_564d;
    private static final int STREAM_VERSION = 3;
    private static final int STREAM_HEADER_BYTES = 8;
    private static final ValueLayout.OfInt BIG_ENDIAN_INT = ValueLayout.JAVA_INT_UNALIGNED
            .withOrder(ByteOrder.BIG_ENDIAN);
    /// No limit in practice: the default of 128 MiB/s would be part of the downtime.
    private static final long BANDWIDTH_BYTES = 16L << 30;

    private static final Predicate<QmpEvent> SAVE_ENDED = QmpEvent.migration("completed", "failed", "cancelled");
    private static final Predicate<QmpEvent> STOPPED = QmpEvent.named("STOP");

    private final QemuDefinition definition;
    private final QemuProcess process;
    private final QmpClient qmp;
    private volatile StateSocket feeding;
    private volatile StateSocket drained;
    private int streams;

    private QemuGuest(QemuDefinition definition, QemuProcess process) {
        this.definition = requireNonNull(definition, "definition is null");
        this.process = requireNonNull(process, "process is null");
        this.qmp = process.qmp();
    }

    /// A guest at its first instruction, stopped; [#cont] lets it boot.
    public static QemuGuest launch(QemuDefinition definition) {
        return start(definition, QemuCommandLine.Role.BOOT, true);
    }

    /// A target that waits for [#loadState], everything that can be done before it done. Reads guest memory at most.
    public static QemuGuest prelaunch(QemuDefinition definition) {
        QemuGuest guest = start(definition, QemuCommandLine.Role.INCOMING, true);
        try {
            guest.feeding = StateSocket.connect(guest.listenForState("in"), guest.qmp);
            return guest;
        } catch (IOException e) {
            guest.kill();
            throw TomboloException.error(QemuError.STATE_LOAD_FAILED, "the target's migration socket cannot be opened")
                    .fact("guest", definition.name()).cause(e).build();
        } catch (RuntimeException e) {
            guest.kill();
            throw e;
        }
    }

    /// Has the JVM compile what lies between STOP and RESUME; does something only the first time in a JVM, and for some
    /// second.
    public static void warmUp(Path runDirectory) {
        QemuWarmUp.once(runDirectory);
    }

    static QemuGuest start(QemuDefinition definition, QemuCommandLine.Role role, boolean ignoreShared) {
        warmUp(definition.runDirectory());
        QemuGuest guest = new QemuGuest(definition, QemuProcess.start(definition, role, START_TIMEOUT_MS));
        try {
            guest.call("migrate-set-capabilities",
                    Map.of("capabilities", List.of(Map.of("capability", "x-ignore-shared", "state", ignoreShared),
                            Map.of("capability", "events", "state", true))));
            guest.call("migrate-set-parameters", Map.of("max-bandwidth", BANDWIDTH_BYTES));
            // Answers of the commands between STOP and RESUME are parsed by code that has run before.
            guest.status();
            guest.call("query-migrate", Map.of());
            return guest;
        } catch (RuntimeException e) {
            guest.kill();
            throw e;
        }
    }

    /// Lets QEMU listen for state at a socket of its private directory.
    Path listenForState(String file) {
        Path path = process.socket(file);
        call("migrate-incoming", Map.of("uri", "unix:" + path));
        return path;
    }

    QmpClient qmp() {
        return qmp;
    }

    QemuDefinition definition() {
        return definition;
    }

    JsonNode call(String command, Map<String, ?> arguments) {
        try {
            return qmp.call(command, arguments, COMMAND_TIMEOUT_MS);
        } catch (TomboloException e) {
            throw process.explain(command, e);
        }
    }

    private QmpEvent await(long mark, String what, Predicate<QmpEvent> wanted, long deadlineNs) {
        try {
            return qmp.awaitEvent(mark, what, wanted,
                    Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime())));
        } catch (TomboloException e) {
            throw process.explain(what, e);
        }
    }

    /// A mark behind every event raised so far, those included that nobody has read yet: an event is written before the
    /// reply to any later command. A `completed` of this guest's own arrival must not pass for that of its departure.
    long markAfterRoundTrip() {
        status();
        return qmp.eventMark();
    }

    /// QEMU's run state: running, paused, prelaunch, inmigrate, finish-migrate, postmigrate and others.
    public String status() {
        return call("query-status", Map.of()).path("status").asText();
    }

    /// Lets the guest execute; the RESUME event, which is the end of a downtime. The owner word names this host RUNNING
    /// before this is called. Refused for a target without state: QEMU would take it as the order to run by itself
    /// after the load.
    public QmpEvent cont() {
        if (feeding != null) {
            throw TomboloException.error(QemuError.QEMU_REFUSED, "a target that has no state yet cannot run")
                    .fact("guest", definition.name()).build();
        }
        long mark = qmp.eventMark();
        call("cont", Map.of());
        return await(mark, "RESUME", QmpEvent.named("RESUME"), deadline(COMMAND_TIMEOUT_MS));
    }

    /// Stops all vCPUs; they execute nothing when this returns. Idempotent.
    public void stop() {
        call("stop", Map.of());
    }

    /// Lets QEMU stop the guest and write its device state into `into`, a metadata slot's payload. Guest memory is not
    /// sent. Everything is set up before the guest stops; returns when QEMU says `completed`, from when on it never
    /// goes on by itself.
    ///
    /// A guest that was stopped before is saved as it is.
    ///
    /// If it fails, the guest does what it did before, and the fact `guest` says so: STATE_TOO_LARGE,
    /// STATE_SAVE_FAILED. Only the VM's owner may call this: giving up lets the guest run.
    public SaveResult saveState(MemorySegment into, long timeoutMs) {
        long deadlineNs = deadline(timeoutMs);
        long mark = markAfterRoundTrip();
        Path path = process.socket("out" + streams++);
        closeDrained();
        try {
            StateSocket socket = StateSocket.listen(path, qmp);
            // Closing it takes time that would be downtime: left to whatever follows.
            drained = socket;
            call("migrate", Map.of("uri", "unix:" + path));
            try {
                return drain(socket, mark, into, deadlineNs);
            } catch (TomboloException e) {
                throw e.code() == QemuError.QEMU_TIMEOUT
                        ? gaveUp(mark, QemuError.STATE_SAVE_FAILED, "the device state did not come in time", into)
                        : process.explain("saving its state", e);
            }
        } catch (IOException e) {
            throw process.isAlive()
                    ? notSaved(QemuError.STATE_SAVE_FAILED, "the migration socket failed", into).cause(e)
                            .build()
                    : process.died("saving its state", e);
        }
    }

    private SaveResult drain(StateSocket socket, long mark, MemorySegment into, long deadlineNs) throws IOException {
        socket.accept(deadlineNs);
        // QEMU has flushed everything before it says `completed`, and closes some time later.
        long length = socket.drain(into, () -> qmp.findEvent(mark, SAVE_ENDED) != null, deadlineNs);
        long drainedNs = System.nanoTime();
        if (length < 0) {
            throw gaveUp(mark, QemuError.STATE_TOO_LARGE, "the device state does not fit", into);
        }
        QmpEvent end = await(mark, "end of the save", SAVE_ENDED, deadlineNs);
        if (!end.data().path("status").asText().equals("completed")) {
            throw notSaved(QemuError.STATE_SAVE_FAILED, "QEMU did not complete the device state", into)
                    .fact("reason", call("query-migrate", Map.of()).path("error-desc").asText("none")).build();
        }
        QmpEvent stop = qmp.findEvent(mark, STOPPED);
        return new SaveResult((int) length, stop == null ? 0 : stop.atNs(), drainedNs, end.atNs());
    }

    private void closeDrained() {
        StateSocket socket = drained;
        if (socket != null) {
            drained = null;
            socket.close();
        }
    }

    private TomboloException gaveUp(long mark, QemuError code, String what, MemorySegment into) {
        // First the socket: a QEMU that waits for room in it holds its big lock and answers nothing.
        closeDrained();
        call("migrate_cancel", Map.of());
        await(mark, "end of the cancelled save", SAVE_ENDED, deadline(COMMAND_TIMEOUT_MS));
        if (settledStatus().equals("postmigrate") && qmp.findEvent(mark, STOPPED) != null) {
            // The whole state was out before the cancel came: for QEMU the move is done, so it must be told to go on.
            cont();
        }
        return notSaved(code, what, into).build();
    }

    private TomboloException.Builder notSaved(QemuError code, String what, MemorySegment into) {
        return TomboloException.error(code, what).fact("guest", settledStatus()).fact("name", definition.name())
                .fact("capacity", into.byteSize());
    }

    /// The run state once QEMU has left the states it passes through at the end of a save. There is no event for that,
    /// and it takes some microseconds: each question is one round trip.
    private String settledStatus() {
        long deadlineNs = deadline(COMMAND_TIMEOUT_MS);
        while (true) {
            String status = status();
            boolean passing = status.equals("finish-migrate")
                    || (!status.equals("postmigrate") && isMigrating());
            if (!passing) {
                return status;
            }
            if (System.nanoTime() - deadlineNs >= 0) {
                throw TomboloException.error(QemuError.QEMU_TIMEOUT, "the save does not settle")
                        .fact("guest", definition.name()).fact("status", status).build();
            }
            Thread.onSpinWait();
        }
    }

    private boolean isMigrating() {
        String status = call("query-migrate", Map.of()).path("status").asText();
        return status.equals("setup") || status.equals("active") || status.equals("device")
                || status.equals("cancelling");
    }

    /// Prepares a guest whose state was saved to go on here; [#cont] then continues it. QEMU refuses `cont` until it
    /// has settled.
    public void awaitSettled() {
        settledStatus();
    }

    /// Continues a guest whose state was saved and not used: the owner word names this host RUNNING again.
    public QmpEvent takeBack() {
        awaitSettled();
        return cont();
    }

    /// Gives QEMU the device state, which the caller has checked by length and checksum: QEMU itself runs what is
    /// damaged. From here guest memory may be written: the owner word names this host CLAIMED. Returns when QEMU has
    /// loaded it all; the guest is stopped.
    ///
    /// STATE_LENGTH and STATE_NOT_A_STREAM are found before a byte goes to QEMU; after STATE_LOAD_FAILED or QEMU_DIED
    /// the target is of no use and is to be killed.
    public LoadResult loadState(MemorySegment state, long length, long timeoutMs) {
        checkState(state, length);
        if (feeding == null) {
            throw TomboloException.error(QemuError.STATE_LOAD_FAILED, "this guest does not wait for a state")
                    .fact("guest", definition.name()).build();
        }
        long deadlineNs = deadline(timeoutMs);
        long mark = qmp.eventMark();
        long fedNs;
        try (StateSocket socket = feeding) {
            feeding = null;
            socket.feed(state.asSlice(0, length), deadlineNs);
            fedNs = System.nanoTime();
        } catch (IOException e) {
            throw loadFailed(e);
        } catch (TomboloException e) {
            throw e.code() == QemuError.QMP_CLOSED ? loadFailed(e) : e;
        }
        try {
            QmpEvent end = qmp.expectEvent(mark, "load", QmpEvent.migration("completed", "failed"), LOAD_SPIN_NS,
                    Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime())));
            if (!end.data().path("status").asText().equals("completed")) {
                throw loadFailed(null);
            }
            return new LoadResult(fedNs, end.atNs());
        } catch (TomboloException e) {
            throw e.code() == QemuError.QMP_CLOSED ? loadFailed(e) : e;
        }
    }

    private void checkState(MemorySegment state, long length) {
        if (length < STREAM_HEADER_BYTES || length > state.byteSize()) {
            throw TomboloException.error(QemuError.STATE_LENGTH, "the length of the device state is impossible")
                    .fact("guest", definition.name()).fact("found", length).fact("minimum", STREAM_HEADER_BYTES)
                    .fact("maximum", state.byteSize()).build();
        }
        int magic = state.get(BIG_ENDIAN_INT, 0);
        int version = state.get(BIG_ENDIAN_INT, 4);
        if (magic != STREAM_MAGIC || version != STREAM_VERSION) {
            throw TomboloException
                    .error(QemuError.STATE_NOT_A_STREAM, "the device state is not a QEMU migration stream")
                    .fact("guest", definition.name()).fact("magic", Integer.toHexString(magic))
                    .fact("expected", Integer.toHexString(STREAM_MAGIC)).fact("version", version).build();
        }
    }

    private TomboloException loadFailed(Throwable cause) {
        TomboloException died = process.explain("loading the device state",
                TomboloException.error(QemuError.QMP_CLOSED, "closed").build());
        return TomboloException.error(QemuError.STATE_LOAD_FAILED, "QEMU did not load the device state")
                .fact("guest", definition.name()).fact("output", process.lastOutput())
                .cause(cause == null ? died : cause).build();
    }

    /// Bytes QEMU says it sent in the last save: its RAM part (blocks that are not shared) and everything.
    long bytesSent() {
        return call("query-migrate", Map.of()).path("ram").path("transferred").asLong();
    }

    private static long deadline(long timeoutMs) {
        return System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /// Completes with why when the process ends without [#kill]; never otherwise.
    public CompletableFuture<String> endedByItself() {
        return process.exited().thenCompose(p -> process.wasKilled()
                ? new CompletableFuture<>()
                : CompletableFuture.completedFuture(
                        "QEMU ended with status " + p.exitValue() + ": " + process.lastOutput()));
    }

    /// SIGKILL; returns when the process is reaped, from when on it stores nothing, and its files are removed. Any
    /// thread, idempotent.
    public void kill() {
        process.kill();
        StateSocket open = feeding;
        if (open != null) {
            open.close();
        }
        closeDrained();
    }

    @Override
    public void close() {
        kill();
    }
}

package io.tombolo.chaos.history;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/// Records the events of a run, in JSON lines, as they happen. Thread safe; the order of the calls is the order of the
/// history.
///
/// An event is with the operating system before its call returns. So a caller that records an invocation before it
/// sends anything, and a completion after the answer came, never makes an interval shorter than it was; and if the
/// harness is killed, its file holds every operation that was sent. A last line cut short is an event whose call never
/// returned: it may be deleted.
public final class Journal implements AutoCloseable {
    private final Path file;
    private final OutputStream out;
    private final LongSupplier nowNs;
    private final List<HistoryEvent> events = new ArrayList<>();

    /// Makes the file, or empties it.
    ///
    /// @param nowNs nanoseconds since the run began, monotonic
    public Journal(Path file, LongSupplier nowNs) {
        this.file = requireNonNull(file, "file is null");
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
        try {
            this.out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw Histories.notWritten(file, e);
        }
    }

    /// Records an event with the next index and the time of now.
    ///
    /// @param error may be null
    /// @throws io.tombolo.region.TomboloException `HISTORY_NOT_WRITTEN`; the operation must then not be sent
    public HistoryEvent record(OpType type, long process, String f, Object value, String error) {
        synchronized (events) {
            HistoryEvent event = new HistoryEvent(events.size(), nowNs.getAsLong(), type, process, f, value, error);
            try {
                out.write((JsonHistory.line(event) + "\n").getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
                throw Histories.notWritten(file, e);
            }
            events.add(event);
            return event;
        }
    }

    public Path file() {
        return file;
    }

    /// What was recorded until now.
    public History history() {
        synchronized (events) {
            return History.of(events);
        }
    }

    @Override
    public void close() {
        try {
            out.close();
        } catch (IOException e) {
            throw Histories.notWritten(file, e);
        }
    }
}

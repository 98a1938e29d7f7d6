package io.tombolo.agent.qemu;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/// A connection to QEMU's machine protocol (QMP, docs/interop/qmp-spec in QEMU's source): JSON lines, commands with an
/// id, replies in any order, events in between.
///
/// There is no thread behind it: whoever waits for a reply or an event reads the socket, for itself and for every other
/// waiter. A reader thread would put a change of threads between each event and its use, twice within every downtime.
///
/// Thread safe. When the socket is closed, from either side and in the middle of anything, every outstanding command
/// and every wait fails with QMP_CLOSED (or with the reason for which this side gave up, such as QMP_GARBAGE).
public final class QmpClient implements AutoCloseable {
    /// QEMU's longest answers (query-qmp-schema) are some 200 KiB; more is not QMP.
    static final int MAX_LINE_BYTES = 1 << 20;
    /// Enough for every event between two waits; older ones are dropped.
    static final int EVENTS_KEPT = 256;

    private static final long WRITE_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(5);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SocketChannel channel;
    private final Selector selector;
    private final String name;
    private final AtomicLong nextId = new AtomicLong();
    private final Map<Long, CompletableFuture<JsonNode>> outstanding = new ConcurrentHashMap<>();
    private final CompletableFuture<JsonNode> greeting = new CompletableFuture<>();
    private final ReentrantLock writing = new ReentrantLock();
    /// Guards whose turn it is to read; not held while reading.
    private final ReentrantLock turn = new ReentrantLock();
    private final Condition roundEnded = turn.newCondition();
    private boolean turnTaken;
    /// What follows belongs to the thread that has the turn.
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);
    private byte[] line = new byte[4096];
    private int lineLength;
    private final Object eventLock = new Object();
    private final ArrayDeque<QmpEvent> events = new ArrayDeque<>();
    private long eventCount;
    private volatile long distanceBeforeUs = clockDistanceUs();
    private volatile TomboloException closedBy;
    /// 0 when whoever reads is to sleep.
    private volatile long spinUntilNs;

    private QmpClient(SocketChannel channel, Selector selector, String name) {
        this.channel = requireNonNull(channel, "channel is null");
        this.selector = requireNonNull(selector, "selector is null");
        this.name = requireNonNull(name, "name is null");
    }

    /// Takes over a connected channel: waits for the greeting and negotiates. Closes the channel if that fails.
    ///
    /// @param name of the guest, for messages
    public static QmpClient open(SocketChannel channel, String name, long timeoutMs) throws IOException {
        QmpClient client = new QmpClient(channel, Selector.open(), name);
        try {
            channel.configureBlocking(false);
            channel.register(client.selector, SelectionKey.OP_READ);
            client.await(client.greeting, "greeting", timeoutMs);
            client.call("qmp_capabilities", Map.of(), timeoutMs);
            return client;
        } catch (IOException | RuntimeException e) {
            client.close();
            throw e;
        }
    }

    /// The version QEMU greeted with, `{major, minor, micro}`.
    JsonNode version() {
        return greeting.join().path("QMP").path("version").path("qemu");
    }

    /// Sends a command; completes with its `return` value, or exceptionally with QEMU_REFUSED or QMP_CLOSED.
    public CompletableFuture<JsonNode> send(String command, Map<String, ?> arguments) {
        long id = nextId.incrementAndGet();
        distanceBeforeUs = clockDistanceUs();
        CompletableFuture<JsonNode> reply = new CompletableFuture<>();
        ObjectNode message = JSON.createObjectNode().put("execute", command).put("id", id);
        if (!arguments.isEmpty()) {
            message.set("arguments", JSON.valueToTree(arguments));
        }
        outstanding.put(id, reply);
        TomboloException gone = closedBy;
        if (gone != null) {
            outstanding.remove(id);
            throw gone;
        }
        try {
            byte[] line = JSON.writeValueAsBytes(message);
            ByteBuffer bytes = ByteBuffer.allocate(line.length + 1).put(line).put((byte) '\n').flip();
            writing.lock();
            try {
                writeAll(bytes);
            } finally {
                writing.unlock();
            }
        } catch (IOException e) {
            fail(closed("writing " + command + " failed", e));
        }
        return reply.whenComplete((_, _) -> outstanding.remove(id));
    }

    /// [#send] and wait for the reply.
    public JsonNode call(String command, Map<String, ?> arguments, long timeoutMs) {
        return await(send(command, arguments), command, timeoutMs);
    }

    /// A command is far smaller than the socket's buffer: it is full only if QEMU has stopped reading.
    private void writeAll(ByteBuffer bytes) throws IOException {
        long deadlineNs = System.nanoTime() + WRITE_TIMEOUT_NS;
        while (bytes.hasRemaining()) {
            if (channel.write(bytes) == 0) {
                if (System.nanoTime() - deadlineNs >= 0) {
                    throw new IOException("QEMU does not read its QMP socket");
                }
                Thread.onSpinWait();
            }
        }
    }

    /// Waits for the reply to a command that was sent.
    JsonNode await(CompletableFuture<JsonNode> reply, String what, long timeoutMs) {
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        while (!reply.isDone()) {
            readOnce(reply::isDone, deadlineNs, what);
            if (!reply.isDone() && System.nanoTime() - deadlineNs >= 0) {
                throw TomboloException.error(QemuError.QEMU_TIMEOUT, "QEMU did not answer").fact("guest", name)
                        .fact("command", what).fact("timeoutMs", timeoutMs).build();
            }
        }
        try {
            return reply.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof TomboloException known) {
                throw known;
            }
            throw closed("waiting for " + what + " failed", e.getCause());
        }
    }

    /// For others' channels, such as a migration stream: a thread that waits for their readiness in [#awaitReady] also
    /// serves this connection, and the other way round.
    Selector selector() {
        return selector;
    }

    /// Waits until something was ready, on this connection (and was taken in) or on another channel of [#selector], at
    /// most until the deadline. May return early for no reason.
    void awaitReady(String what, long deadlineNs) {
        readOnce(() -> false, deadlineNs, what);
    }

    /// One round of waiting and taking in, by this thread, unless what another one takes in meanwhile makes it `done`.
    /// Returns at the deadline at the latest.
    private void readOnce(BooleanSupplier done, long deadlineNs, String what) {
        turn.lock();
        try {
            // What another thread takes in, it has taken in before its round ends: `done` misses nothing.
            while (turnTaken && !done.getAsBoolean() && closedBy == null && deadlineNs - System.nanoTime() > 0) {
                roundEnded.awaitNanos(deadlineNs - System.nanoTime());
            }
            if (done.getAsBoolean()) {
                return;
            }
            if (closedBy != null) {
                throw closedBy;
            }
            if (turnTaken) {
                return;
            }
            turnTaken = true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw closed("interrupted while waiting for " + what, e);
        } finally {
            turn.unlock();
        }
        try {
            selectAndTakeIn(deadlineNs);
        } finally {
            turn.lock();
            try {
                turnTaken = false;
                roundEnded.signalAll();
            } finally {
                turn.unlock();
            }
        }
        if (Thread.currentThread().isInterrupted() && !done.getAsBoolean()) {
            throw closed("interrupted while waiting for " + what, null);
        }
    }

    private void selectAndTakeIn(long deadlineNs) {
        try {
            long leftMs = TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime()) + 1;
            if (leftMs > 0) {
                long spin = spinUntilNs;
                boolean ready = false;
                while (!ready && spin != 0 && spin - System.nanoTime() > 0) {
                    ready = selector.selectNow() > 0;
                    Thread.onSpinWait();
                }
                if (!ready) {
                    selector.select(leftMs);
                }
                selector.selectedKeys().clear();
            }
            takeIn();
        } catch (ClosedSelectorException e) {
            fail(closed("the QMP socket was closed", e));
        } catch (IOException e) {
            fail(closed("the QMP socket failed", e));
        }
    }

    /// A position in the stream of events taken in so far: later ones are seen by [#awaitEvent] from here. Taken before
    /// the command that causes them, so that an event of an earlier operation is not mistaken for this one's; if one
    /// may still be unread, after the reply to another command.
    long eventMark() {
        synchronized (eventLock) {
            return eventCount;
        }
    }

    /// [#awaitEvent] for one that is due in a moment, in which a guest stands still: keeps its core for `spinNs`,
    /// because to be woken up takes as long as QEMU needs for a part of its work.
    QmpEvent expectEvent(long mark, String what, Predicate<QmpEvent> wanted, long spinNs, long timeoutMs) {
        spinUntilNs = System.nanoTime() + spinNs;
        try {
            return awaitEvent(mark, what, wanted, timeoutMs);
        } finally {
            spinUntilNs = 0;
        }
    }

    /// The first event at or after `mark` that matches; waits for it.
    QmpEvent awaitEvent(long mark, String what, Predicate<QmpEvent> wanted, long timeoutMs) {
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        while (true) {
            QmpEvent found = findEvent(mark, wanted);
            if (found != null) {
                return found;
            }
            if (System.nanoTime() - deadlineNs >= 0) {
                throw TomboloException.error(QemuError.QEMU_TIMEOUT, "an event did not come").fact("guest", name)
                        .fact("event", what).fact("timeoutMs", timeoutMs).build();
            }
            readOnce(() -> findEvent(mark, wanted) != null, deadlineNs, what);
        }
    }

    /// The first event at or after `mark` that matches and has been taken in already, or null.
    QmpEvent findEvent(long mark, Predicate<QmpEvent> wanted) {
        synchronized (eventLock) {
            for (QmpEvent event : events) {
                if (event.sequence() >= mark && wanted.test(event)) {
                    return event;
                }
            }
            return null;
        }
    }

    private void takeIn() throws IOException {
        try {
            int count = channel.read(buffer.clear());
            while (count > 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    takeIn(buffer.get());
                }
                count = channel.read(buffer.clear());
            }
            if (count < 0) {
                fail(closed(lineLength == 0 ? "QEMU closed the QMP socket" : "QEMU closed the QMP socket in mid-line",
                        null));
            }
        } catch (TomboloException e) {
            fail(e);
        }
    }

    private void takeIn(byte b) {
        if (b == '\n') {
            handle(line, lineLength);
            lineLength = 0;
            return;
        }
        if (lineLength == MAX_LINE_BYTES) {
            throw garbage("a line is too long", null).fact("limit", MAX_LINE_BYTES).build();
        }
        if (lineLength == line.length) {
            line = Arrays.copyOf(line, Math.min(2 * lineLength, MAX_LINE_BYTES));
        }
        line[lineLength++] = b;
    }

    private void handle(byte[] line, int length) {
        long receivedNs = System.nanoTime();
        long distanceUs = clockDistanceUs();
        JsonNode message;
        try {
            message = JSON.readTree(line, 0, length);
        } catch (JsonProcessingException e) {
            throw garbage("a line is not JSON", e).build();
        } catch (IOException e) {
            throw garbage("a line cannot be read", e).build();
        }
        if (message == null || !message.isObject()) {
            throw garbage("a line is not a JSON object", null).build();
        }
        if (message.has("event")) {
            event(message, receivedNs, distanceUs);
        } else if (message.has("return") || message.has("error")) {
            reply(message);
        } else if (message.has("QMP")) {
            greeting.complete(message);
        } else {
            throw garbage("a message is neither reply nor event nor greeting", null).build();
        }
    }

    private void event(JsonNode message, long receivedNs, long distanceUs) {
        JsonNode stamp = message.path("timestamp");
        long stampedWallUs = stamp.path("seconds").asLong() * 1_000_000 + stamp.path("microseconds").asLong();
        JsonNode data = message.has("data") ? message.get("data") : MissingNode.getInstance();
        synchronized (eventLock) {
            events.addLast(new QmpEvent(eventCount++, message.path("event").asText(), data, receivedNs,
                    QmpEvent.raisedNs(receivedNs, distanceUs, distanceBeforeUs, stampedWallUs)));
            if (events.size() > EVENTS_KEPT) {
                events.removeFirst();
            }
        }
        distanceBeforeUs = distanceUs;
    }

    private static long clockDistanceUs() {
        Instant wall = Instant.now();
        return wall.getEpochSecond() * 1_000_000 + wall.getNano() / 1000 - System.nanoTime() / 1000;
    }

    private void reply(JsonNode message) {
        CompletableFuture<JsonNode> waiting = outstanding.remove(message.path("id").asLong(-1));
        if (waiting == null) {
            // QEMU answers what it cannot parse without an id: whose command that was cannot be known.
            throw garbage("a reply to no command", null).fact("reply", message).build();
        }
        if (message.has("return")) {
            waiting.complete(message.get("return"));
            return;
        }
        JsonNode error = message.get("error");
        waiting.completeExceptionally(
                TomboloException.error(QemuError.QEMU_REFUSED, "QEMU refused: " + error.path("desc").asText())
                        .fact("guest", name).fact("class", error.path("class").asText()).build());
    }

    private TomboloException.Builder garbage(String what, Throwable cause) {
        return TomboloException.error(QemuError.QMP_GARBAGE, what).fact("guest", name).cause(cause);
    }

    private TomboloException closed(String what, Throwable cause) {
        return TomboloException.error(QemuError.QMP_CLOSED, what).fact("guest", name).cause(cause).build();
    }

    private void fail(TomboloException reason) {
        synchronized (eventLock) {
            if (closedBy == null) {
                closedBy = reason;
            }
        }
        greeting.completeExceptionally(closedBy);
        outstanding.values().forEach(waiting -> waiting.completeExceptionally(closedBy));
        try {
            channel.close();
            selector.close();
        } catch (IOException e) {
            closedBy.addSuppressed(e);
        }
    }

    /// Whether commands can still be sent.
    boolean isOpen() {
        return closedBy == null;
    }

    /// Closes the socket; whoever waits fails. Idempotent.
    @Override
    public void close() {
        fail(closed("this side closed the QMP socket", null));
    }
}

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
import java.nio.channels.SocketChannel;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/// A connection to QEMU's machine protocol (QMP, docs/interop/qmp-spec in QEMU's source): JSON lines, commands with an id,
/// replies in any order, events in between.
///
/// Thread safe. One reader thread per connection; it ends with the connection, and [#close] waits for it. When the socket
/// is closed, from either side and in the middle of anything, every outstanding command and every wait fails with
/// QMP_CLOSED (or with the reason for which this side gave up, such as QMP_GARBAGE).
public final class QmpClient implements AutoCloseable {
    /// QEMU's longest answers (query-qmp-schema) are some 200 KiB; more is not QMP.
    static final int MAX_LINE_BYTES = 1 << 20;
    /// Enough for every event between two waits; older ones are dropped.
    static final int EVENTS_KEPT = 256;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final SocketChannel channel;
    private final String name;
    private final Thread reader;
    private final AtomicLong nextId = new AtomicLong();
    private final Map<Long, CompletableFuture<JsonNode>> outstanding = new ConcurrentHashMap<>();
    private final CompletableFuture<JsonNode> greeting = new CompletableFuture<>();
    private final ReentrantLock writing = new ReentrantLock();
    private final ReentrantLock eventLock = new ReentrantLock();
    private final Condition eventCame = eventLock.newCondition();
    private final ArrayDeque<QmpEvent> events = new ArrayDeque<>();
    private long eventCount;
    private volatile TomboloException closedBy;
    private volatile Runnable afterEvent = () -> {
    };

    private QmpClient(SocketChannel channel, String name) {
        this.channel = requireNonNull(channel, "channel is null");
        this.name = requireNonNull(name, "name is null");
        this.reader = Thread.ofPlatform().daemon().name("qmp-" + name).unstarted(this::read);
    }

    /// Takes over a connected, blocking channel: waits for the greeting and negotiates. Closes the channel if that fails.
    ///
    /// @param name of the guest, for messages
    public static QmpClient open(SocketChannel channel, String name, long timeoutMs) {
        QmpClient client = new QmpClient(channel, name);
        client.reader.start();
        try {
            client.await(client.greeting, "greeting", timeoutMs);
            client.call("qmp_capabilities", Map.of(), timeoutMs);
            return client;
        } catch (RuntimeException e) {
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
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
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

    private JsonNode await(CompletableFuture<JsonNode> reply, String what, long timeoutMs) {
        try {
            return reply.get(timeoutMs, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw TomboloException.error(QemuError.QEMU_TIMEOUT, "QEMU did not answer").fact("guest", name)
                    .fact("command", what).fact("timeoutMs", timeoutMs).cause(e).build();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw closed("interrupted while waiting for " + what, e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof TomboloException known) {
                throw known;
            }
            throw closed("waiting for " + what + " failed", e.getCause());
        }
    }

    /// A position in the stream of events: later ones are seen by [#awaitEvent] from here. Taken before the command that causes
    /// them, so that an event of an earlier operation is never mistaken for this one's.
    long eventMark() {
        eventLock.lock();
        try {
            return eventCount;
        } finally {
            eventLock.unlock();
        }
    }

    /// The first event at or after `mark` that matches; waits for it.
    QmpEvent awaitEvent(long mark, String what, Predicate<QmpEvent> wanted, long timeoutMs) {
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(timeoutMs);
        eventLock.lock();
        try {
            while (true) {
                QmpEvent found = findEvent(mark, wanted);
                if (found != null) {
                    return found;
                }
                if (closedBy != null) {
                    throw closedBy;
                }
                if (eventCame.awaitNanos(deadlineNs - System.nanoTime()) <= 0 && deadlineNs <= System.nanoTime()) {
                    throw TomboloException.error(QemuError.QEMU_TIMEOUT, "an event did not come").fact("guest", name)
                            .fact("event", what).fact("timeoutMs", timeoutMs).build();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw closed("interrupted while waiting for " + what, e);
        } finally {
            eventLock.unlock();
        }
    }

    /// The first event at or after `mark` that matches and has come already, or null.
    QmpEvent findEvent(long mark, Predicate<QmpEvent> wanted) {
        eventLock.lock();
        try {
            for (QmpEvent event : events) {
                if (event.sequence() >= mark && wanted.test(event)) {
                    return event;
                }
            }
            return null;
        } finally {
            eventLock.unlock();
        }
    }

    private void read() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);
        byte[] line = new byte[4096];
        int length = 0;
        try {
            while (channel.read(buffer) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    byte b = buffer.get();
                    if (b == '\n') {
                        handle(line, length);
                        length = 0;
                        continue;
                    }
                    if (length == MAX_LINE_BYTES) {
                        throw garbage("a line is too long", null).fact("limit", MAX_LINE_BYTES).build();
                    }
                    if (length == line.length) {
                        line = Arrays.copyOf(line, Math.min(2 * length, MAX_LINE_BYTES));
                    }
                    line[length++] = b;
                }
                buffer.clear();
            }
            fail(closed(length == 0 ? "QEMU closed the QMP socket" : "QEMU closed the QMP socket in mid-line", null));
        } catch (TomboloException e) {
            fail(e);
        } catch (IOException e) {
            fail(closed("the QMP socket was closed", e));
        }
    }

    private void handle(byte[] line, int length) {
        long receivedNs = System.nanoTime();
        Instant wall = Instant.now();
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
            event(message, receivedNs, wall.getEpochSecond() * 1_000_000 + wall.getNano() / 1000);
        } else if (message.has("return") || message.has("error")) {
            reply(message);
        } else if (message.has("QMP")) {
            greeting.complete(message);
        } else {
            throw garbage("a message is neither reply nor event nor greeting", null).build();
        }
    }

    private void event(JsonNode message, long receivedNs, long receivedWallUs) {
        JsonNode stamp = message.path("timestamp");
        long stampedWallUs = stamp.path("seconds").asLong() * 1_000_000 + stamp.path("microseconds").asLong();
        JsonNode data = message.has("data") ? message.get("data") : MissingNode.getInstance();
        eventLock.lock();
        try {
            events.addLast(new QmpEvent(eventCount++, message.path("event").asText(), data, receivedNs,
                    QmpEvent.raisedNs(receivedNs, receivedWallUs, stampedWallUs)));
            if (events.size() > EVENTS_KEPT) {
                events.removeFirst();
            }
            eventCame.signalAll();
        } finally {
            eventLock.unlock();
        }
        afterEvent.run();
    }

    /// Has `action` run by the reader thread after each event, until the next call. It must not block.
    void afterEachEvent(Runnable action) {
        afterEvent = action;
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
        eventLock.lock();
        try {
            if (closedBy == null) {
                closedBy = reason;
            }
            eventCame.signalAll();
        } finally {
            eventLock.unlock();
        }
        greeting.completeExceptionally(closedBy);
        outstanding.values().forEach(waiting -> waiting.completeExceptionally(closedBy));
        try {
            channel.close();
        } catch (IOException e) {
            closedBy.addSuppressed(e);
        }
    }

    /// Whether commands can still be sent.
    boolean isOpen() {
        return closedBy == null;
    }

    /// Closes the socket and waits for the reader thread. Idempotent.
    @Override
    public void close() {
        fail(closed("this side closed the QMP socket", null));
        if (!Thread.currentThread().equals(reader)) {
            try {
                reader.join(TimeUnit.SECONDS.toMillis(5));
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
    }
}

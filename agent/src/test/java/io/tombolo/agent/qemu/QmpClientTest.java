package io.tombolo.agent.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class QmpClientTest {
    /// A thread of its own for each: on two cores the common pool has one.
    private static final Executor THREADS = task -> Thread.ofPlatform().daemon().start(task);

    private static final String GREETING = """
            {"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": ["oob"]}}
            """;
    private static final long TIMEOUT_MS = 10_000;

    @TempDir
    private Path directory;

    private SocketChannel qemu;
    private BufferedReader commands;
    private QmpClient client;

    /// A connected client whose capabilities were negotiated; the test plays QEMU.
    @BeforeEach
    void connect() throws IOException, InterruptedException, ExecutionException, TimeoutException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("qmp"));
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address)) {
            SocketChannel ours = SocketChannel.open(address);
            qemu = listener.accept();
            commands = new BufferedReader(Channels.newReader(qemu, UTF_8));
            CompletableFuture<QmpClient> opening = CompletableFuture.supplyAsync(() -> open(ours), THREADS);
            say(GREETING);
            assertThat(commands.readLine()).isEqualTo("{\"execute\":\"qmp_capabilities\",\"id\":1}");
            say("{\"return\": {}, \"id\": 1}\n");
            client = opening.get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
        }
    }

    private static QmpClient open(SocketChannel channel) {
        try {
            return QmpClient.open(channel, "test", TIMEOUT_MS);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @AfterEach
    void close() throws IOException {
        client.close();
        qemu.close();
    }

    private void say(String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(UTF_8));
        while (bytes.hasRemaining()) {
            qemu.write(bytes);
        }
    }

    private JsonNode await(CompletableFuture<JsonNode> reply) {
        return client.await(reply, "test", TIMEOUT_MS);
    }

    private void assertFails(CompletableFuture<JsonNode> reply, String code) {
        assertThatThrownBy(() -> await(reply)).hasMessageStartingWith(code);
    }

    @Test
    void knowsTheVersionItWasGreetedWith() {
        assertThat(client.version().path("major").asInt()).isEqualTo(7);
    }

    @Test
    void repliesFindTheirCommandsInAnyOrder() throws IOException {
        CompletableFuture<JsonNode> first = client.send("query-status", Map.of());
        CompletableFuture<JsonNode> second = client.send("query-name", Map.of("a", 1));
        assertThat(commands.readLine()).contains("query-status");
        assertThat(commands.readLine()).isEqualTo("{\"execute\":\"query-name\",\"id\":3,\"arguments\":{\"a\":1}}");
        say("{\"return\": {\"n\": 2}, \"id\": 3}\r\n{\"return\": {\"n\": 1}, \"id\": 2}\r\n");
        assertThat(await(second).path("n").asInt()).isEqualTo(2);
        assertThat(await(first).path("n").asInt()).isEqualTo(1);
    }

    @Test
    void eachOfSeveralWaitingThreadsGetsItsOwn()
            throws IOException, InterruptedException, ExecutionException, TimeoutException {
        CompletableFuture<QmpEvent> event = CompletableFuture
                .supplyAsync(() -> client.awaitEvent(0, "STOP", QmpEvent.named("STOP"), 6 * TIMEOUT_MS), THREADS);
        for (int id = 2; id < 200; id++) {
            CompletableFuture<JsonNode> reply = CompletableFuture
                    .supplyAsync(() -> client.call("query-status", Map.of(), 6 * TIMEOUT_MS), THREADS);
            assertThat(commands.readLine()).endsWith("\"id\":" + id + "}");
            say("{\"return\": {\"n\": " + id + "}, \"id\": " + id + "}\n");
            assertThat(reply.get(TIMEOUT_MS, TimeUnit.MILLISECONDS).path("n").asInt()).isEqualTo(id);
        }
        assertThat(event).isNotDone();
        say("{\"timestamp\": {\"seconds\": 1, \"microseconds\": 1}, \"event\": \"STOP\"}\n");
        assertThat(event.get(TIMEOUT_MS, TimeUnit.MILLISECONDS).name()).isEqualTo("STOP");
    }

    @Test
    void anErrorReplyFailsItsCommandOnly() throws IOException {
        CompletableFuture<JsonNode> bad = client.send("nonsense", Map.of());
        CompletableFuture<JsonNode> other = client.send("stop", Map.of());
        say("{\"id\": 2, \"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command nonsense has not been found\"}}\n");
        assertFails(bad, "QEMU_REFUSED");
        assertThat(other).isNotDone();
        assertThat(client.isOpen()).isTrue();
    }

    @Test
    void everyOutstandingCommandAndWaitFailsWhenTheSocketClosesHalfWay() throws IOException {
        CompletableFuture<JsonNode> first = client.send("migrate", Map.of());
        CompletableFuture<JsonNode> second = client.send("stop", Map.of());
        CompletableFuture<QmpEvent> waiting = CompletableFuture
                .supplyAsync(() -> client.awaitEvent(0, "STOP", QmpEvent.named("STOP"), TIMEOUT_MS), THREADS);
        assertThat(commands.readLine()).contains("migrate");
        assertThat(commands.readLine()).contains("stop");
        say("{\"return\": {}, \"i");
        qemu.close();
        assertFails(first, "QMP_CLOSED: QEMU closed the QMP socket in mid-line");
        assertFails(second, "QMP_CLOSED");
        assertThatThrownBy(() -> waiting.get(TIMEOUT_MS, TimeUnit.MILLISECONDS)).hasMessageContaining("QMP_CLOSED");
        assertThatThrownBy(() -> client.call("cont", Map.of(), TIMEOUT_MS)).hasMessageContaining("QMP_CLOSED");
    }

    @Test
    void closingThisSideFailsWhatIsOutstanding() {
        CompletableFuture<JsonNode> reply = client.send("stop", Map.of());
        CompletableFuture<QmpEvent> waiting = CompletableFuture
                .supplyAsync(() -> client.awaitEvent(0, "STOP", QmpEvent.named("STOP"), TIMEOUT_MS), THREADS);
        client.close();
        client.close();
        assertFails(reply, "QMP_CLOSED: this side closed");
        assertThatThrownBy(() -> waiting.get(TIMEOUT_MS, TimeUnit.MILLISECONDS)).hasMessageContaining("QMP_CLOSED");
    }

    @Test
    void aLineWithoutEndIsRefusedAtItsBound() throws IOException {
        CompletableFuture<JsonNode> reply = CompletableFuture
                .supplyAsync(() -> client.call("stop", Map.of(), 6 * TIMEOUT_MS), THREADS);
        String chunk = "x".repeat(QmpClient.MAX_LINE_BYTES / 4);
        for (int i = 0; i < 4; i++) {
            say(chunk);
        }
        assertThat(reply).isNotDone();
        say("x");
        assertThatThrownBy(() -> reply.get(TIMEOUT_MS, TimeUnit.MILLISECONDS))
                .hasMessageContaining("QMP_GARBAGE: a line is too long");
    }

    @Test
    void whatIsNotQmpIsRefused() throws IOException {
        CompletableFuture<JsonNode> reply = client.send("stop", Map.of());
        say("SSH-2.0-OpenSSH_9.2\n");
        assertFails(reply, "QMP_GARBAGE: a line is not JSON");
    }

    @Test
    void aReplyToNoCommandIsRefused() throws IOException {
        CompletableFuture<JsonNode> reply = client.send("stop", Map.of());
        say("{\"return\": {}, \"id\": 77}\n");
        assertFails(reply, "QMP_GARBAGE: a reply to no command");
    }

    @Test
    void aCommandWithoutReplyTimesOut() {
        assertThatThrownBy(() -> client.call("query-status", Map.of(), 20)).hasMessageStartingWith("QEMU_TIMEOUT");
    }

    @Test
    void anEventOfAnEarlierOperationIsNotMistakenForThisOnes() throws IOException {
        say(migration("completed", 1));
        client.awaitEvent(0, "completed", QmpEvent.migration("completed"), TIMEOUT_MS);
        long mark = client.eventMark();
        assertThatThrownBy(() -> client.awaitEvent(mark, "completed", QmpEvent.migration("completed"), 20))
                .hasMessageStartingWith("QEMU_TIMEOUT");
        say(migration("failed", 2));
        QmpEvent event = client.awaitEvent(mark, "end", QmpEvent.migration("completed", "failed"), TIMEOUT_MS);
        assertThat(event.data().path("status").asText()).isEqualTo("failed");
        assertThat(event.receivedNs()).isLessThanOrEqualTo(System.nanoTime());
    }

    @Test
    void keepsABoundedNumberOfEvents() throws IOException {
        for (int i = 0; i <= QmpClient.EVENTS_KEPT; i++) {
            say(migration("active", i));
        }
        client.awaitEvent(QmpClient.EVENTS_KEPT, "last", QmpEvent.named("MIGRATION"), TIMEOUT_MS);
        assertThat(client.findEvent(0, _ -> true).sequence()).isEqualTo(1);
    }

    @Test
    void anEventIsPlacedWhenItWasRaisedUnlessTheWallClockWasStepped() {
        // 300 us late; the wall clock is 4 s ahead of System.nanoTime().
        assertThat(QmpEvent.raisedNs(1_000_000_000, 4_000_000, 4_000_000, 4_999_700)).isEqualTo(999_700_000);
        assertThat(QmpEvent.raisedNs(1_000_000_000, 4_000_900, 4_000_000, 5_000_400)).as("slewed")
                .isEqualTo(999_500_000);
        assertThat(QmpEvent.raisedNs(1_000_000_000, 9_000_000, 4_000_000, 4_999_700)).as("stepped on")
                .isEqualTo(1_000_000_000);
        assertThat(QmpEvent.raisedNs(1_000_000_000, 1_000_000, 4_000_000, 4_999_700)).as("stepped back")
                .isEqualTo(1_000_000_000);
        assertThat(QmpEvent.raisedNs(1_000_000_000, 4_000_000, 4_000_000, 5_000_100)).as("never after its receipt")
                .isEqualTo(1_000_000_000);
    }

    private static String migration(String status, int microseconds) {
        return "{\"timestamp\": {\"seconds\": 1700000000, \"microseconds\": " + microseconds
                + "}, \"event\": \"MIGRATION\", \"data\": {\"status\": \"" + status + "\"}}\n";
    }
}

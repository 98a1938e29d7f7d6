package io.tombolo.agent.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tombolo.region.TomboloException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/// Runs what lies between STOP and RESUME often enough for the JVM to compile it, against a peer in this process. An
/// agent makes few hops, and the first ones would be executed by the interpreter: 4 ms instead of 1.5 ms.
final class QemuWarmUp {
    private static final int ROUNDS = 3_000;
    private static final int STATE_BYTES = 64 * 1024;
    private static final long TIMEOUT_MS = 10_000;
    private static final Pattern ID = Pattern.compile("\"id\":(\\d+)");
    private static final String GREETING = "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 0, \"minor\": 2, \"major\": 7}}}}";
    private static final String EVENTS = """
            {"timestamp": {"seconds": 1, "microseconds": 2}, "event": "STOP"}
            {"timestamp": {"seconds": 1, "microseconds": 2}, "event": "MIGRATION", "data": {"status": "completed"}}
            {"timestamp": {"seconds": 1, "microseconds": 2}, "event": "RESUME"}
            """;

    private static boolean done;

    private QemuWarmUp() {
    }

    /// Does its work the first time in this JVM, in some second. A failure is not hidden: the same sockets are about to
    /// be needed.
    static synchronized void once(Path runDirectory) {
        if (done) {
            return;
        }
        try {
            Path directory = TempFiles.privateDirectory(runDirectory, "w");
            try {
                run(directory);
            } finally {
                TempFiles.deleteTree(directory);
            }
        } catch (IOException e) {
            throw TomboloException.error(QemuError.QEMU_DIED, "UNIX domain sockets do not work in the run directory")
                    .fact("directory", runDirectory).cause(e).build();
        }
        done = true;
    }

    private static void run(Path directory) throws IOException {
        Path path = directory.resolve("qmp");
        try (ServerSocketChannel listener = listen(path)) {
            Thread peer = Thread.ofPlatform().daemon().name("warm-up-qmp").start(() -> answer(listener));
            try (QmpClient client = QmpClient.open(SocketChannel.open(UnixDomainSocketAddress.of(path)), "warm-up",
                    TIMEOUT_MS)) {
                for (int i = 0; i < ROUNDS; i++) {
                    long mark = client.eventMark();
                    client.call("cont", Map.of(), TIMEOUT_MS);
                    client.awaitEvent(mark, "completed", QmpEvent.migration("completed", "failed"), TIMEOUT_MS);
                    client.awaitEvent(mark, "RESUME", QmpEvent.named("RESUME"), TIMEOUT_MS);
                }
                states(directory.resolve("state"), client);
            }
            join(peer);
        }
    }

    private static void answer(ServerSocketChannel listener) {
        try (SocketChannel channel = listener.accept();
                BufferedReader lines = new BufferedReader(Channels.newReader(channel, UTF_8))) {
            write(channel, GREETING + "\n");
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Matcher id = ID.matcher(line);
                if (id.find()) {
                    write(channel, EVENTS + "{\"return\": {}, \"id\": " + id.group(1) + "}\n");
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void states(Path path, QmpClient client) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment state = arena.allocate(STATE_BYTES);
            CRC32C crc = new CRC32C();
            for (int i = 0; i < ROUNDS / 10; i++) {
                long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MS);
                // One thread on both ends: the state fits the socket's buffers, and connecting needs no accept.
                try (StateSocket in = StateSocket.listen(path, client);
                        StateSocket out = StateSocket.connect(path, client)) {
                    in.accept(deadlineNs);
                    out.feed(state, deadlineNs);
                    in.drain(state, () -> false, deadlineNs);
                }
                Files.deleteIfExists(path);
            }
            // The caller's own check of the state lies in the downtime too.
            ByteBuffer bytes = state.asByteBuffer();
            for (int i = 0; i < ROUNDS; i++) {
                crc.update(bytes.rewind());
            }
        }
    }

    private static ServerSocketChannel listen(Path path) throws IOException {
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            return listener.bind(UnixDomainSocketAddress.of(path), 1);
        } catch (IOException e) {
            listener.close();
            throw e;
        }
    }

    private static void write(SocketChannel channel, String text) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(UTF_8));
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static void join(Thread peer) {
        try {
            peer.join(TIMEOUT_MS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}

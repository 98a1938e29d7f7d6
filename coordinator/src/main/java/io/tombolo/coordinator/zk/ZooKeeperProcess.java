package io.tombolo.coordinator.zk;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One ZooKeeper server as an operating system process of its own, on loopback. It ends when the process that started
/// it ends, however that ends, see [ZooKeeperMain]. Not thread safe.
public final class ZooKeeperProcess implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ZooKeeperProcess.class);
    private static final int COMMAND_TIMEOUT_MS = 1_000;
    private static final int POLL_MS = 20;
    private static final long STOP_TIMEOUT_MS = 5_000;

    private final Path configFile;
    private final Path logFile;
    private final int clientPort;
    private final List<String> command;
    private Process process;

    ZooKeeperProcess(Path configFile, Path logFile, int clientPort, List<String> command) {
        this.configFile = configFile;
        this.logFile = logFile;
        this.clientPort = clientPort;
        this.command = List.copyOf(command);
    }

    /// The command line of a server: this JVM's binary and class path.
    static List<String> command(Path configFile) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp",
                System.getProperty("java.class.path"), ZooKeeperMain.class.getName(), configFile.toString()));
        return command;
    }

    /// Starts the process, also again after it ended; the data directory is kept. Returns at once, see [#awaitServing].
    ///
    /// @throws TomboloException `ZOOKEEPER_START_FAILED`
    public void start() {
        if (isAlive()) {
            throw new IllegalStateException("ZooKeeper runs already, pid " + pid());
        }
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile.toFile())).start();
        } catch (IOException e) {
            throw TomboloException.error(CoordinatorError.ZOOKEEPER_START_FAILED, "the process cannot be started")
                    .fact("command", command.getFirst()).cause(e).build();
        }
    }

    /// Waits until the server answers requests: standalone, or with a quorum.
    ///
    /// @throws TomboloException `ZOOKEEPER_START_FAILED` with the end of its log
    public void awaitServing(long timeoutMs) {
        long startNs = System.nanoTime();
        while (mode().isEmpty()) {
            if (!isAlive() || System.nanoTime() - startNs > TimeUnit.MILLISECONDS.toNanos(timeoutMs)) {
                throw TomboloException.error(CoordinatorError.ZOOKEEPER_START_FAILED, "the server does not serve")
                        .fact("clientPort", clientPort).fact("alive", isAlive()).fact("timeoutMs", timeoutMs)
                        .fact("log", logFile).fact("logEnd", logEnd()).next("read the log").build();
            }
            pause();
        }
    }

    private static void pause() {
        try {
            TimeUnit.MILLISECONDS.sleep(POLL_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw TomboloException.error(CoordinatorError.ZOOKEEPER_START_FAILED, "interrupted while waiting").cause(e)
                    .build();
        }
    }

    private String logEnd() {
        try {
            List<String> lines = Files.readAllLines(logFile);
            return String.join(" | ", lines.subList(Math.max(0, lines.size() - 5), lines.size()));
        } catch (IOException e) {
            return e.toString();
        }
    }

    /// `standalone`, `leader` or `follower`; empty when it does not serve.
    public Optional<String> mode() {
        return fourLetters("srvr").flatMap(text -> text.lines().filter(line -> line.startsWith("Mode: "))
                .map(line -> line.substring("Mode: ".length())).findFirst());
    }

    /// Answer to one of ZooKeeper's four-letter commands, for example `ruok`; empty when there is none.
    public Optional<String> fourLetters(String word) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), clientPort), COMMAND_TIMEOUT_MS);
            socket.setSoTimeout(COMMAND_TIMEOUT_MS);
            socket.getOutputStream().write(word.getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().flush();
            return Optional.of(new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .filter(text -> !text.isEmpty());
        } catch (IOException e) {
            LOG.trace("no answer to {} at port {}", word, clientPort, e);
            return Optional.empty();
        }
    }

    public int clientPort() {
        return clientPort;
    }

    /// `127.0.0.1:<client port>`.
    public String connectString() {
        return "127.0.0.1:" + clientPort;
    }

    public Path configFile() {
        return configFile;
    }

    /// Process id of the last start.
    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process != null && process.isAlive();
    }

    /// SIGKILL, and waits until the process is reaped.
    public void kill() {
        if (process != null) {
            process.destroyForcibly();
            await(STOP_TIMEOUT_MS);
        }
    }

    /// SIGTERM, then SIGKILL, and waits until the process is reaped. The data directory is kept.
    @Override
    public void close() {
        if (process != null) {
            process.destroy();
            if (!await(STOP_TIMEOUT_MS)) {
                kill();
            }
        }
    }

    private boolean await(long timeoutMs) {
        try {
            return process.waitFor(timeoutMs, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            return true;
        }
    }

    static void write(Path file, String text) {
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }
}

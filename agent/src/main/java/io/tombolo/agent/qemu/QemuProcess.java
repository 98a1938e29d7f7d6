package io.tombolo.agent.qemu;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tombolo.region.TomboloException;
import java.io.File;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// One QEMU process, its private directory and its QMP connection.
///
/// QEMU connects to a socket on which the agent listens until then: there is nothing to poll for, and afterwards nobody
/// else can reach the guest's QMP. The process stays in the agent's process group and cgroup, so that whatever kills
/// the host's group kills it.
final class QemuProcess implements AutoCloseable {
    /// sun_path of Linux, without the final zero byte.
    static final int SOCKET_PATH_BYTES = 107;
    private static final int STDERR_TAIL_BYTES = 2000;
    private static final long REAP_TIMEOUT_MS = 30_000;

    private final String name;
    private final Path directory;
    private final Process process;
    private final CompletableFuture<Process> exited;
    private volatile QmpClient qmp;
    private volatile boolean killed;
    private volatile String lastWords = "";

    private QemuProcess(String name, Path directory, Process process) {
        this.name = name;
        this.directory = directory;
        this.process = process;
        this.exited = process.onExit();
    }

    static QemuProcess start(QemuDefinition definition, QemuCommandLine.Role role, long timeoutMs) {
        definition.checkMemory();
        try {
            Path directory = TempFiles.privateDirectory(definition.runDirectory(), "q");
            try {
                return start(definition, role, directory, timeoutMs);
            } catch (IOException | RuntimeException e) {
                TempFiles.deleteTree(directory);
                throw e;
            }
        } catch (IOException e) {
            throw TomboloException.error(QemuError.QEMU_DIED, "QEMU cannot be started").fact("guest", definition.name())
                    .fact("directory", definition.runDirectory()).cause(e).build();
        }
    }

    private static QemuProcess start(QemuDefinition definition, QemuCommandLine.Role role, Path directory,
            long timeoutMs)
            throws IOException {
        Path socket = directory.resolve("qmp");
        checkSocketPath(socket);
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(socket), 1);
            Process process = new ProcessBuilder(QemuCommandLine.build(definition, role, socket))
                    .redirectInput(new File("/dev/null")).redirectErrorStream(true)
                    .redirectOutput(directory.resolve("output").toFile()).start();
            QemuProcess started = new QemuProcess(definition.name(), directory, process);
            try {
                started.connect(listener, timeoutMs);
                Files.delete(socket);
                return started;
            } catch (IOException | RuntimeException e) {
                started.kill();
                throw e;
            }
        }
    }

    static void checkSocketPath(Path socket) {
        int bytes = socket.toString().getBytes(UTF_8).length;
        if (bytes > SOCKET_PATH_BYTES) {
            throw TomboloException.error(QemuError.QEMU_PATH_TOO_LONG, "a UNIX domain socket's path is too long")
                    .fact("path", socket).fact("bytes", bytes).fact("limit", SOCKET_PATH_BYTES)
                    .next("configure a shorter run directory").build();
        }
    }

    private void connect(ServerSocketChannel listener, long timeoutMs) throws IOException {
        CompletableFuture<Object> over = CompletableFuture.anyOf(exited,
                CompletableFuture.runAsync(() -> {
                }, CompletableFuture.delayedExecutor(timeoutMs, TimeUnit.MILLISECONDS)));
        CompletableFuture<Void> closer = over.thenRun(() -> closeQuietly(listener));
        try {
            SocketChannel channel = listener.accept();
            closer.cancel(false);
            qmp = QmpClient.open(channel, name, timeoutMs);
        } catch (AsynchronousCloseException e) {
            throw process.isAlive()
                    ? TomboloException.error(QemuError.QEMU_TIMEOUT, "QEMU did not open its QMP socket")
                            .fact("guest", name).fact("timeoutMs", timeoutMs).cause(e).build()
                    : died("starting", e);
        } catch (ClosedChannelException e) {
            throw died("starting", e);
        } catch (TomboloException e) {
            throw explain("starting", e);
        }
    }

    private static void closeQuietly(ServerSocketChannel listener) {
        try {
            listener.close();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    QmpClient qmp() {
        return qmp;
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /// Completes when the process is gone, by whatever cause.
    CompletableFuture<Process> exited() {
        return exited;
    }

    boolean wasKilled() {
        return killed;
    }

    /// A path for a socket of this process.
    Path socket(String file) {
        Path path = directory.resolve(file);
        checkSocketPath(path);
        return path;
    }

    /// A closed QMP socket is usually a dead process, of which it is the first sign: says QEMU_DIED and why if it is
    /// so.
    TomboloException explain(String doing, TomboloException e) {
        if (e.code() != QemuError.QMP_CLOSED || killed) {
            return e;
        }
        try {
            process.waitFor(1, TimeUnit.SECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        return process.isAlive() ? e : died(doing, e);
    }

    TomboloException died(String doing, Throwable cause) {
        TomboloException.Builder error = TomboloException.error(QemuError.QEMU_DIED, "QEMU ended while " + doing)
                .fact("guest", name).fact("pid", process.pid());
        if (!process.isAlive()) {
            error.fact("status", process.exitValue());
        }
        return error.fact("output", lastOutput()).cause(cause).build();
    }

    /// The end of what QEMU printed, in one line.
    String lastOutput() {
        Path output = directory.resolve("output");
        if (!Files.exists(output)) {
            return lastWords;
        }
        try (SeekableByteChannel channel = Files.newByteChannel(output)) {
            channel.position(Math.max(0, channel.size() - STDERR_TAIL_BYTES));
            ByteBuffer bytes = ByteBuffer.allocate(STDERR_TAIL_BYTES);
            while (bytes.hasRemaining() && channel.read(bytes) >= 0) {
                // Until full or at the end.
            }
            return UTF_8.decode(bytes.flip()).toString().strip().replace('\n', '|');
        } catch (IOException e) {
            return "unreadable: " + e.getMessage();
        }
    }

    /// SIGKILL, and returns when the process has been reaped and its files are gone. Any thread, idempotent; calls
    /// under way on the QMP connection fail with QMP_CLOSED.
    void kill() {
        killed = true;
        process.destroyForcibly();
        boolean interrupted = Thread.interrupted();
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(REAP_TIMEOUT_MS);
        boolean reaped = false;
        while (!reaped && System.nanoTime() < deadlineNs) {
            try {
                reaped = process.waitFor(deadlineNs - System.nanoTime(), TimeUnit.NANOSECONDS);
            } catch (InterruptedException _) {
                // Not reaped is not stopped: whoever asked relies on that.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        QmpClient connection = qmp;
        if (connection != null) {
            connection.close();
        }
        if (!reaped) {
            throw TomboloException.error(QemuError.QEMU_NOT_REAPED, "QEMU is still there after SIGKILL")
                    .fact("guest", name).fact("pid", process.pid()).build();
        }
        removeFiles();
    }

    private synchronized void removeFiles() {
        lastWords = lastOutput();
        try {
            TempFiles.deleteTree(directory);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        kill();
    }
}

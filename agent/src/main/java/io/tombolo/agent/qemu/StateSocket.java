package io.tombolo.agent.qemu;

import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;

/// One end of QEMU's migration stream over a UNIX domain socket, with a time limit on every wait. Used by one thread.
///
/// Bytes go between the socket and the given memory directly: a mapped segment is never copied through the heap.
final class StateSocket implements AutoCloseable {
    /// The whole state of a small machine, so that neither side waits for the other half way.
    private static final int BUFFER_BYTES = 1 << 20;
    private static final int LARGEST_VIEW = Integer.MAX_VALUE - 8;

    private final Path path;
    private final QmpClient qmp;
    private final ServerSocketChannel listener;
    private SocketChannel channel;
    private SelectionKey key;

    private StateSocket(Path path, QmpClient qmp, ServerSocketChannel listener, SocketChannel channel) {
        this.path = path;
        this.qmp = qmp;
        this.listener = listener;
        this.channel = channel;
    }

    /// Listens, so that a source can be told to migrate here.
    ///
    /// @param qmp the source's connection, served while this waits
    static StateSocket listen(Path path, QmpClient qmp) throws IOException {
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            listener.bind(UnixDomainSocketAddress.of(path), 1);
            listener.configureBlocking(false);
            listener.register(qmp.selector(), SelectionKey.OP_ACCEPT);
            return new StateSocket(path, qmp, listener, null);
        } catch (ClosedSelectorException e) {
            listener.close();
            Files.deleteIfExists(path);
            throw new IOException("the QMP socket is closed", e);
        } catch (IOException e) {
            listener.close();
            Files.deleteIfExists(path);
            throw e;
        }
    }

    /// Connects to a target that listens.
    static StateSocket connect(Path path, QmpClient qmp) throws IOException {
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(path));
        try {
            channel.setOption(StandardSocketOptions.SO_SNDBUF, BUFFER_BYTES);
            channel.configureBlocking(false);
            return new StateSocket(path, qmp, null, channel);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    void accept(long deadlineNs) throws IOException {
        channel = listener.accept();
        while (channel == null) {
            await(deadlineNs);
            channel = listener.accept();
        }
        listener.close();
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.SO_RCVBUF, BUFFER_BYTES);
        key = channel.register(qmp.selector(), SelectionKey.OP_READ);
    }

    /// Reads until `complete` says that the other side has written everything (asked when nothing is there to read), or
    /// until it closes; the number of bytes, or -1 if `into` is too small (what fits has been read).
    long drain(MemorySegment into, BooleanSupplier complete, long deadlineNs) throws IOException {
        long capacity = Math.min(into.byteSize(), LARGEST_VIEW);
        ByteBuffer room = into.asSlice(0, capacity).asByteBuffer();
        ByteBuffer beyond = ByteBuffer.allocate(1);
        boolean everythingWritten = false;
        while (true) {
            int count = channel.read(room.hasRemaining() ? room : beyond);
            if (beyond.position() > 0) {
                return -1;
            }
            if (count < 0 || (count == 0 && everythingWritten)) {
                // The end that may come yet must not wake those who wait for QMP.
                key.interestOps(0);
                return room.position();
            }
            if (count == 0) {
                everythingWritten = complete.getAsBoolean();
                if (!everythingWritten) {
                    await(deadlineNs);
                }
            }
        }
    }

    /// Writes all of `state` and closes, which tells the reader that it is all.
    void feed(MemorySegment state, long deadlineNs) throws IOException {
        ByteBuffer bytes = state.asByteBuffer();
        while (bytes.hasRemaining()) {
            if (channel.write(bytes) == 0) {
                channel.register(qmp.selector(), SelectionKey.OP_WRITE);
                await(deadlineNs);
            }
        }
        channel.close();
    }

    private void await(long deadlineNs) throws IOException {
        if (System.nanoTime() - deadlineNs >= 0) {
            throw TomboloException.error(QemuError.QEMU_TIMEOUT, "QEMU's migration stream stands still")
                    .fact("socket", path).build();
        }
        qmp.awaitReady("the migration stream", deadlineNs);
    }

    /// Takes some 0.1 ms: not to be done while a guest is stopped.
    @Override
    public void close() {
        try {
            if (channel != null) {
                channel.close();
            }
            if (listener != null) {
                listener.close();
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

package io.tombolo.chaos.coordination;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// A port that forwards to another, until it is frozen (nothing passes, nothing is lost) or shut (connections are
/// closed and none is taken).
final class TcpGate implements AutoCloseable {
    private final ServerSocket listener;
    private volatile int target;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition thawed = lock.newCondition();
    private boolean frozen;
    private boolean shut;
    private boolean closed;

    TcpGate(int target) {
        this.target = target;
        try {
            listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    /// Where new connections go.
    void retarget(int port) {
        target = port;
    }

    void freeze() {
        set(true, false);
    }

    void shut() {
        set(false, true);
        sockets.forEach(TcpGate::close);
    }

    /// Everything passes again, what was held back first.
    void open() {
        set(false, false);
    }

    private void set(boolean nowFrozen, boolean nowShut) {
        lock.lock();
        try {
            frozen = nowFrozen;
            shut = nowShut;
            thawed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void accept() {
        while (true) {
            try {
                Socket in = listener.accept();
                sockets.add(in);
                if (isShut()) {
                    close(in);
                    continue;
                }
                connect(in);
            } catch (IOException _) {
                return;
            }
        }
    }

    private boolean isShut() {
        lock.lock();
        try {
            return shut;
        } finally {
            lock.unlock();
        }
    }

    private void connect(Socket in) {
        try {
            Socket out = new Socket(InetAddress.getLoopbackAddress(), target);
            in.setTcpNoDelay(true);
            out.setTcpNoDelay(true);
            sockets.add(out);
            Thread.ofVirtual().start(() -> pump(in, out));
            Thread.ofVirtual().start(() -> pump(out, in));
        } catch (IOException _) {
            close(in);
        }
    }

    private void pump(Socket from, Socket to) {
        byte[] buffer = new byte[1 << 14];
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                awaitThaw();
                out.write(buffer, 0, n);
            }
        } catch (IOException _) {
            // One side ended; the other is told below.
        } finally {
            close(from);
            close(to);
            sockets.remove(from);
            sockets.remove(to);
        }
    }

    private void awaitThaw() {
        lock.lock();
        try {
            while (frozen && !closed) {
                thawed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            thawed.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        sockets.forEach(TcpGate::close);
    }
}

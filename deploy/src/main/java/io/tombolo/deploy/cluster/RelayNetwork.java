package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Loopback, with a relay of its own between every agent and each ZooKeeper server, so that one host can be cut off
/// from ZooKeeper without any rights. While it is cut off nothing passes and nothing ends, as when cables are pulled:
/// connections stay open, new ones are accepted and nothing comes of them. Healing ends the connections that were cut.
///
/// Ends with this process; thread safe.
public final class RelayNetwork implements ClusterNetwork, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RelayNetwork.class);
    private static final int CONNECT_MS = 2_000;
    private static final int BUFFER_BYTES = 16_384;

    private final Map<String, Way> ways = new HashMap<>();

    /// The way of one process to ZooKeeper.
    private static final class Way implements AutoCloseable {
        private final String process;
        private final List<ServerSocket> listeners = new ArrayList<>();
        private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition open = lock.newCondition();
        private boolean cut;
        private boolean closed;

        Way(String process) {
            this.process = process;
        }

        /// Listens for one server; the port.
        int listen(InetSocketAddress server) throws IOException {
            ServerSocket listener = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
            listeners.add(listener);
            Thread.ofVirtual().name("relay " + process).start(() -> accept(listener, server));
            return listener.getLocalPort();
        }

        private void accept(ServerSocket listener, InetSocketAddress server) {
            while (!listener.isClosed()) {
                try {
                    Socket near = listener.accept();
                    sockets.add(near);
                    Thread.ofVirtual().name("relay " + process).start(() -> connect(near, server));
                } catch (IOException e) {
                    if (!listener.isClosed()) {
                        LOG.warn("the relay of {} cannot accept", process, e);
                    }
                }
            }
        }

        private void connect(Socket near, InetSocketAddress server) {
            Socket far = new Socket();
            sockets.add(far);
            try {
                awaitOpen();
                far.connect(server, CONNECT_MS);
                near.setTcpNoDelay(true);
                far.setTcpNoDelay(true);
                Thread back = Thread.ofVirtual().name("relay " + process).start(() -> copy(far, near));
                copy(near, far);
                back.join();
            } catch (IOException e) {
                LOG.debug("a connection of {} to {} failed", process, server, e);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            } finally {
                end(near);
                end(far);
            }
        }

        /// Until either end closes; then both are closed.
        private void copy(Socket from, Socket to) {
            byte[] buffer = new byte[BUFFER_BYTES];
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    awaitOpen();
                    out.write(buffer, 0, n);
                }
            } catch (IOException e) {
                LOG.debug("a connection of {} ended", process, e);
            } finally {
                end(from);
                end(to);
            }
        }

        private void awaitOpen() {
            lock.lock();
            try {
                while (cut && !closed) {
                    open.awaitUninterruptibly();
                }
            } finally {
                lock.unlock();
            }
        }

        private void end(Socket socket) {
            sockets.remove(socket);
            try {
                socket.close();
            } catch (IOException e) {
                LOG.debug("a socket of {} cannot be closed", process, e);
            }
        }

        void cut() {
            lock.lock();
            try {
                cut = true;
            } finally {
                lock.unlock();
            }
        }

        void heal() {
            lock.lock();
            try {
                if (cut) {
                    // Those who wait with bytes in their hands find their sockets closed.
                    List.copyOf(sockets).forEach(this::end);
                }
                cut = false;
                open.signalAll();
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void close() {
            lock.lock();
            try {
                closed = true;
                open.signalAll();
            } finally {
                lock.unlock();
            }
            for (ServerSocket listener : listeners) {
                try {
                    listener.close();
                } catch (IOException e) {
                    LOG.debug("a listener of {} cannot be closed", process, e);
                }
            }
            List.copyOf(sockets).forEach(this::end);
        }
    }

    @Override
    public String bind(String process) {
        return LOOPBACK.bind(process);
    }

    @Override
    public String name(String process) {
        return LOOPBACK.name(process);
    }

    @Override
    public String fromOutside(String process) {
        return LOOPBACK.fromOutside(process);
    }

    @Override
    public int port(Port port) {
        return LOOPBACK.port(port);
    }

    @Override
    public List<String> command(String process, List<String> command) {
        return command;
    }

    @Override
    public synchronized String zooKeeper(String process, String connect) {
        requireNonNull(connect, "connect is null");
        Way way = new Way(requireNonNull(process, "process is null"));
        Way before = ways.put(process, way);
        if (before != null) {
            before.close();
        }
        List<String> servers = new ArrayList<>();
        try {
            for (String server : connect.split(",", -1)) {
                int colon = server.lastIndexOf(':');
                servers.add(LOOPBACK.bind(process) + ":" + way.listen(new InetSocketAddress(
                        server.substring(0, colon), Integer.parseInt(server.substring(colon + 1)))));
            }
        } catch (IOException e) {
            throw TomboloException.error(ClusterError.PORT_TAKEN, "a relay to ZooKeeper cannot listen")
                    .fact("process", process).fact("cause", e.getMessage()).next("see who listens with `ss -ltnp`")
                    .cause(e).build();
        }
        return String.join(",", servers);
    }

    /// From now on nothing passes between that process and ZooKeeper.
    public void cut(String process) {
        way(process).cut();
    }

    /// Everything passes again; does nothing for a process that was not cut off.
    public void heal(String process) {
        way(process).heal();
    }

    private synchronized Way way(String process) {
        Way way = ways.get(process);
        if (way == null) {
            throw new IllegalArgumentException("no relay for " + process);
        }
        return way;
    }

    @Override
    public synchronized void close() {
        ways.values().forEach(Way::close);
        ways.clear();
    }
}

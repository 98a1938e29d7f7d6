package io.tombolo.coordinator.zk;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// A local ensemble of one or three [ZooKeeperProcess]es with free ports, their data and logs below one directory.
///
/// Free ports are found by binding and letting go, so another process may take one in between; then the server does not
/// start, and the ensemble is tried again with other ports.
public final class ZooKeeperEnsemble implements AutoCloseable {
    private static final int ATTEMPTS = 3;
    private static final long START_TIMEOUT_MS = 30_000;
    private static final int PORTS_PER_SERVER = 3;

    private final List<ZooKeeperProcess> servers;

    private ZooKeeperEnsemble(List<ZooKeeperProcess> servers) {
        this.servers = servers;
    }

    /// Starts an ensemble and waits until it serves.
    ///
    /// @param directory where configuration, data and logs go
    /// @param count     1 or 3 servers
    /// @param tickMs    ZooKeeper's tick; sessions are granted 2 to 20 of them
    /// @throws TomboloException `ZOOKEEPER_START_FAILED`
    public static ZooKeeperEnsemble start(Path directory, int count, int tickMs) {
        if (count != 1 && count != 3) {
            throw new IllegalArgumentException("an ensemble has 1 or 3 servers, not " + count);
        }
        for (int attempt = 1;; attempt++) {
            ZooKeeperEnsemble ensemble = configure(directory.resolve("attempt-" + attempt), count, tickMs);
            try {
                ensemble.servers.forEach(ZooKeeperProcess::start);
                ensemble.servers.forEach(server -> server.awaitServing(START_TIMEOUT_MS));
                return ensemble;
            } catch (TomboloException e) {
                ensemble.close();
                if (e.code() != CoordinatorError.ZOOKEEPER_START_FAILED || attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private static ZooKeeperEnsemble configure(Path directory, int count, int tickMs) {
        List<Integer> ports = freePorts(count * PORTS_PER_SERVER);
        StringBuilder peers = new StringBuilder();
        for (int id = 1; count > 1 && id <= count; id++) {
            peers.append("server.").append(id).append("=127.0.0.1:").append(ports.get(count + id - 1)).append(':')
                    .append(ports.get(2 * count + id - 1)).append('\n');
        }
        List<ZooKeeperProcess> servers = new ArrayList<>();
        for (int id = 1; id <= count; id++) {
            Path home = directory.resolve("zookeeper-" + id);
            Path configFile = home.resolve("zoo.cfg");
            int clientPort = ports.get(id - 1);
            ZooKeeperProcess.write(configFile,
                    String.format("tickTime=%d%ninitLimit=50%nsyncLimit=20%ndataDir=%s%nclientPort=%d%n"
                            + "clientPortAddress=127.0.0.1%nadmin.enableServer=false%nmaxClientCnxns=0%n"
                            + "4lw.commands.whitelist=ruok,srvr,mntr%n%s", tickMs, home.resolve("data"), clientPort,
                            peers));
            ZooKeeperProcess.write(home.resolve("data").resolve("myid"), id + "\n");
            servers.add(new ZooKeeperProcess(configFile, home.resolve("zookeeper.log"), clientPort,
                    ZooKeeperProcess.command(configFile)));
        }
        return new ZooKeeperEnsemble(List.copyOf(servers));
    }

    private static List<Integer> freePorts(int count) {
        List<ServerSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
            }
            return sockets.stream().map(ServerSocket::getLocalPort).toList();
        } catch (IOException e) {
            throw new UncheckedIOException("no free port", e);
        } finally {
            sockets.forEach(ZooKeeperEnsemble::letGo);
        }
    }

    private static void letGo(ServerSocket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException("a port cannot be let go", e);
        }
    }

    public List<ZooKeeperProcess> servers() {
        return servers;
    }

    /// All servers, for a client.
    public String connectString() {
        return servers.stream().map(ZooKeeperProcess::connectString).collect(Collectors.joining(","));
    }

    /// Stops all servers; their directories are kept.
    @Override
    public void close() {
        servers.forEach(ZooKeeperProcess::close);
    }
}

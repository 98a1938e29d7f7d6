package io.tombolo.deploy.cluster;

import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/// Configuration of a cluster's own ZooKeeper ensemble, with its data beside the region: it means nothing
/// without it.
///
/// @param configs configuration files, one per server
/// @param clients addresses for clients in the same order, as who is no process of the cluster reaches them
/// @param connectString for the processes of the cluster
record ZooKeeperFiles(List<Path> configs, List<InetSocketAddress> clients, String connectString) {
    private static final int PROBE_TIMEOUT_MS = 200;

    /// Writes the files. Free ports are found by binding and letting go, so somebody else may take one in between.
    ///
    /// @throws TomboloException PORT_TAKEN for a port that was asked for
    static ZooKeeperFiles write(Path configurations, Path data, int servers, int tickMs, List<Integer> wantedPorts,
            ClusterNetwork network) throws IOException {
        wantedPorts.forEach(ZooKeeperFiles::requireFree);
        List<Integer> free = freePorts(servers * 3);
        StringBuilder peers = new StringBuilder();
        for (int id = 1; servers > 1 && id <= servers; id++) {
            peers.append("server.").append(id).append('=').append(network.name(server(id))).append(':')
                    .append(port(network, ClusterNetwork.Port.PEER, free.get(servers + id - 1))).append(':')
                    .append(port(network, ClusterNetwork.Port.ELECTION, free.get(2 * servers + id - 1))).append('\n');
        }
        List<Path> files = new ArrayList<>();
        List<InetSocketAddress> clients = new ArrayList<>();
        List<String> connect = new ArrayList<>();
        for (int id = 1; id <= servers; id++) {
            int port = wantedPorts.isEmpty()
                    ? port(network, ClusterNetwork.Port.CLIENT, free.get(id - 1))
                    : wantedPorts.get(id - 1);
            Path home = Files.createDirectories(data.resolve(server(id)));
            Files.writeString(home.resolve("myid"), id + "\n");
            Path file = configurations.resolve(server(id) + ".cfg");
            Files.writeString(file,
                    "tickTime=" + tickMs + "\ninitLimit=20\nsyncLimit=5\ndataDir=" + home + "\nclientPort=" + port
                            + "\nclientPortAddress=" + network.bind(server(id))
                            + "\nadmin.enableServer=false\nmaxClientCnxns=0\n"
                            + "4lw.commands.whitelist=ruok,srvr,mntr\nautopurge.snapRetainCount=3\n"
                            + "autopurge.purgeInterval=1\npreAllocSize=1024\n" + peers);
            files.add(file);
            clients.add(InetSocketAddress.createUnresolved(network.fromOutside(server(id)), port));
            connect.add(network.name(server(id)) + ":" + port);
        }
        return new ZooKeeperFiles(List.copyOf(files), List.copyOf(clients), String.join(",", connect));
    }

    /// Name of a server's process.
    static String server(int id) {
        return "zookeeper-" + id;
    }

    private static int port(ClusterNetwork network, ClusterNetwork.Port kind, int free) {
        int fixed = network.port(kind);
        return fixed == 0 ? free : fixed;
    }

    /// Connection string for who is no process of the cluster.
    String fromOutside() {
        return clients.stream().map(at -> at.getHostString() + ":" + at.getPort()).collect(Collectors.joining(","));
    }

    /// True once the server at that port of this machine serves: alone, or with a quorum.
    static BooleanSupplier serves(int port) {
        return serves(InetSocketAddress.createUnresolved("127.0.0.1", port));
    }

    /// The same for one that listens elsewhere.
    static BooleanSupplier serves(InetSocketAddress server) {
        return () -> {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(server.getHostString(), server.getPort()), PROBE_TIMEOUT_MS);
                socket.setSoTimeout(PROBE_TIMEOUT_MS);
                socket.getOutputStream().write("srvr".getBytes(StandardCharsets.US_ASCII));
                return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                        .contains("\nMode: ");
            } catch (IOException _) {
                // Not yet.
                return false;
            }
        };
    }

    private static void requireFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        } catch (IOException e) {
            throw TomboloException.error(ClusterError.PORT_TAKEN, "somebody else listens on a port of the cluster")
                    .fact("port", port).fact("cause", e.getMessage())
                    .next("see who with `ss -ltnp`, or let the cluster choose its ports").cause(e).build();
        }
    }

    private static List<Integer> freePorts(int count) throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
            }
            return sockets.stream().map(ServerSocket::getLocalPort).toList();
        } finally {
            for (ServerSocket socket : sockets) {
                socket.close();
            }
        }
    }
}

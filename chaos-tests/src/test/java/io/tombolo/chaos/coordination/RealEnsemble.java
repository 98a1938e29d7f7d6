package io.tombolo.chaos.coordination;

import io.tombolo.coordinator.zk.ZooKeeperMain;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/// Real ZooKeeper servers, one or three processes. Every server reaches every other one's quorum port through a gate of
/// its own, so that a follower can be cut off from its leader without hurting anything else; elections are not gated.
final class RealEnsemble implements AutoCloseable {
    static final int TICK_MS = 200;
    private static final int ATTEMPTS = 3;

    private final Path directory;
    private final List<Integer> clientPorts;
    private final List<Process> processes = new ArrayList<>();
    /// Row: who connects; column: to whom.
    private final List<List<TcpGate>> links = new ArrayList<>();

    private RealEnsemble(int count) throws IOException {
        directory = Files.createTempDirectory("tombolo-chaos-zk-");
        List<Integer> ports = freePorts(3 * count);
        clientPorts = ports.subList(0, count);
        for (int from = 0; from < count; from++) {
            links.add(IntStream.range(0, count).mapToObj(to -> new TcpGate(ports.get(count + to))).toList());
        }
        for (int id = 0; id < count; id++) {
            processes.add(start(id, configure(id, count, ports)));
        }
    }

    static RealEnsemble start(int count) throws IOException {
        for (int attempt = 1;; attempt++) {
            RealEnsemble ensemble = new RealEnsemble(count);
            try {
                ensemble.awaitServing();
                return ensemble;
            } catch (org.awaitility.core.ConditionTimeoutException e) {
                ensemble.close();
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    private Path configure(int id, int count, List<Integer> ports) throws IOException {
        StringBuilder peers = new StringBuilder();
        for (int peer = 0; count > 1 && peer < count; peer++) {
            int quorum = peer == id ? ports.get(count + peer) : links.get(id).get(peer).port();
            peers.append(String.format("server.%d=127.0.0.1:%d:%d%n", peer + 1, quorum, ports.get(2 * count + peer)));
        }
        Path home = Files.createDirectories(directory.resolve("server-" + id));
        Files.createDirectories(home.resolve("data"));
        Files.writeString(home.resolve("data").resolve("myid"), (id + 1) + "\n");
        // 20 ticks until a follower that hears nothing gives up: long enough to look at it.
        return Files.writeString(home.resolve("zoo.cfg"),
                String.format("tickTime=%d%ninitLimit=50%nsyncLimit=20%ndataDir=%s%nclientPort=%d%n"
                        + "clientPortAddress=127.0.0.1%nadmin.enableServer=false%nmaxClientCnxns=0%n"
                        + "4lw.commands.whitelist=srvr%nquorumListenOnAllIPs=false%n%s", TICK_MS, home.resolve("data"),
                        clientPorts.get(id), peers));
    }

    private static Process start(int id, Path config) throws IOException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx128m",
                "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dzookeeper.forceSync=no", "-cp",
                System.getProperty("java.class.path"), ZooKeeperMain.class.getName(), config.toString())
                .redirectErrorStream(true)
                .redirectOutput(config.resolveSibling("log-" + id).toFile()).start();
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

    int clientPort(int server) {
        return clientPorts.get(server);
    }

    /// `leader`, `follower`, `standalone`, or empty when it does not serve.
    String mode(int server) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), clientPort(server)), 1_000);
            socket.setSoTimeout(1_000);
            socket.getOutputStream().write("srvr".getBytes(StandardCharsets.US_ASCII));
            socket.getOutputStream().flush();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).lines()
                    .filter(line -> line.startsWith("Mode: ")).map(line -> line.substring(6)).findFirst().orElse("");
        } catch (IOException _) {
            return "";
        }
    }

    private void awaitServing() {
        Awaitility.await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(50))
                .until(() -> IntStream.range(0, clientPorts.size()).noneMatch(server -> mode(server).isEmpty()));
    }

    int leader() {
        return IntStream.range(0, clientPorts.size()).filter(server -> mode(server).equals("leader")).findFirst()
                .orElse(-1);
    }

    /// A server's way to another one's quorum port.
    TcpGate link(int from, int to) {
        return links.get(from).get(to);
    }

    void kill(int server) throws InterruptedException {
        processes.get(server).destroyForcibly().waitFor();
    }

    @Override
    public void close() throws IOException {
        processes.forEach(Process::destroyForcibly);
        processes.forEach(process -> process.onExit().join());
        links.forEach(row -> row.forEach(TcpGate::close));
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}

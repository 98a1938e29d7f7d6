package io.tombolo.deploy.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// A way to a server that sends back what it gets, cut and healed.
final class RelayNetworkTest {
    private static final int SHORT_MS = 200;
    private static final int LONG_MS = 10_000;

    private final RelayNetwork network = new RelayNetwork();
    private ServerSocket server;

    @BeforeEach
    void anEchoServer() throws IOException {
        server = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().start(() -> {
            while (!server.isClosed()) {
                try {
                    Socket socket = server.accept();
                    Thread.ofVirtual().start(() -> echo(socket));
                } catch (IOException e) {
                    assertThat(server.isClosed()).isTrue();
                }
            }
        });
    }

    private static void echo(Socket socket) {
        try (socket) {
            socket.getInputStream().transferTo(socket.getOutputStream());
        } catch (IOException e) {
            // The other end was cut: nobody is there to be told.
            return;
        }
    }

    @AfterEach
    void close() throws IOException {
        network.close();
        server.close();
    }

    private Socket connect(String relay) throws IOException {
        return new Socket(InetAddress.getLoopbackAddress(), Integer.parseInt(relay.split(":", -1)[1]));
    }

    private static int ask(Socket socket, int value, int timeoutMs) throws IOException {
        socket.setSoTimeout(timeoutMs);
        socket.getOutputStream().write(value);
        return socket.getInputStream().read();
    }

    @Test
    void passesEverythingUntilItIsCutAndNothingUntilItIsHealed() throws IOException {
        String target = "127.0.0.1:" + server.getLocalPort();
        String relay = network.zooKeeper("host-1", target);
        String other = network.zooKeeper("host-2", target + "," + target);
        assertThat(relay).isNotEqualTo(target);
        assertThat(other.split(",", -1)).hasSize(2).doesNotHaveDuplicates();
        try (Socket before = connect(relay); Socket beside = connect(other.split(",", -1)[1])) {
            assertThat(ask(before, 7, LONG_MS)).isEqualTo(7);

            network.cut("host-1");

            assertThatThrownBy(() -> ask(before, 8, SHORT_MS)).isInstanceOf(SocketTimeoutException.class);
            try (Socket during = connect(relay)) {
                assertThatThrownBy(() -> ask(during, 9, SHORT_MS)).isInstanceOf(SocketTimeoutException.class);
            }
            assertThat(ask(beside, 5, LONG_MS)).as("another host's way").isEqualTo(5);

            network.heal("host-1");

            // A connection that was cut is over; what was on its way does not come out of a hat later.
            before.setSoTimeout(LONG_MS);
            assertThat(ended(before)).isTrue();
            try (Socket after = connect(relay)) {
                assertThat(ask(after, 10, LONG_MS)).isEqualTo(10);
            }
        }
    }

    private static boolean ended(Socket socket) {
        try {
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException e) {
            throw new AssertionError("still open", e);
        } catch (IOException e) {
            return true;
        }
    }

    @Test
    void healingWhatIsWholeEndsNothing() throws IOException {
        String relay = network.zooKeeper("host-1", "127.0.0.1:" + server.getLocalPort());
        try (Socket socket = connect(relay)) {
            assertThat(ask(socket, 1, LONG_MS)).isEqualTo(1);
            network.heal("host-1");
            assertThat(ask(socket, 2, LONG_MS)).isEqualTo(2);
        }
        assertThatThrownBy(() -> network.cut("host-9")).hasMessageContaining("no relay for host-9");
    }
}

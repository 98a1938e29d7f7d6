package io.tombolo.chaos.proxy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// An echo server behind a proxy, and a client in front of it.
class FaultProxyTest {
    private static final int SHORT_MS = 300;
    private static final int LONG_MS = 5_000;

    private final FaultProxy proxy = new FaultProxy(1);
    private final AtomicInteger connections = new AtomicInteger();
    private ServerSocket server;
    private InetSocketAddress entry;

    @BeforeEach
    void start() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        Thread.ofPlatform().daemon().start(this::accept);
        entry = new InetSocketAddress(InetAddress.getLoopbackAddress(), freePort());
        proxy.listen("client", "server", entry,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getLocalPort()));
    }

    @AfterEach
    void stop() throws IOException {
        proxy.close();
        server.close();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket socket = server.accept();
                connections.incrementAndGet();
                Thread.ofVirtual().start(() -> echo(socket));
            } catch (IOException e) {
                // The server was closed.
                return;
            }
        }
    }

    private void echo(Socket socket) {
        try (socket) {
            socket.getInputStream().transferTo(socket.getOutputStream());
        } catch (IOException e) {
            // The other side has gone.
        } finally {
            connections.decrementAndGet();
        }
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket();
        socket.connect(entry, LONG_MS);
        socket.setSoTimeout(LONG_MS);
        return socket;
    }

    private static int exchange(Socket socket, int value) throws IOException {
        socket.getOutputStream().write(value);
        return socket.getInputStream().read();
    }

    private static void answersNothing(Socket socket, int value) throws IOException {
        socket.setSoTimeout(SHORT_MS);
        assertThatThrownBy(() -> exchange(socket, value)).isInstanceOf(SocketTimeoutException.class);
        socket.setSoTimeout(LONG_MS);
    }

    @Test
    void passesEverythingInBothDirectionsAndTheEndOfAStream() throws IOException {
        try (Socket socket = connect()) {
            byte[] sent = new byte[1 << 20];
            for (int i = 0; i < sent.length; i++) {
                sent[i] = (byte) (i * 31);
            }
            Thread.ofVirtual().start(() -> {
                try {
                    socket.getOutputStream().write(sent);
                    socket.shutdownOutput();
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThat(socket.getInputStream().readNBytes(sent.length)).isEqualTo(sent);
        }
        await().atMost(Duration.ofSeconds(5)).until(() -> connections.get() == 0);
    }

    @Test
    void holdsOneDirectionAndDeliversWhatItHeldWhenItIsHealed() throws IOException {
        try (Socket socket = connect()) {
            assertThat(exchange(socket, 1)).isEqualTo(1);
            proxy.set("server", "client", LinkPolicy.HELD);
            answersNothing(socket, 2);
            assertThat(proxy.policy("server", "client").held()).isTrue();
            assertThat(proxy.policy("client", "server").held()).isFalse();
            proxy.heal();
            assertThat(socket.getInputStream().read()).isEqualTo(2);
            proxy.set("client", "server", LinkPolicy.HELD);
            answersNothing(socket, 3);
            proxy.set("client", "server", LinkPolicy.OPEN);
            assertThat(socket.getInputStream().read()).isEqualTo(3);
        }
    }

    @Test
    void aConnectionThatIsMadeWhileTheLinkIsCutComesToLifeWhenItIsHealed() throws IOException {
        proxy.set("client", "server", LinkPolicy.HELD);
        try (Socket socket = connect()) {
            answersNothing(socket, 4);
            assertThat(connections.get()).isZero();
            proxy.heal();
            assertThat(socket.getInputStream().read()).isEqualTo(4);
        }
    }

    @Test
    void leavesOneSideOfAConnectionInTheDark() throws IOException {
        try (Socket socket = connect()) {
            assertThat(exchange(socket, 1)).isEqualTo(1);
            proxy.halfOpen("client", "server");
            await().atMost(Duration.ofSeconds(5)).until(() -> connections.get() == 0);
            answersNothing(socket, 2);
            proxy.endHalfOpen();
            assertThat(ended(socket)).isTrue();
        }
        try (Socket socket = connect()) {
            assertThat(exchange(socket, 5)).isEqualTo(5);
        }
    }

    @Test
    void resetsConnections() throws IOException {
        try (Socket socket = connect()) {
            assertThat(exchange(socket, 1)).isEqualTo(1);
            proxy.reset("server", "client");
            assertThat(ended(socket)).isTrue();
        }
        await().atMost(Duration.ofSeconds(5)).until(() -> connections.get() == 0);
    }

    private static boolean ended(Socket socket) {
        try {
            return socket.getInputStream().read() == -1;
        } catch (IOException e) {
            return !(e instanceof SocketTimeoutException);
        }
    }

    @Test
    void delaysAndNarrowsALinkWithoutChangingTheOrder() throws IOException {
        try (Socket socket = connect()) {
            assertThat(exchange(socket, 1)).isEqualTo(1);
            proxy.set("client", "server", LinkPolicy.slow(60_000_000, 40_000_000));
            long before = System.nanoTime();
            for (int i = 0; i < 5; i++) {
                socket.getOutputStream().write(i);
            }
            for (int i = 0; i < 5; i++) {
                assertThat(socket.getInputStream().read()).isEqualTo(i);
            }
            assertThat(System.nanoTime() - before).isGreaterThanOrEqualTo(60_000_000);
            proxy.set("client", "server", LinkPolicy.narrow(10_000));
            before = System.nanoTime();
            socket.getOutputStream().write(new byte[1000]);
            assertThat(socket.getInputStream().readNBytes(1000)).hasSize(1000);
            assertThat(System.nanoTime() - before).isGreaterThanOrEqualTo(95_000_000);
            proxy.set("client", "server", LinkPolicy.lossy(1000));
            before = System.nanoTime();
            assertThat(exchange(socket, 9)).isEqualTo(9);
            assertThat(System.nanoTime() - before).isGreaterThanOrEqualTo(200_000_000);
        }
    }
}

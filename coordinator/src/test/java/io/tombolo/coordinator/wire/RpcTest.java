package io.tombolo.coordinator.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class RpcTest {
    private static final UUID CLUSTER = new UUID(1, 2);
    private static final String LOOPBACK = "127.0.0.1";
    private static final long TIMEOUT_MS = 5_000;

    private final RpcTransport transport = RpcTransport.start("test", 2);
    private final PayloadCodec payloads = new PayloadCodec();
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable one : open.reversed()) {
            one.close();
        }
        transport.close();
    }

    private static Hello hello(Role role, String name) {
        return Protocol.hello(CLUSTER, role, name, 3, 4);
    }

    private RpcServer server(RequestHandler handler) {
        RpcServer server = RpcServer.start(transport, new RpcAddress(LOOPBACK, 0), () -> hello(Role.AGENT, "h1"),
                handler);
        open.add(server);
        return server;
    }

    private RpcClient client(int port) {
        RpcClient client = RpcClient
                .connect(transport, new RpcAddress(LOOPBACK, port), () -> hello(Role.COORDINATOR, "c1"), 1_000).join();
        open.add(client);
        return client;
    }

    private static CompletableFuture<Reply> pong(Request request, PeerInfo peer) {
        return CompletableFuture.completedFuture(new Reply.Pong(((AgentRequest.Ping) request).nonce(), 0));
    }

    private static String codeOf(CompletableFuture<?> future) {
        try {
            return "no failure: " + future.get(10, TimeUnit.SECONDS);
        } catch (Exception e) {
            return Errors.codeOf(e);
        }
    }

    @Test
    void carriesManyCallsAtOnceAndMatchesTheirReplies() {
        RpcServer server = server((request, peer) -> CompletableFuture
                .supplyAsync(() -> new Reply.Pong(((AgentRequest.Ping) request).nonce(), 0)));
        RpcClient client = client(server.port());
        List<CompletableFuture<Reply.Pong>> calls = new ArrayList<>();
        for (long i = 0; i < 200; i++) {
            calls.add(client.call(new AgentRequest.Ping(i), Reply.Pong.class, TIMEOUT_MS));
        }
        for (int i = 0; i < calls.size(); i++) {
            assertThat(calls.get(i).join().nonce()).isEqualTo(i);
        }
    }

    @Test
    void tellsTheHandlerWhoAsks() {
        CompletableFuture<PeerInfo> asking = new CompletableFuture<>();
        RpcServer server = server((request, peer) -> {
            asking.complete(peer);
            return pong(request, peer);
        });
        RpcClient client = client(server.port());
        client.call(new AgentRequest.Ping(1), TIMEOUT_MS).join();
        assertThat(asking.join()).satisfies(peer -> {
            assertThat(peer.role()).isEqualTo(Role.COORDINATOR);
            assertThat(peer.name()).isEqualTo("c1");
            assertThat(peer.incarnation()).isEqualTo(3);
            assertThat(peer.highestTerm()).isEqualTo(4);
        });
        assertThat(client.peer().name()).isEqualTo("h1");
    }

    @Test
    void keepsCodeFactsAndNextStepOfARemoteError() {
        RpcServer server = server((request, peer) -> CompletableFuture
                .failedFuture(TomboloException.error(CoordinatorError.VM_UNKNOWN, "no VM of that name").fact("vm", "x")
                        .next("tombolo vm list").build()));
        CompletableFuture<Reply> call = client(server.port()).call(new AgentRequest.ShowVm("x"), TIMEOUT_MS);
        assertThat(codeOf(call)).isEqualTo("VM_UNKNOWN");
        RemoteException remote = (RemoteException) Errors.unwrap(call.exceptionNow());
        TomboloException local = remote.toTombolo();
        assertThat(local.code().name()).isEqualTo("VM_UNKNOWN");
        assertThat(local.code().exitStatus()).isEqualTo(CoordinatorError.VM_UNKNOWN.exitStatus());
        assertThat(local.facts()).containsEntry("vm", "x");
        assertThat(local.next()).isEqualTo("tombolo vm list");
    }

    @Test
    void answersAHandlersBugWithAnErrorAndGoesOn() {
        RpcServer server = server((request, peer) -> {
            if (((AgentRequest.Ping) request).nonce() == 1) {
                throw new IllegalStateException("a bug");
            }
            return pong(request, peer);
        });
        RpcClient client = client(server.port());
        assertThat(codeOf(client.call(new AgentRequest.Ping(1), TIMEOUT_MS))).isEqualTo("RPC_HANDLER_FAILED");
        assertThat(client.call(new AgentRequest.Ping(2), TIMEOUT_MS).join()).isEqualTo(new Reply.Pong(2, 0));
    }

    @Test
    void aHandlerThatBlocksStopsNobodyElse() {
        CountDownLatch release = new CountDownLatch(1);
        RpcServer server = server((request, peer) -> {
            if (((AgentRequest.Ping) request).nonce() < 50) {
                awaitLatch(release);
            }
            return pong(request, peer);
        });
        RpcClient client = client(server.port());
        List<CompletableFuture<Reply>> blocked = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            blocked.add(client.call(new AgentRequest.Ping(i), TIMEOUT_MS));
        }
        assertThat(client.call(new AgentRequest.Ping(99), TIMEOUT_MS).join()).isEqualTo(new Reply.Pong(99, 0));
        release.countDown();
        blocked.forEach(CompletableFuture::join);
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aCallThatTimesOutSaysThatItMayHaveBeenExecutedAndALateReplyHarmsNothing() {
        CompletableFuture<Reply> late = new CompletableFuture<>();
        RpcServer server = server(
                (request, peer) -> ((AgentRequest.Ping) request).nonce() == 1 ? late : pong(request, peer));
        RpcClient client = client(server.port());
        assertThat(codeOf(client.call(new AgentRequest.Ping(1), 50))).isEqualTo("RPC_TIMEOUT");
        late.complete(new Reply.Pong(1, 0));
        assertThat(client.call(new AgentRequest.Ping(2), TIMEOUT_MS).join()).isEqualTo(new Reply.Pong(2, 0));
        assertThat(client.isOpen()).isTrue();
    }

    @Test
    void aLostConnectionFailsSentCallsAsMaybeExecutedAndLaterOnesAsNotSent() {
        CountDownLatch arrived = new CountDownLatch(3);
        RpcServer server = server((request, peer) -> {
            arrived.countDown();
            return new CompletableFuture<>();
        });
        RpcClient client = client(server.port());
        List<CompletableFuture<Reply>> calls = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            calls.add(client.call(new AgentRequest.Ping(i), TIMEOUT_MS));
        }
        awaitLatch(arrived);
        server.close();
        for (CompletableFuture<Reply> call : calls) {
            assertThat(codeOf(call)).isEqualTo("RPC_CONNECTION_LOST");
            assertThat(call.exceptionNow().getMessage()).contains("h1");
        }
        assertThat(codeOf(client.call(new AgentRequest.Ping(9), TIMEOUT_MS))).isEqualTo("RPC_NOT_SENT");
    }

    @Test
    void refusesMoreCallsThanMayWait() {
        AtomicInteger handled = new AtomicInteger();
        RpcServer server = server((request, peer) -> {
            handled.incrementAndGet();
            return new CompletableFuture<>();
        });
        RpcClient client = client(server.port());
        List<CompletableFuture<Reply>> waiting = new ArrayList<>();
        for (int i = 0; i < WireLimits.MAX_REQUESTS_IN_HAND; i++) {
            waiting.add(client.call(new AgentRequest.Ping(i), TIMEOUT_MS));
        }
        assertThat(codeOf(client.call(new AgentRequest.Ping(0), TIMEOUT_MS))).isEqualTo("RPC_NOT_SENT");
        assertThat(waiting).noneMatch(CompletableFuture::isDone);
        assertThat(handled.get()).isLessThanOrEqualTo(WireLimits.MAX_REQUESTS_IN_HAND);
    }

    @Test
    void refusesAnotherClusterByCodeOnBothSides() {
        RpcServer server = server(RpcTest::pong);
        CompletableFuture<RpcClient> foreign = RpcClient.connect(transport, new RpcAddress(LOOPBACK, server.port()),
                () -> Protocol.hello(new UUID(9, 9), Role.CLIENT, "x", 0, 0), 1_000);
        assertThat(codeOf(foreign)).isEqualTo("WIRE_FOREIGN_CLUSTER");
    }

    @Test
    void refusesAnotherProtocolMajorByCode() {
        RpcServer server = server(RpcTest::pong);
        CompletableFuture<RpcClient> newer = RpcClient.connect(transport, new RpcAddress(LOOPBACK, server.port()),
                () -> new Hello(Protocol.MAJOR + 1, 0, CLUSTER, Role.CLIENT, "x", 0, 0), 1_000);
        assertThat(codeOf(newer)).isEqualTo("WIRE_PROTOCOL_MAJOR");
    }

    @Test
    void speaksTheLowerMinor() {
        CompletableFuture<PeerInfo> asking = new CompletableFuture<>();
        RpcServer server = server((request, peer) -> {
            asking.complete(peer);
            return pong(request, peer);
        });
        RpcClient client = RpcClient.connect(transport, new RpcAddress(LOOPBACK, server.port()),
                () -> new Hello(Protocol.MAJOR, Protocol.MINOR + 7, CLUSTER, Role.CLIENT, "x", 0, 0), 1_000).join();
        open.add(client);
        client.call(new AgentRequest.Ping(1), TIMEOUT_MS).join();
        assertThat(asking.join().minor()).isEqualTo(Protocol.MINOR);
    }

    @Test
    void namesTheAddressThatCannotBeReachedOrBound() throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = socket.getLocalPort();
            assertThat(Errors.codeOf(org.assertj.core.api.Assertions
                    .catchThrowable(() -> RpcServer.start(transport, new RpcAddress(LOOPBACK, socket.getLocalPort()),
                            () -> hello(Role.AGENT, "h1"), RpcTest::pong))))
                    .isEqualTo("RPC_BIND_FAILED");
        }
        assertThat(codeOf(
                RpcClient.connect(transport, new RpcAddress(LOOPBACK, port), () -> hello(Role.CLIENT, "x"), 1_000)))
                .isEqualTo("RPC_UNREACHABLE");
    }

    @Test
    void thePoolConnectsAnewAndRefusesAnotherProcessAtTheSamePort() {
        RpcServer first = server(RpcTest::pong);
        RpcPool pool = new RpcPool(transport, () -> hello(Role.COORDINATOR, "c1"), 1_000);
        open.add(pool);
        RpcAddress address = new RpcAddress(LOOPBACK, first.port());
        assertThat(pool.call(address, "h1", new AgentRequest.Ping(1), Reply.Pong.class, TIMEOUT_MS).join().nonce())
                .isEqualTo(1);
        first.close();
        RpcServer second = RpcServer.start(transport, address, () -> hello(Role.AGENT, "h2"), RpcTest::pong);
        open.add(second);
        org.awaitility.Awaitility.await().until(
                () -> codeOf(pool.call(address, "h1", new AgentRequest.Ping(2), Reply.Pong.class, TIMEOUT_MS)),
                "RPC_UNREACHABLE"::equals);
        assertThat(pool.call(address, "h2", new AgentRequest.Ping(3), Reply.Pong.class, TIMEOUT_MS).join().nonce())
                .isEqualTo(3);
    }

    /// What a raw socket gets back: the refusal's code, and then the end of the stream.
    private String refusalOf(int port, byte[]... writes) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(10_000);
            for (byte[] bytes : writes) {
                socket.getOutputStream().write(bytes);
            }
            socket.getOutputStream().flush();
            byte[] answer = socket.getInputStream().readAllBytes();
            return lastMessage(answer);
        }
    }

    private String lastMessage(byte[] stream) {
        int offset = 0;
        long sequence = 1;
        String last = "nothing";
        while (offset < stream.length) {
            byte[] header = java.util.Arrays.copyOfRange(stream, offset, offset + FrameHeader.BYTES);
            FrameHeader parsed = FrameHeader.parse(header, sequence);
            byte[] payload = java.util.Arrays.copyOfRange(stream, offset + FrameHeader.BYTES,
                    offset + FrameHeader.BYTES + parsed.length());
            parsed.checkCrc(header, payload);
            Message message = payloads.decode(payload);
            last = message instanceof Reply.ErrorReply error
                    ? parsed.type() + " " + error.code()
                    : parsed.type().toString();
            offset += FrameHeader.BYTES + parsed.length();
            sequence++;
        }
        return last;
    }

    private byte[] frame(FrameType type, long correlation, long sequence, Message message) {
        return FrameHeader.frame(type, correlation, sequence, payloads.encode(message));
    }

    private byte[] greeting() {
        return frame(FrameType.HELLO, 0, 1, hello(Role.CLIENT, "raw"));
    }

    @Test
    void refusesGarbageOversizedReplayedDamagedAndMisplacedFrames() throws IOException {
        RpcServer server = server(RpcTest::pong);
        int port = server.port();
        byte[] ping = frame(FrameType.REQUEST, 1, 2, new AgentRequest.Ping(1));
        assertThat(refusalOf(port,
                "GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".getBytes(StandardCharsets.US_ASCII)))
                .isEqualTo("REFUSAL WIRE_GARBAGE");
        assertThat(refusalOf(port, greeting(), change(ping, f -> {
            f[27] = 0x7F;
            return f;
        }))).isEqualTo("REFUSAL WIRE_OVERSIZED");
        assertThat(refusalOf(port, greeting(), ping, ping)).isEqualTo("REFUSAL WIRE_REPLAYED");
        assertThat(refusalOf(port, greeting(), change(ping, f -> {
            f[FrameHeader.BYTES + 3] ^= 1;
            return f;
        }))).isEqualTo("REFUSAL WIRE_DAMAGED");
        assertThat(refusalOf(port, greeting(), change(ping, f -> {
            f[8] ^= 1;
            return f;
        }))).isEqualTo("REFUSAL WIRE_DAMAGED");
        assertThat(refusalOf(port, greeting(), change(ping, f -> {
            f[4] = 1;
            return f;
        }))).isEqualTo("REFUSAL WIRE_GARBAGE");
        assertThat(refusalOf(port, greeting(), FrameHeader.frame(FrameType.REQUEST, 1, 2, new byte[]{1, 2, 3})))
                .isEqualTo("REFUSAL WIRE_MALFORMED");
        assertThat(refusalOf(port, frame(FrameType.REQUEST, 1, 1, new AgentRequest.Ping(1))))
                .isEqualTo("REFUSAL WIRE_MALFORMED");
        assertThat(refusalOf(port, greeting(), frame(FrameType.HELLO, 0, 2, hello(Role.CLIENT, "raw"))))
                .isEqualTo("REFUSAL WIRE_MALFORMED");
        assertThat(refusalOf(port, greeting(), frame(FrameType.REPLY, 1, 2, new Reply.Ack())))
                .isEqualTo("REFUSAL WIRE_MALFORMED");
        assertThat(client(port).call(new AgentRequest.Ping(5), TIMEOUT_MS).join()).isEqualTo(new Reply.Pong(5, 0));
    }

    private static byte[] change(byte[] frame, UnaryOperator<byte[]> how) {
        return how.apply(frame.clone());
    }

    @Test
    void neverExecutesATruncatedRequest() throws IOException {
        AtomicInteger executed = new AtomicInteger();
        RpcServer server = server((request, peer) -> {
            executed.incrementAndGet();
            return pong(request, peer);
        });
        byte[] ping = frame(FrameType.REQUEST, 1, 2, new AgentRequest.Ping(1));
        for (int length = 1; length < ping.length; length++) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                socket.setSoTimeout(10_000);
                socket.getOutputStream().write(greeting());
                socket.getOutputStream().write(ping, 0, length);
                socket.shutdownOutput();
                assertThat(lastMessage(socket.getInputStream().readAllBytes()))
                        .isIn("nothing", "HELLO", "REFUSAL WIRE_TRUNCATED");
            }
        }
        assertThat(executed.get()).isZero();
        assertThat(client(server.port()).call(new AgentRequest.Ping(5), TIMEOUT_MS).join())
                .isEqualTo(new Reply.Pong(5, 0));
        assertThat(executed.get()).isEqualTo(1);
    }

    @Test
    void aClientNamesATruncatedReply() throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            CompletableFuture<Void> server = CompletableFuture.runAsync(() -> {
                try (Socket socket = listener.accept()) {
                    socket.getOutputStream().write(frame(FrameType.HELLO, 0, 1, hello(Role.AGENT, "liar")));
                    byte[] reply = frame(FrameType.REPLY, 1, 2, new Reply.Ack());
                    socket.getInputStream().readNBytes(greetingLength() + 1);
                    socket.getOutputStream().write(reply, 0, reply.length - 1);
                    socket.shutdownOutput();
                    socket.getInputStream().readAllBytes();
                } catch (IOException e) {
                    throw new CompletionException(e);
                }
            });
            RpcClient client = client(listener.getLocalPort());
            CompletableFuture<Reply> call = client.call(new AgentRequest.Ping(1), TIMEOUT_MS);
            assertThat(codeOf(call)).isEqualTo("RPC_CONNECTION_LOST");
            assertThat(call.exceptionNow().getMessage()).contains("WIRE_TRUNCATED").contains("liar");
            server.get(10, TimeUnit.SECONDS);
        }
    }

    private int greetingLength() {
        return frame(FrameType.HELLO, 0, 1, hello(Role.COORDINATOR, "c1")).length;
    }

    @Test
    void answersNoMutatedStreamWithAReply() throws IOException {
        long seed = System.nanoTime();
        System.out.println("RpcTest seed " + seed);
        Random random = new Random(seed);
        RpcServer server = server(RpcTest::pong);
        for (int i = 0; i < 200; i++) {
            byte[] ping = frame(FrameType.REQUEST, 1, 2, new AgentRequest.Ping(1));
            byte[] hello = greeting();
            byte[] stream = java.util.Arrays.copyOf(hello, hello.length + ping.length);
            System.arraycopy(ping, 0, stream, hello.length, ping.length);
            int at = random.nextInt(stream.length);
            stream[at] ^= (byte) (1 + random.nextInt(255));
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
                socket.setSoTimeout(10_000);
                socket.getOutputStream().write(stream);
                socket.shutdownOutput();
                String last = lastMessage(socket.getInputStream().readAllBytes());
                // A length that grew makes the stream a truncated one, and then there is nobody left to refuse to.
                assertThat(last).as("seed %d step %d byte %d", seed, i, at).isNotEqualTo("REPLY");
            }
        }
        assertThat(client(server.port()).call(new AgentRequest.Ping(5), TIMEOUT_MS).join())
                .isEqualTo(new Reply.Pong(5, 0));
    }
}

package io.tombolo.agent;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HostPorts.Peer;
import io.tombolo.agent.handoff.HostPorts.WindowEnd;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Hello;
import io.tombolo.coordinator.wire.Protocol;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.RequestHandler;
import io.tombolo.coordinator.wire.Role;
import io.tombolo.coordinator.wire.RpcAddress;
import io.tombolo.coordinator.wire.RpcPool;
import io.tombolo.coordinator.wire.RpcServer;
import io.tombolo.coordinator.wire.RpcTransport;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// The agent's RPC: its server, and its connections to other agents.
final class PeerLink implements AutoCloseable {
    private final AgentConfig config;
    private final long incarnation;
    private final int timeoutMs;
    private final TermGuard terms = new TermGuard();
    private final RpcTransport transport;
    private final RpcPool peers;
    private RpcServer server;

    PeerLink(AgentConfig config, long incarnation, int timeoutMs) {
        this.config = requireNonNull(config, "config is null");
        this.incarnation = incarnation;
        this.timeoutMs = timeoutMs;
        this.transport = RpcTransport.start("agent", 1);
        this.peers = new RpcPool(transport, this::hello, timeoutMs);
    }

    private Hello hello() {
        return Protocol.hello(config.clusterUuid(), Role.AGENT, config.name(), incarnation, terms.highest());
    }

    TermGuard terms() {
        return terms;
    }

    void serve(RequestHandler handler) {
        server = RpcServer.start(transport, new RpcAddress(config.rpc().bindAddress(), config.rpc().port()),
                this::hello,
                handler);
    }

    int port() {
        return server.port();
    }

    CompletableFuture<WindowEnd> openWindow(Peer target, long intentSeq, int vmSlot, long epoch, long windowNs) {
        return peers.call(new RpcAddress(target.address(), target.port()), target.host(),
                new AgentRequest.OpenWindow(intentSeq, vmSlot, epoch, windowNs), Reply.WindowClosed.class,
                TimeUnit.NANOSECONDS.toMillis(windowNs) + timeoutMs)
                .thenApply(end -> new WindowEnd(end.ran(), end.offerSeenNs(), end.runningNs(), end.firstInstructionNs(),
                        end.bytesCopied(), end.reason()));
    }

    /// Pages of a VM, or their seal, to the agent that stores them.
    CompletableFuture<Reply.Ack> send(Peer target, AgentRequest request) {
        return peers.call(new RpcAddress(target.address(), target.port()), target.host(), request, Reply.Ack.class,
                timeoutMs);
    }

    @Override
    public void close() {
        if (server != null) {
            server.close();
        }
        peers.close();
        transport.close();
    }
}

package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.deploy.cluster.ControlProtocol.Operation;
import io.tombolo.deploy.cluster.ControlProtocol.Reply;
import io.tombolo.deploy.cluster.ControlProtocol.Request;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/// A cluster whose supervisor is a process of its own; every call is one connection to its socket. Thread safe.
final class RemoteCluster implements RunningCluster {
    private static final long REAP_TIMEOUT_MS = 60_000;

    private final String name;
    private final Path socket;
    private final AtomicBoolean closed = new AtomicBoolean();

    RemoteCluster(String name, Path runDirectory) {
        this.name = requireNonNull(name, "name is null");
        this.socket = runDirectory.resolve(ControlProtocol.SOCKET);
    }

    RemoteCluster(Path socket) {
        this.name = socket.toString();
        this.socket = socket;
    }

    private Reply call(Operation operation, String process, long argument) {
        Reply reply;
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            ControlProtocol.write(channel, new Request(operation, process, argument));
            reply = ControlProtocol.read(channel, Reply.class);
        } catch (IOException e) {
            throw TomboloException.error(ClusterError.SUPERVISOR_UNREACHABLE, "the supervisor does not answer")
                    .fact("cluster", name).fact("socket", socket).fact("cause", e.getMessage())
                    .next("`tombolo down --cluster " + name + "` cleans up what is left").cause(e).build();
        }
        if (reply.error() != null) {
            throw reply.error().toException();
        }
        return reply;
    }

    @Override
    public ClusterFacts facts() {
        return call(Operation.FACTS, "", 0).facts();
    }

    @Override
    public void signal(String process, int signal) {
        call(Operation.SIGNAL, process, signal);
    }

    @Override
    public void signalGroup(String process, int signal) {
        call(Operation.SIGNAL_GROUP, process, signal);
    }

    @Override
    public StopRecord kill(String process) {
        return call(Operation.KILL, process, REAP_TIMEOUT_MS).stopped();
    }

    @Override
    public void restart(String process) {
        call(Operation.RESTART, process, 0);
    }

    @Override
    public StopRecord awaitStopped(String process, long timeoutMs) {
        return call(Operation.AWAIT_STOPPED, process, timeoutMs).stopped();
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            call(Operation.DOWN, "", 0);
        }
    }
}

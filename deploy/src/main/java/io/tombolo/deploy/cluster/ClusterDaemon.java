package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.deploy.cluster.ControlProtocol.Failure;
import io.tombolo.deploy.cluster.ControlProtocol.Reply;
import io.tombolo.deploy.cluster.ControlProtocol.Request;
import io.tombolo.region.TomboloException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The supervisor process that `tombolo up` leaves behind: starts the cluster that `spec.json` in the cluster's
/// directory describes, serves the control socket, and ends when it is told to (`down`, or SIGTERM).
public final class ClusterDaemon {
    static final String SPEC = "spec.json";
    static final String FAILURE = "failure.json";

    private static final Logger LOG = LoggerFactory.getLogger(ClusterDaemon.class);

    private final LocalCluster cluster;
    private final ServerSocketChannel server;
    private final CountDownLatch down = new CountDownLatch(1);

    /// What the process that starts the daemon writes for it.
    record Order(ClusterSpec spec, String state, String memory) {
    }

    private ClusterDaemon(LocalCluster cluster, ServerSocketChannel server) {
        this.cluster = cluster;
        this.server = server;
    }

    /// Runs until told to stop; the exit status for the process.
    ///
    /// @param directory the cluster's directory, with `spec.json`
    public static int run(Path directory, ClusterPrograms programs) {
        requireNonNull(directory, "directory is null");
        try {
            Order order = Json.parse(Files.readString(directory.resolve(SPEC)), Order.class);
            ClusterPlaces places = new ClusterPlaces(Path.of(order.state()), Path.of(order.memory()));
            try (LocalCluster cluster = LocalCluster.start(order.spec(), places, programs, LOG::info);
                    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                Thread hook = Thread.ofPlatform().unstarted(cluster::close);
                Runtime.getRuntime().addShutdownHook(hook);
                server.bind(UnixDomainSocketAddress.of(cluster.runDirectory().resolve(ControlProtocol.SOCKET)));
                new ClusterDaemon(cluster, server).serve();
                Runtime.getRuntime().removeShutdownHook(hook);
            }
            return 0;
        } catch (TomboloException e) {
            LOG.error("the cluster could not be started: {}", e.getMessage());
            report(directory, Failure.of(e));
            return e.code().exitStatus();
        } catch (IOException e) {
            LOG.error("the supervisor failed", e);
            report(directory, Failure.of(ClusterStore.files(directory.getFileName().toString(), directory, e)));
            return ClusterError.CLUSTER_FILES.exitStatus();
        }
    }

    private static void report(Path directory, Failure failure) {
        try {
            Path fresh = Files.writeString(directory.resolve(FAILURE + ".new"), Json.line(failure));
            Files.move(fresh, directory.resolve(FAILURE));
        } catch (IOException e) {
            LOG.error("the failure cannot be reported", e);
        }
    }

    private void serve() throws IOException {
        Thread acceptor = Thread.ofPlatform().name("control").daemon().start(this::accept);
        try {
            down.await();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        server.close();
        acceptor.interrupt();
    }

    private void accept() {
        while (true) {
            try {
                SocketChannel channel = server.accept();
                Thread.ofVirtual().start(() -> answer(channel));
            } catch (ClosedChannelException _) {
                return;
            } catch (IOException e) {
                LOG.warn("a connection to the control socket failed", e);
            }
        }
    }

    private void answer(SocketChannel channel) {
        boolean end = false;
        try (channel) {
            Request request;
            Reply reply;
            try {
                request = ControlProtocol.read(channel, Request.class);
                end = request.operation() == ControlProtocol.Operation.DOWN;
                reply = perform(request);
            } catch (TomboloException e) {
                reply = new Reply(null, null, Failure.of(e));
            } catch (IOException e) {
                reply = new Reply(null, null,
                        Failure.of(TomboloException
                                .error(ClusterError.SUPERVISOR_REQUEST_INVALID, "the request cannot be read")
                                .fact("cause", e.getMessage()).build()));
            }
            ControlProtocol.write(channel, reply);
        } catch (IOException e) {
            LOG.warn("an answer could not be sent", e);
        } finally {
            if (end) {
                down.countDown();
            }
        }
    }

    private Reply perform(Request request) {
        return switch (request.operation()) {
            case FACTS -> new Reply(cluster.facts(), null, null);
            case SIGNAL -> {
                cluster.signal(request.process(), signal(request));
                yield Reply.DONE;
            }
            case SIGNAL_GROUP -> {
                cluster.signalGroup(request.process(), signal(request));
                yield Reply.DONE;
            }
            case KILL -> new Reply(null, cluster.kill(request.process()), null);
            case RESTART -> {
                cluster.restart(request.process());
                yield Reply.DONE;
            }
            case AWAIT_STOPPED ->
                new Reply(null, cluster.awaitStopped(request.process(), request.argument()), null);
            case DOWN -> {
                cluster.close();
                yield Reply.DONE;
            }
        };
    }

    private static int signal(Request request) {
        if (request.argument() < 1 || request.argument() > 64) {
            throw TomboloException.error(ClusterError.SUPERVISOR_REQUEST_INVALID, "there is no such signal")
                    .fact("signal", request.argument()).next("1 to 64").build();
        }
        return (int) request.argument();
    }
}

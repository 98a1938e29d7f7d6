package io.tombolo.chaos.proxy;

import static java.util.Objects.requireNonNull;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.tombolo.chaos.ChaosError;
import io.tombolo.region.TomboloException;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/// A network between named processes, on loopback, in this process: every process listens at an address of its own, and
/// every *other* process reaches it through a listener of its own, so that each direction between any two can be cut,
/// slowed and made lossy by itself. Needs no rights. Thread safe.
///
/// What it cannot do: drop single packets (the kernels' TCP would send them again: a loss is a delay here), reorder
/// within a connection (TCP would not let it through either), or refuse a connection silently: while a link is cut,
/// connections are accepted and nothing comes of them until it is healed.
public final class FaultProxy implements AutoCloseable {
    private static final long CLOSE_MS = 5_000;

    private record Way(String from, String to) {
    }

    private final long seed;
    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1,
            new DefaultThreadFactory("chaos-proxy", true),
            NioIoHandler.newFactory());
    private final Map<Way, Direction> directions = new HashMap<>();
    private final Set<Connection> connections = new HashSet<>();
    private final Set<Channel> listeners = new HashSet<>();

    /// @param seed of delays and losses
    public FaultProxy(long seed) {
        this.seed = seed;
    }

    /// Lets one process reach another.
    ///
    /// @param from   who connects
    /// @param to     whom it reaches
    /// @param at     where `from` finds it
    /// @param target where it really is
    /// @throws TomboloException CHAOS_NETWORK
    public void listen(String from, String to, InetSocketAddress at, InetSocketAddress target) {
        requireNonNull(target, "target is null");
        Direction forward = direction(from, to);
        Direction backward = direction(to, from);
        Channel listener = new ServerBootstrap().group(loop).channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true).childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel accepted) {
                        connections.removeIf(Connection::isOver);
                        Connection connection = new Connection(accepted, target, forward, backward);
                        connections.add(connection);
                        accepted.eventLoop().execute(connection::proceed);
                    }
                }).bind(at).awaitUninterruptibly().channel();
        if (!listener.isActive()) {
            throw TomboloException.error(ChaosError.CHAOS_NETWORK, "the proxy cannot listen").fact("address", at)
                    .fact("from", from).fact("to", to).next("see who listens there with `ss -ltnp`").build();
        }
        synchronized (listeners) {
            listeners.add(listener);
        }
    }

    private synchronized Direction direction(String from, String to) {
        return directions.computeIfAbsent(new Way(from, to), way -> new Direction(seed ^ way.hashCode()));
    }

    /// From now on this happens to what `from` sends to `to`, whoever opened the connection. Done when it returns.
    public void set(String from, String to, LinkPolicy policy) {
        requireNonNull(policy, "policy is null");
        Direction direction = direction(from, to);
        run(() -> {
            direction.set(policy);
            connections.forEach(Connection::proceed);
        });
    }

    /// The policy of a direction.
    public LinkPolicy policy(String from, String to) {
        return direction(from, to).policy();
    }

    /// Ends `to`'s side of all connections between the two, of which the other side hears nothing. Returns how many.
    public int halfOpen(String from, String to) {
        return each(direction(from, to), Connection::halfOpen);
    }

    private int each(Direction direction, Consumer<Connection> action) {
        AtomicInteger count = new AtomicInteger();
        run(() -> connections.stream().filter(c -> c.goes(direction) && !c.isOver()).forEach(c -> {
            action.accept(c);
            count.incrementAndGet();
        }));
        return count.get();
    }

    /// Ends the other side of what was left half open.
    public void endHalfOpen() {
        run(() -> connections.forEach(Connection::heal));
    }

    /// Ends all connections between the two. Returns how many.
    public int reset(String from, String to) {
        return each(direction(from, to), Connection::close);
    }

    /// Opens all directions, and ends what was left half open.
    public void heal() {
        run(() -> {
            synchronized (this) {
                directions.values().forEach(direction -> direction.set(LinkPolicy.OPEN));
            }
            connections.forEach(Connection::heal);
            connections.forEach(Connection::proceed);
        });
    }

    private void run(Runnable task) {
        var _ = loop.submit(task).awaitUninterruptibly();
    }

    /// Ends everything.
    @Override
    public void close() {
        synchronized (listeners) {
            for (Channel listener : listeners) {
                var _ = listener.close();
            }
        }
        run(() -> connections.forEach(Connection::close));
        loop.shutdownGracefully(0, CLOSE_MS, TimeUnit.MILLISECONDS).awaitUninterruptibly(CLOSE_MS);
    }
}

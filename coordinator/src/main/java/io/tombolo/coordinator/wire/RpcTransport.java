package io.tombolo.coordinator.wire;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/// The threads behind all servers and clients of one process: NIO event loops, which only move bytes, and an executor
/// on which handlers run and futures complete, so that nothing a caller does can block an event loop.
///
/// Close it after the servers and clients that use it. Thread safe.
public final class RpcTransport implements AutoCloseable {
    private static final long CLOSE_TIMEOUT_MS = 5_000;

    private final EventLoopGroup loops;
    private final ExecutorService executor;
    private final PayloadCodec payloads = new PayloadCodec();

    private RpcTransport(String name, int loopThreads) {
        this.loops = new MultiThreadIoEventLoopGroup(loopThreads, new DefaultThreadFactory(name + "-io", true),
                NioIoHandler.newFactory());
        this.executor = Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name(name + "-rpc-", 0).factory());
    }

    /// Starts the threads.
    ///
    /// @param name        prefix of the threads' names
    /// @param loopThreads number of event loops; two are enough for a process of this project
    public static RpcTransport start(String name, int loopThreads) {
        return new RpcTransport(name, loopThreads);
    }

    EventLoopGroup loops() {
        return loops;
    }

    /// One virtual thread per task.
    public ExecutorService executor() {
        return executor;
    }

    PayloadCodec payloads() {
        return payloads;
    }

    /// Ends all connections, and interrupts handlers that still run.
    @Override
    public void close() {
        loops.shutdownGracefully(0, CLOSE_TIMEOUT_MS, TimeUnit.MILLISECONDS).awaitUninterruptibly(CLOSE_TIMEOUT_MS);
        executor.shutdownNow();
    }
}

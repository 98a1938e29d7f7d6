package io.tombolo.chaos.proxy;

import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;

/// One direction between two processes: its policy and the pipes that obey it. Event loop only, but for reading the
/// policy.
final class Direction {
    /// Linux' least retransmission time-out.
    private static final long RETRANSMIT_NS = 200_000_000L;
    private static final long NS_PER_S = 1_000_000_000L;

    private final SplittableRandom random;
    private final Set<Pipe> pipes = new HashSet<>();
    private volatile LinkPolicy policy = LinkPolicy.OPEN;
    /// When the narrow place is free again.
    private long freeAtNs;

    Direction(long seed) {
        this.random = new SplittableRandom(seed);
    }

    LinkPolicy policy() {
        return policy;
    }

    void set(LinkPolicy next) {
        policy = next;
        Set.copyOf(pipes).forEach(Pipe::drain);
    }

    void add(Pipe pipe) {
        pipes.add(pipe);
    }

    void remove(Pipe pipe) {
        pipes.remove(pipe);
    }

    /// When a piece of data that comes now is due on the other side.
    long dueNs(long nowNs, int bytes) {
        LinkPolicy now = policy;
        if (now.isPlain()) {
            return nowNs;
        }
        long due = nowNs + now.delayNs();
        if (now.jitterNs() > 0) {
            due += random.nextLong(now.jitterNs() + 1);
        }
        if (now.lossPerMille() > 0 && random.nextInt(1000) < now.lossPerMille()) {
            due += RETRANSMIT_NS;
        }
        if (now.bytesPerSecond() > 0) {
            freeAtNs = Math.max(freeAtNs, nowNs) + bytes * NS_PER_S / now.bytesPerSecond();
            due = Math.max(due, freeAtNs);
        }
        return due;
    }
}

package io.tombolo.deploy.drill;

import io.tombolo.region.os.Linux;
import io.tombolo.region.os.PipeCalls;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.HdrHistogram.Histogram;

/// One end of the pipe ping-pong of [ContextSwitchBenchmark]; a process of its own. The `ping` end takes the time of
/// every round trip and prints `p50 p99 min count` of half of it, in nanoseconds, as its only line of output.
///
/// Arguments: `ping|pong <directory with fifos ping and pong> <cpu or -1> <warm-up rounds> <measured rounds>`.
public final class ContextSwitchPeer {
    private static final long LONGEST_NS = 10_000_000_000L;

    private ContextSwitchPeer() {
    }

    public static void main(String[] args) throws IOException {
        boolean ping = args[0].equals("ping");
        Path directory = Path.of(args[1]);
        int cpu = Integer.parseInt(args[2]);
        int warmUpRounds = Integer.parseInt(args[3]);
        int rounds = Integer.parseInt(args[4]);
        if (cpu >= 0) {
            Linux.schedSetaffinity(0, cpu);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(8);
            if (ping) {
                int out = PipeCalls.openForWriting(directory.resolve("ping"));
                int in = PipeCalls.openForReading(directory.resolve("pong"));
                ping(in, out, buffer, warmUpRounds, new Histogram(LONGEST_NS, 3));
                Histogram halves = new Histogram(LONGEST_NS, 3);
                ping(in, out, buffer, rounds, halves);
                System.out.printf("%d %d %d %d%n", halves.getValueAtPercentile(50), halves.getValueAtPercentile(99),
                        halves.getMinValue(), halves.getTotalCount());
            } else {
                int in = PipeCalls.openForReading(directory.resolve("ping"));
                int out = PipeCalls.openForWriting(directory.resolve("pong"));
                for (int i = 0; i < warmUpRounds + rounds; i++) {
                    check(PipeCalls.read(in, buffer, 1));
                    check(PipeCalls.write(out, buffer, 1));
                }
            }
        }
    }

    private static void ping(int in, int out, MemorySegment buffer, int rounds, Histogram halves) throws IOException {
        for (int i = 0; i < rounds; i++) {
            long startNs = System.nanoTime();
            check(PipeCalls.write(out, buffer, 1));
            check(PipeCalls.read(in, buffer, 1));
            halves.recordValue((System.nanoTime() - startNs) / 2);
        }
    }

    private static void check(long moved) throws IOException {
        if (moved != 1) {
            throw new IOException("the other end of the ping-pong is gone");
        }
    }
}

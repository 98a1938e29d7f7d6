package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.deploy.DeployError;
import io.tombolo.region.TomboloException;
import io.tombolo.region.os.Linux;
import io.tombolo.region.os.OsException;
import io.tombolo.region.os.PipeCalls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// What a context switch costs on this machine at this moment: a byte goes to and fro over two named pipes between two
/// JVMs, one way is half of a round trip (the method of lat_pipe in lmbench, McVoy and Staelin, USENIX 1996). It is the
/// measure that a hand-off's downtime is held against, so it is taken in the same run, with the cluster up and idle.
///
/// Measured twice: both processes kept on one core, where every byte is a context switch, and left to the scheduler,
/// where the other core has to be woken up. The smaller median counts, because the larger one would make hand-off look
/// better.
public final class ContextSwitchBenchmark {
    private static final int WARM_UP_ROUNDS = 20_000;
    private static final int ROUNDS = 40_000;
    private static final long LIMIT_MS = 30_000;

    private ContextSwitchBenchmark() {
    }

    /// One way of the ping-pong, in nanoseconds.
    public record OneWay(long p50Ns, long p99Ns, long minNs, long rounds) {
    }

    /// Both ways of measuring.
    public record Result(OneWay pinned, OneWay unpinned) {
        public Result {
            requireNonNull(pinned, "pinned is null");
            requireNonNull(unpinned, "unpinned is null");
        }

        /// The smaller median of the two.
        public long p50Ns() {
            return Math.min(pinned.p50Ns(), unpinned.p50Ns());
        }
    }

    /// Measures with the usual number of rounds, about two seconds. Blocks.
    public static Result run() {
        return run(WARM_UP_ROUNDS, ROUNDS);
    }

    static Result run(int warmUpRounds, int rounds) {
        try {
            // A container may be kept off CPU 0.
            int cpu = Linux.schedGetaffinity(0)[0];
            return new Result(measure(cpu, warmUpRounds, rounds), measure(-1, warmUpRounds, rounds));
        } catch (IOException | OsException e) {
            throw TomboloException.error(DeployError.CONTEXT_SWITCH_FAILED, "the pipe ping-pong could not be run")
                    .fact("cause", e.getMessage()).next("tombolo doctor").cause(e).build();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw TomboloException.error(DeployError.CONTEXT_SWITCH_FAILED, "the pipe ping-pong was interrupted")
                    .cause(e).build();
        }
    }

    private static OneWay measure(int cpu, int warmUpRounds, int rounds) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("tombolo-pingpong");
        Process pong = null;
        Process ping = null;
        try {
            PipeCalls.makeFifo(directory.resolve("ping"));
            PipeCalls.makeFifo(directory.resolve("pong"));
            pong = start("pong", directory, cpu, warmUpRounds, rounds);
            ping = start("ping", directory, cpu, warmUpRounds, rounds);
            if (!ping.waitFor(LIMIT_MS, TimeUnit.MILLISECONDS) || ping.exitValue() != 0) {
                throw new IOException("the measuring process did not finish; alive=" + ping.isAlive());
            }
            String line = new String(ping.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            String[] words = line.split(" ", -1);
            if (words.length != 4) {
                throw new IOException("the measuring process printed: " + line);
            }
            return new OneWay(Long.parseLong(words[0]), Long.parseLong(words[1]), Long.parseLong(words[2]),
                    Long.parseLong(words[3]));
        } finally {
            stop(ping);
            stop(pong);
            for (String name : List.of("ping", "pong")) {
                Files.deleteIfExists(directory.resolve(name));
            }
            Files.deleteIfExists(directory);
        }
    }

    private static void stop(Process process) throws InterruptedException {
        if (process != null) {
            process.destroyForcibly().waitFor();
        }
    }

    private static Process start(String end, Path directory, int cpu, int warmUpRounds, int rounds)
            throws IOException {
        List<String> command = List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Xmx64m", "-cp",
                System.getProperty("java.class.path"), ContextSwitchPeer.class.getName(), end, directory.toString(),
                Integer.toString(cpu), Integer.toString(warmUpRounds), Integer.toString(rounds));
        return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    }
}

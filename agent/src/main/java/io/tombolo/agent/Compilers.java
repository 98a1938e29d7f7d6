package io.tombolo.agent;

import io.tombolo.region.os.Linux;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Keeps the JVM's compilers out of the way of a hand-off. On a host whose cores are all in use a compiler thread takes
/// one for milliseconds, and a vCPU thread that spins for an offer is descheduled just then.
final class Compilers {
    private static final Path THREADS = Path.of("/proc/self/task");
    /// The lowest share of a core that is not nothing: on a full host they must still come to an end.
    private static final int LOWEST = 19;
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(20);

    private Compilers() {
    }

    /// Gives the compiler threads that there are now the lowest priority. Returns how many.
    static int yieldToGuests() {
        int found = 0;
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(THREADS)) {
            for (Path thread : threads) {
                // Names are cut at 15 bytes: "C1 CompilerThread0", "C2 CompilerThread0".
                if (name(thread).matches("C[12] CompilerThre.*")
                        && Linux.setNice(Long.parseLong(thread.getFileName().toString()), LOWEST)) {
                    found++;
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    private static String name(Path thread) throws IOException {
        try {
            return Files.readString(thread.resolve("comm")).strip();
        } catch (NoSuchFileException _) {
            // It ended meanwhile.
            return "";
        }
    }

    /// Waits until nothing has been compiled for `quietMs`, at most `limitMs`. Returns whether it became quiet.
    static boolean awaitQuiet(long quietMs, long limitMs) {
        CompilationMXBean compilation = ManagementFactory.getCompilationMXBean();
        if (compilation == null || !compilation.isCompilationTimeMonitoringSupported()) {
            return false;
        }
        long startNs = System.nanoTime();
        long changedNs = startNs;
        long before = compilation.getTotalCompilationTime();
        while (System.nanoTime() - startNs < TimeUnit.MILLISECONDS.toNanos(limitMs)) {
            LockSupport.parkNanos(LOOK_NS);
            long now = compilation.getTotalCompilationTime();
            if (now != before) {
                before = now;
                changedNs = System.nanoTime();
            } else if (System.nanoTime() - changedNs >= TimeUnit.MILLISECONDS.toNanos(quietMs)) {
                return true;
            }
        }
        return false;
    }
}

package io.tombolo.agent.qemu;

import io.tombolo.region.TomboloException;
import java.util.Set;

/// What the guest's checker does with its memory; goes to it on the kernel command line.
///
/// @param workingSetBytes memory it keeps dirtying, in all workers together
/// @param pattern sequential, uniform or zipf
/// @param workers processes that dirty disjoint parts of it
/// @param beatMs time between two lines on the console
public record GuestLoad(long workingSetBytes, String pattern, long seed, int workers, int beatMs) {
    static final Set<String> PATTERNS = Set.of("sequential", "uniform", "zipf");
    static final int MAX_WORKERS = 64;

    public GuestLoad {
        check(workingSetBytes >= 4096L * workers, "the working set is smaller than a page per worker", workingSetBytes);
        check(PATTERNS.contains(pattern), "unknown pattern, known are sequential, uniform, zipf", pattern);
        check(workers >= 1 && workers <= MAX_WORKERS, "the number of workers is not in 1..64", workers);
        check(beatMs >= 1 && beatMs <= 60_000, "the time between beats is not in 1..60000 ms", beatMs);
    }

    private static void check(boolean condition, String what, Object found) {
        if (!condition) {
            throw TomboloException.error(QemuError.QEMU_DEFINITION, what).fact("found", found).build();
        }
    }

    String kernelArguments() {
        return "tombolo.ws=" + workingSetBytes + " tombolo.pattern=" + pattern + " tombolo.seed="
                + Long.toUnsignedString(seed) + " tombolo.workers=" + workers + " tombolo.beat_ms=" + beatMs;
    }
}

package io.tombolo.deploy.cli;

import io.tombolo.coordinator.wire.VmSpec;
import java.util.UUID;
import picocli.CommandLine.Option;

/// What a guest is: the options that `vm create` and `drill` share.
public final class GuestMixin {
    /// Without `--working-set`, a quarter of memory: enough to leave every cache, little enough to go round often. Of a
    /// Linux guest half, because that is what pre-copy is compared with.
    private static final int WORKING_SET_PART = 4;
    private static final int LINUX_WORKING_SET_PART = 2;

    private static final long DEFAULT_MEMORY_BYTES = 1L << 30;

    @Option(names = "--guest", paramLabel = "KIND", defaultValue = "simulated", description = "simulated, or linux for a Linux guest in QEMU (${DEFAULT-VALUE}).")
    private String guest;

    @Option(names = "--memory", paramLabel = "SIZE", converter = SizeConverter.class, description = "Guest memory (1G; 512M for a Linux guest).")
    private Long memoryBytes;

    @Option(names = "--vcpus", paramLabel = "N", defaultValue = "1", description = "Number of vCPUs (${DEFAULT-VALUE}).")
    private int vcpus;

    @Option(names = "--program", paramLabel = "PROGRAM", description = "What a simulated guest runs: dirty, kv or bank (dirty; kv in a failover drill).")
    private String program;

    @Option(names = "--working-set", paramLabel = "SIZE", converter = SizeConverter.class, description = "Memory that the program works on (a quarter of the guest's; half of a Linux guest's).")
    private Long workingSetBytes;

    @Option(names = "--pattern", paramLabel = "PATTERN", description = "sequential, uniform or zipf (uniform; sequential for a Linux guest).")
    private String pattern;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of everything random (a new one each time).")
    private Long seed;

    boolean isLinux() {
        return guest.equals("linux");
    }

    /// The definition, checked.
    VmSpec spec(String name, UUID uuid) {
        return spec(name, uuid, "dirty", 0);
    }

    /// The same with other defaults.
    ///
    /// @param usualMemoryBytes memory if none was asked for; 0 for what is usual
    VmSpec spec(String name, UUID uuid, String usualProgram, long usualMemoryBytes) {
        if (!isLinux() && !guest.equals("simulated")) {
            throw Options.invalid("--guest", guest, "simulated, linux");
        }
        long usual = usualMemoryBytes > 0 ? usualMemoryBytes : isLinux() ? 512L << 20 : DEFAULT_MEMORY_BYTES;
        long memory = memoryBytes != null ? memoryBytes : usual;
        long workingSet = workingSetBytes != null
                ? workingSetBytes
                : Math.max(4096, memory / (isLinux() ? LINUX_WORKING_SET_PART : WORKING_SET_PART) / 4096 * 4096);
        long seedOrNew = seed != null ? seed : System.nanoTime() ^ ProcessHandle.current().pid() << 40;
        return new VmSpec(name, uuid, isLinux() ? "qemu" : "simulated", memory, vcpus,
                isLinux() ? "linux" : program != null ? program : usualProgram,
                workingSet, pattern != null ? pattern : isLinux() ? "sequential" : "uniform", seedOrNew).checked();
    }
}

package io.tombolo.deploy.cli;

import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.deploy.report.Units;
import picocli.CommandLine.Option;

/// What becomes of a VM when its host dies.
public final class ProtectionMixin {
    /// A client waits half of it, on the mean, for its answer to leave.
    static final int DEFAULT_CHECKPOINT_US = 5_000;

    private static final String STOP = VmSpec.STOP;
    private static final String RESTART = VmSpec.RESTART;

    @Option(names = "--protect", description = "Checkpoint it, so that it goes on elsewhere when its host dies.")
    private boolean protect;

    @Option(names = "--checkpoint-interval", paramLabel = "DURATION", converter = DurationConverter.class, description = "With --protect: longest time between two checkpoints, 100us to 1s (5ms).")
    private Long intervalNs;

    @Option(names = "--on-host-failure", paramLabel = "POLICY", defaultValue = STOP, description = "What to do when its host dies and it cannot go on: stop, or restart to boot it again elsewhere (${DEFAULT-VALUE}).")
    private String onHostFailure;

    /// The same VM with this protection, checked.
    VmSpec apply(VmSpec spec) {
        Options.check(protect || intervalNs == null, "--checkpoint-interval",
                intervalNs == null ? "" : Units.nanos(intervalNs), "nothing without --protect");
        Options.check(onHostFailure.equals(STOP) || onHostFailure.equals(RESTART), "--on-host-failure", onHostFailure,
                "stop, restart");
        return spec.withProtection(protect ? checkpointUs(intervalNs) : 0).withOnHostFailure(onHostFailure).checked();
    }

    /// The value of `--checkpoint-interval` in microseconds; null is the default.
    static int checkpointUs(Long intervalNs) {
        if (intervalNs == null) {
            return DEFAULT_CHECKPOINT_US;
        }
        long us = intervalNs / 1_000;
        Options.check(us >= VmSpec.MIN_CHECKPOINT_US && us <= VmSpec.MAX_CHECKPOINT_US, "--checkpoint-interval",
                Units.nanos(intervalNs), VmSpec.MIN_CHECKPOINT_US + "us to " + VmSpec.MAX_CHECKPOINT_US / 1_000 + "ms");
        return (int) us;
    }
}

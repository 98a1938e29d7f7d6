package io.tombolo.agent.qemu;

import java.util.List;
import java.util.function.ToLongFunction;

/// What some moves of one kind cost.
public record ComparisonResult(List<Run> runs) {
    /// One move.
    ///
    /// @param totalNs from the order to migrate until the guest runs at the target
    /// @param downtimeNs from STOP at the source to RESUME at the target, by the times at which QEMU raised the events
    /// @param bytes what QEMU says it sent of RAM blocks; of guest memory proper it sends nothing in a bare hop
    public record Run(long totalNs, long downtimeNs, long bytes) {
    }

    public ComparisonResult {
        runs = List.copyOf(runs);
        if (runs.isEmpty()) {
            throw new IllegalArgumentException("no runs");
        }
    }

    public long totalNsP50() {
        return median(Run::totalNs);
    }

    public long downtimeNsP50() {
        return median(Run::downtimeNs);
    }

    public long downtimeNsMax() {
        return runs.stream().mapToLong(Run::downtimeNs).max().orElseThrow();
    }

    public long bytesP50() {
        return median(Run::bytes);
    }

    private long median(ToLongFunction<Run> value) {
        long[] sorted = runs.stream().mapToLong(value).sorted().toArray();
        return sorted[(sorted.length - 1) / 2];
    }
}

package io.tombolo.deploy.cli;

import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.deploy.report.Units;
import java.util.List;
import picocli.CommandLine.Option;

/// Where and how large the pages of a new VM are.
public final class TierMixin {
    private static final List<String> TIERS = List.of("shared", "local", "auto");

    @Option(names = "--tier", paramLabel = "TIER", defaultValue = "shared", description = "Where its pages start: shared, local, or auto for local if all of it fits there (${DEFAULT-VALUE}).")
    private String tier;

    @Option(names = "--page-size", paramLabel = "SIZE", defaultValue = "4K", description = "Size of its pages, 4K or 2M (${DEFAULT-VALUE}).")
    private String pageSize;

    /// The same VM with these pages, checked.
    VmSpec apply(VmSpec spec) {
        Options.check(TIERS.contains(tier), "--tier", tier, String.join(", ", TIERS));
        long bytes = Units.parseBytes(pageSize);
        Options.check(bytes == VmSpec.SMALL_PAGE_BYTES || bytes == VmSpec.LARGE_PAGE_BYTES, "--page-size", pageSize,
                "4K, 2M");
        return spec.withTier(tier).withPageBytes((int) bytes).checked();
    }
}

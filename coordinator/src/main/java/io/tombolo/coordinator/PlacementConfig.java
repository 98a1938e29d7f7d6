package io.tombolo.coordinator;

/// Limits of placement.
///
/// @param maxVmsPerHost VMs that a host may own; one more is refused with `HOST_FULL`
public record PlacementConfig(@Defaulted("64") int maxVmsPerHost) {
    /// As many as a region has VM slots by default, so that by default only the region limits.
    public static final int DEFAULT_MAX_VMS_PER_HOST = 64;

    public PlacementConfig {
        ConfigFile.check(maxVmsPerHost >= 1 && maxVmsPerHost <= 65_535, "placement.maxVmsPerHost", maxVmsPerHost,
                "1 to 65535");
    }
}

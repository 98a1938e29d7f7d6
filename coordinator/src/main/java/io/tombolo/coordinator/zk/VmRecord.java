package io.tombolo.coordinator.zk;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.VmSpec;

/// One VM as the leading coordinator last brought it into line with the owner word.
///
/// @param spec       its definition
/// @param slot       VM slot in the region
/// @param host       host that should own it
/// @param epoch      epoch of the owner word when this was written; the owner word's is never below it
/// @param reason     error code of why it does not run, or `""`
/// @param reasonText the same for people, or `""`
public record VmRecord(VmSpec spec, int slot, String host, long epoch, String reason, String reasonText) {
    public VmRecord {
        requireNonNull(spec, "spec is null");
        requireNonNull(host, "host is null");
        requireNonNull(reason, "reason is null");
        requireNonNull(reasonText, "reasonText is null");
    }
}

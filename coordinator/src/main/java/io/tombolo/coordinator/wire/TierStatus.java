package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

import java.util.List;

/// One tier of memory as one host sees it.
///
/// @param name      `local` or `shared`
/// @param type      `LOCAL` or `SHARED`
/// @param where     path of the file behind it
/// @param bytes     its size
/// @param freeBytes of that, not in use
/// @param uses      what VMs of this host use of it, by name
public record TierStatus(String name, String type, String where, long bytes, long freeBytes, List<TierUse> uses) {
    public TierStatus {
        requireNonNull(name, "name is null");
        requireNonNull(type, "type is null");
        requireNonNull(where, "where is null");
        uses = List.copyOf(uses);
    }

    /// What one VM uses of a tier.
    public record TierUse(String vm, long pages, long bytes) {
        public TierUse {
            requireNonNull(vm, "vm is null");
        }
    }
}

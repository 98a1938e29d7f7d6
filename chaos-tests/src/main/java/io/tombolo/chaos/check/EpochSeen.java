package io.tombolo.chaos.check;

import static java.util.Objects.requireNonNull;

/// Somebody read the owner word of a VM slot.
///
/// @param vm     the VM slot, by a name
/// @param holder who it named: host, or host and incarnation
/// @param epoch  of the owner word
/// @param timeNs when it was read, for people; the order of a list of these is what counts
public record EpochSeen(String vm, String holder, long epoch, long timeNs) {
    public EpochSeen {
        requireNonNull(vm, "vm is null");
        requireNonNull(holder, "holder is null");
    }
}

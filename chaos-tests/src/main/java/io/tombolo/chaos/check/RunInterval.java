package io.tombolo.chaos.check;

import static java.util.Objects.requireNonNull;

/// A time in which a host may have executed a VM, recorded outside the VM: it begins before the first instruction and
/// ends after the last. A missing end is the time at which the process was reaped.
///
/// @param vm      name of the VM, or of one of its vCPUs
/// @param host    who executed
/// @param epoch   of the owner word
/// @param startNs nanoseconds of one monotonic clock, the same for all
/// @param endNs   not before the start
public record RunInterval(String vm, String host, long epoch, long startNs, long endNs) {
    public RunInterval {
        requireNonNull(vm, "vm is null");
        requireNonNull(host, "host is null");
        if (endNs < startNs) {
            throw new IllegalArgumentException("ends before it starts: " + startNs + " to " + endNs);
        }
    }

    @Override
    public String toString() {
        return vm + " on " + host + " at epoch " + epoch + " from " + startNs + " to " + endNs + " ns";
    }
}

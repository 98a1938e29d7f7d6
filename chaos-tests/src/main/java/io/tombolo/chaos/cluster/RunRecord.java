package io.tombolo.chaos.cluster;

import static java.util.Objects.requireNonNull;

import java.util.UUID;

/// One stretch in which a vCPU executed, as the process that executed it wrote it down. Times are CLOCK_MONOTONIC of
/// this machine, so those of different processes can be compared.
///
/// @param vm      UUID of the VM
/// @param vmSlot  its slot in the region
/// @param host    name of the host
/// @param pid     process
/// @param epoch   epoch of the owner word when it began
/// @param startNs before the first instruction
/// @param endNs   after the last one; 0 if that was not written down, because the process was killed or still executes
public record RunRecord(UUID vm, int vmSlot, int vcpu, String host, long pid, long epoch, long startNs, long endNs) {
    public RunRecord {
        requireNonNull(vm, "vm is null");
        requireNonNull(host, "host is null");
    }

    /// The same with an end that somebody else knows.
    public RunRecord endingAt(long ns) {
        return new RunRecord(vm, vmSlot, vcpu, host, pid, epoch, startNs, ns);
    }

    /// The same with times counted from there.
    public RunRecord since(long zeroNs) {
        return new RunRecord(vm, vmSlot, vcpu, host, pid, epoch, startNs - zeroNs, endNs == 0 ? 0 : endNs - zeroNs);
    }
}

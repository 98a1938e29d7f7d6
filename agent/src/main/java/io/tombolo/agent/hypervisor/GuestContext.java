package io.tombolo.agent.hypervisor;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.right.CheckBoard;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.VmSlot;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/// What a driver is given to run one guest.
///
/// @param spec the VM's definition
/// @param identity where its memory is
/// @param slot its slot in the region; a driver stores to the metadata payload and, through page table entries, to
/// frames,
///            to nothing else
/// @param board where every thread that may store to the region registers before its first store, checks at least every
///            check period, and stops when the answer is no
/// @param ownerHolds whether the owner word still says that this host runs the VM; what such a thread registers with
/// @param ownerEpoch the epoch at which this host owns the VM, as it believes: what it commits with
/// @param stoppedByItself told why when the guest stopped without being asked (fault, died process, lapsed right)
/// @param runs told of every stretch in which a vCPU executes, by drivers whose vCPUs are threads of the agent
public record GuestContext(VmSpec spec, VmIdentity identity, VmSlot slot, CheckBoard board,
        BooleanSupplier ownerHolds, LongSupplier ownerEpoch,
        Consumer<String> stoppedByItself, RunObserver runs) {
    public GuestContext {
        requireNonNull(spec, "spec is null");
        requireNonNull(identity, "identity is null");
        requireNonNull(slot, "slot is null");
        requireNonNull(board, "board is null");
        requireNonNull(ownerHolds, "ownerHolds is null");
        requireNonNull(ownerEpoch, "ownerEpoch is null");
        requireNonNull(stoppedByItself, "stoppedByItself is null");
        requireNonNull(runs, "runs is null");
    }
}

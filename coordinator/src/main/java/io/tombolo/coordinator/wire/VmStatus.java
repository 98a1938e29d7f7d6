package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

import java.util.List;

/// What is known of one VM at one moment; the owner word was read once, so state, host and epoch belong together.
///
/// @param spec         its definition
/// @param slot         VM slot in the region
/// @param ownerState   name of the owner word's state, for example `RUNNING`
/// @param ownerHost    name of the host the owner word names; `""` when none or not known by name
/// @param epoch        epoch of the owner word
/// @param instructions executed instructions per vCPU; empty when the answering process does not run the VM
/// @param reason       code of why it does not run, as kept in ZooKeeper; `""` when there is none
/// @param localPages   how many of its pages are in the owner host's own memory
/// @param pageBytes    bytes of a page
/// @param waits        how long vCPUs waited for moving pages
/// @param protection   what protection does for it
public record VmStatus(VmSpec spec, int slot, String ownerState, String ownerHost, long epoch, List<Long> instructions,
        String reason, long localPages, int pageBytes, PageWaits waits, ProtectionStatus protection) {
    /// Of a VM without local pages.
    public VmStatus(VmSpec spec, int slot, String ownerState, String ownerHost, long epoch, List<Long> instructions,
            String reason) {
        this(spec, slot, ownerState, ownerHost, epoch, instructions, reason, 0, spec.pageBytes(), PageWaits.NONE,
                ProtectionStatus.NONE);
    }

    /// The same with another count of local pages.
    public VmStatus withLocalPages(long pages) {
        return new VmStatus(spec, slot, ownerState, ownerHost, epoch, instructions, reason, pages, pageBytes, waits,
                protection);
    }

    /// The same with other waits.
    public VmStatus withWaits(PageWaits pageWaits) {
        return new VmStatus(spec, slot, ownerState, ownerHost, epoch, instructions, reason, localPages, pageBytes,
                pageWaits, protection);
    }

    /// The same with another protection.
    public VmStatus withProtection(ProtectionStatus status) {
        return new VmStatus(spec, slot, ownerState, ownerHost, epoch, instructions, reason, localPages, pageBytes,
                waits, status);
    }

    /// The same with another reason.
    public VmStatus withReason(String newReason) {
        return new VmStatus(spec, slot, ownerState, ownerHost, epoch, instructions, newReason, localPages, pageBytes,
                waits, protection);
    }

    public VmStatus {
        requireNonNull(spec, "spec is null");
        requireNonNull(ownerState, "ownerState is null");
        requireNonNull(ownerHost, "ownerHost is null");
        instructions = List.copyOf(instructions);
        requireNonNull(reason, "reason is null");
        requireNonNull(waits, "waits is null");
        requireNonNull(protection, "protection is null");
    }
}

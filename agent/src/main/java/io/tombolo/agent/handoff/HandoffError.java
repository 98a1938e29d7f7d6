package io.tombolo.agent.handoff;

import io.tombolo.region.ErrorCode;

/// What can keep a hand-off from happening, as seen by the two hosts.
public enum HandoffError implements ErrorCode {
    /// Pages of the VM are being moved, or are in the memory of one host.
    PAGES_IN_FLIGHT,
    /// The target is prepared for another intent of the same VM.
    TARGET_BUSY,
    /// The leader gave the intent up before this order of it arrived.
    INTENT_CANCELLED,
    /// The target cannot take the VM; the reason says why.
    TARGET_REFUSED,
    /// The source did not hand over; the VM runs where it was.
    HANDOFF_STAYED,
    /// The VM is not on the host that was asked, or is not in a state for the operation.
    VM_NOT_HERE,
    /// Resume of a VM that is not paused.
    VM_NOT_PAUSED,
    /// The slot chosen for a new VM is in use.
    VM_SLOT_TAKEN,
    /// A CAS on the owner word found somebody else's change.
    OWNER_CHANGED,
    /// The host has no right to run VMs at the moment.
    RIGHT_LAPSED;

    @Override
    public int exitStatus() {
        return 3;
    }
}

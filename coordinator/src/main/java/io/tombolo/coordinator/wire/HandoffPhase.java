package io.tombolo.coordinator.wire;

/// Where one host is in one hand-off. The order is part of the wire format.
public enum HandoffPhase {
    /// This host knows nothing of the intent.
    NONE,
    /// Target: prepared, not spinning.
    PREPARED,
    /// Source: ARMED mark set, guest still running. Target: spinning.
    ARMED,
    /// Source: vCPUs stopping or stopped, nothing offered yet.
    QUIESCED,
    /// Source: the offer is out. Target: the offer is seen, state being checked.
    OFFERED,
    /// Target: CLAIMED, loading.
    CLAIMED,
    /// Target: runs the VM.
    RUNNING,
    /// Source: the VM is elsewhere, guest process not yet reaped.
    GIVEN,
    /// This host ended the hand-off without the target having run.
    ENDED
}

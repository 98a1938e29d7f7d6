package io.tombolo.coordinator.wire;

/// What became of one guest operation. The order is part of the wire format.
public enum GuestStatus {
    /// Carried out.
    OK,
    /// Carried out and refused by the guest program, for example a compare-and-set that did not match.
    FAILED,
    /// The guest program does not know the operation or its arguments; nothing was changed.
    INVALID
}

package io.tombolo.coordinator.wire;

/// What kind of process speaks on a connection. The order is part of the wire format.
public enum Role {
    /// The CLI or another program of an operator or a test.
    CLIENT,
    /// A coordinator, leading or not.
    COORDINATOR,
    /// The agent of one host.
    AGENT
}

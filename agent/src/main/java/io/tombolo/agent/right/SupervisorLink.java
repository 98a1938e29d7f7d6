package io.tombolo.agent.right;

/// The way to the supervisor: a datagram in the sd_notify format, `KEY=value` lines.
@FunctionalInterface
public interface SupervisorLink {
    /// Sends one message without waiting. False if the supervisor is not there or takes no more; any thread.
    boolean send(String message);
}

package io.tombolo.coordinator.wire;

/// Everything that can be the payload of one frame. The hierarchy is closed: what is not listed here cannot be sent,
/// and what arrives and is not listed here is refused.
///
/// All messages are immutable and hold no null: an absent string is `""`, an absent list is empty. Lists are copied.
public sealed interface Message permits Hello, Request, Reply {
}

package io.tombolo.coordinator.wire;

/// One received frame, checked and decoded.
record Frame(FrameType type, long correlation, Message message) {
}

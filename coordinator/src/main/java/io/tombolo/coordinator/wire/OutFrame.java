package io.tombolo.coordinator.wire;

/// One frame to send. The encoder gives it its sequence number at the moment it is written, so frames of several
/// threads leave in the order of their numbers. The payload belongs to this frame and is not changed any more.
// An array component is meant: the record is a hand-over between two handlers and is never compared.
@SuppressWarnings("ArrayRecordComponent")
record OutFrame(FrameType type, long correlation, byte[] payload) {
}

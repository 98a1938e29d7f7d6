package io.tombolo.coordinator;

/// One of the two hosts of a hand-off.
public enum HandoffSide {
    SOURCE, TARGET
}

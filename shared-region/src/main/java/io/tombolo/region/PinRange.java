package io.tombolo.region;

/// A range of pages that is pinned, and how often.
public record PinRange(long first, long count, int pins) {
}

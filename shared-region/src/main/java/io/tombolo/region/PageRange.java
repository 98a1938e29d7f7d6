package io.tombolo.region;

/// Consecutive pages of a VM: `count` of them from page `first` on.
public record PageRange(long first, long count) {
}

package io.tombolo.region;

/// A host slot as an incarnation holds it; `word` is the LIVE word that the incarnation compares with before it trusts
/// its right.
public record ClaimedSlot(int slot, long incarnation, long word) {
}

package io.tombolo.coordinator.wire;

import static java.util.Objects.requireNonNull;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// A row of bytes in a message, such as one per page of a call. Immutable, and equal when the bytes are: an array is
/// neither.
public final class Bytes {
    /// No bytes.
    public static final Bytes EMPTY = new Bytes(new byte[0]);

    private final byte[] bytes;

    private Bytes(byte[] bytes) {
        this.bytes = bytes;
    }

    /// A copy of an array.
    public static Bytes copyOf(byte[] bytes) {
        return new Bytes(requireNonNull(bytes, "bytes is null").clone());
    }

    /// Over an array that nobody else keeps.
    public static Bytes owning(byte[] bytes) {
        return new Bytes(bytes);
    }

    /// How many.
    public int length() {
        return bytes.length;
    }

    /// The byte at an index from 0.
    public byte at(int index) {
        return bytes[index];
    }

    /// All of them, to read.
    public MemorySegment segment() {
        return MemorySegment.ofArray(bytes).asReadOnly();
    }

    /// For the codec, which only reads it.
    byte[] array() {
        return bytes;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Bytes that && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    @Override
    public String toString() {
        return bytes.length + " bytes";
    }
}

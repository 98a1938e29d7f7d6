package io.tombolo.region;

import java.lang.foreign.MemorySegment;

/// A VM's metadata as it was copied out of a metadata slot and checked. `bytes` is the part of the reader's own buffer
/// that holds it, exactly `length` bytes long; nobody else writes it.
///
/// @param paused   whether the VM was paused when this was written
/// @param logHead  entries ever written to the VM's pre-image log
/// @param logSpare how many of the last of them name a spare pre-image
public record Blob(MemorySegment bytes, int length, int schema, long epoch, long interval, int crc, boolean paused,
        long logHead, int logSpare) {
    Blob withLogSpare(int spare) {
        return new Blob(bytes, length, schema, epoch, interval, crc, paused, logHead, spare);
    }
}

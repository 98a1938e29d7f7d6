package io.tombolo.agent.qemu;

/// A device state that is complete. Times are System.nanoTime(), CLOCK_MONOTONIC of this machine.
///
/// @param length bytes of state in the memory given
/// @param stopEventNs when QEMU's STOP event was received: the begin of the downtime. 0 if the guest was stopped before
/// @param stopWallUs QEMU's own time stamp of that event, microseconds of wall clock; 0 as above
/// @param drainedNs when the last byte was in the memory given
/// @param completedNs when QEMU said that the migration is completed: only from here does it never go on by itself
public record SaveResult(int length, long stopEventNs, long stopWallUs, long drainedNs, long completedNs) {
}

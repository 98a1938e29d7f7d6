package io.tombolo.agent.qemu;

/// A device state that is complete. Times are System.nanoTime(), CLOCK_MONOTONIC of this machine.
///
/// @param length bytes of state in the memory given
/// @param stopEventNs when QEMU raised its STOP event: the begin of the downtime. 0 if the guest was stopped before
/// @param drainedNs when the last byte was in the memory given
/// @param completedNs when QEMU said that the migration is completed: only from here does it never go on by itself
public record SaveResult(int length, long stopEventNs, long drainedNs, long completedNs) {
}

package io.tombolo.agent.qemu;

/// A device state that QEMU has loaded; the guest is stopped. Times are System.nanoTime().
///
/// @param fedNs when the last byte had been given to QEMU
/// @param loadedNs when QEMU said that the load is completed
public record LoadResult(long fedNs, long loadedNs) {
}

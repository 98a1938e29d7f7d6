package io.tombolo.agent.qemu;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;

/// The guest on which this driver's hop is compared with QEMU alone: the same in every way of moving it.
///
/// @param memoryDirectory where the segment file of the bare hop is made, normally on tmpfs
/// @param runDirectory for sockets and consoles; short, because of the limit of UNIX socket paths
public record ComparisonSetup(QemuBinary binary, Accelerator accelerator, GuestImage image, GuestLoad load,
        long memoryBytes, int vcpus, Path memoryDirectory, Path runDirectory) {
    public ComparisonSetup {
        requireNonNull(binary, "binary is null");
        requireNonNull(accelerator, "accelerator is null");
        requireNonNull(image, "image is null");
        requireNonNull(load, "load is null");
        requireNonNull(memoryDirectory, "memoryDirectory is null");
        requireNonNull(runDirectory, "runDirectory is null");
    }
}

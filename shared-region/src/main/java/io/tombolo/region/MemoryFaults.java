package io.tombolo.region;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Says what a fault of a mapping means. The JVM reports SIGBUS on a mapped file as InternalError, sometimes a few
/// instructions late in compiled code; therefore threads that touch the region through raw segments translate at their
/// top level too.
final class MemoryFaults {
    private MemoryFaults() {
    }

    static TomboloException translate(Path file, long expectedBytes, long offset, InternalError cause) {
        long length;
        try {
            length = Files.size(file);
        } catch (IOException _) {
            length = -1;
        }
        boolean truncated = length < expectedBytes;
        return TomboloException
                .error(truncated ? RegionError.REGION_TRUNCATED : RegionError.REGION_MEMORY_FAULT,
                        truncated
                                ? "the region file lost its end under a live mapping"
                                : "an access to the mapped region faulted")
                .fact("file", file).fact("offset", offset)
                .fact("found", length < 0 ? "missing" : length + " bytes").fact("expected", expectedBytes + " bytes")
                .next("stop every agent on this region, then tombolo region verify " + file).cause(cause).build();
    }
}

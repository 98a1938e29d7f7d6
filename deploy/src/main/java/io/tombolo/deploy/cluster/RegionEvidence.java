package io.tombolo.deploy.cluster;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.HostSlots;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.Region;
import io.tombolo.region.os.Linux;
import java.nio.file.Path;
import java.util.UUID;

/// Says in the region what the supervisor knows: that an agent's kill group is empty, so that a takeover that waits for
/// it goes on at once. The only words it changes are the slot words of that agent's incarnations.
///
/// The region is mapped once, because to map it takes longer than everything else between a SIGKILL and the takeover.
/// To say the same twice changes nothing. Thread safe.
final class RegionEvidence implements AutoCloseable {
    private final Region region;
    private final UUID bootId;
    private boolean closed;

    private RegionEvidence(Region region, UUID bootId) {
        this.region = region;
        this.bootId = bootId;
    }

    static RegionEvidence open(Path file) {
        requireNonNull(file, "file is null");
        return new RegionEvidence(Region.open(file, OpenOptions.readWrite()), Linux.bootId());
    }

    /// Confirms the stop of whichever incarnations the process held. A [StopRecord] exists only for a group that was
    /// seen empty, and whatever reaped the main process is this supervisor, so its pid still means that process: agents
    /// are started by this supervisor only, and none by the name before the record is there.
    ///
    /// @return whether the process held one
    synchronized boolean confirm(StopRecord record) {
        return !closed && HostSlots.confirmReaped(region, record.pid(), bootId);
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            region.close();
        }
    }
}

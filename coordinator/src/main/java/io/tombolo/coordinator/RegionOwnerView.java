package io.tombolo.coordinator;

import io.tombolo.region.CommitWord;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostState;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.RegionError;
import io.tombolo.region.SlotWord;
import io.tombolo.region.TomboloException;
import io.tombolo.region.WatchdogBound;
import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;

/// [OwnerView] over a region file that is mapped read-only. Thread safe until closed.
public final class RegionOwnerView implements OwnerView, AutoCloseable {
    private final Region region;

    private RegionOwnerView(Region region) {
        this.region = region;
    }

    /// Maps the region.
    ///
    /// @throws TomboloException one of the `REGION_` errors, also when it belongs to another cluster
    public static RegionOwnerView open(Path file, UUID cluster) {
        return new RegionOwnerView(Region.open(file, new OpenOptions(true, cluster)));
    }

    /// Looks at a region that somebody else has mapped, and closes it.
    public static RegionOwnerView over(Region region) {
        return new RegionOwnerView(region);
    }

    @Override
    public OwnerSnapshot owner(int vmSlot) {
        long word = region.vm(vmSlot).ownerAcquire();
        OwnerState state = OwnerWord.state(word);
        if (state == null) {
            throw damaged("VM slot", vmSlot, OwnerWord.describe(word));
        }
        return new OwnerSnapshot(state, OwnerWord.slot(word), OwnerWord.epoch(word));
    }

    @Override
    public long localPages(int vmSlot) {
        return region.vm(vmSlot).localPagesAcquire();
    }

    @Override
    public HostSnapshot host(int hostSlot) {
        long word = region.host(hostSlot).wordAcquire();
        HostState state = SlotWord.state(word);
        if (state == null) {
            throw damaged("host slot", hostSlot, SlotWord.describe(word));
        }
        return new HostSnapshot(state, SlotWord.incarnation(word));
    }

    @Override
    public boolean isProtected(int vmSlot) {
        return CommitWord.isProtected(region.vm(vmSlot).commitAcquire());
    }

    @Override
    public int checkpointUs(int vmSlot) {
        return region.vm(vmSlot).checkpointUs();
    }

    @Override
    public WatchdogBound bound(int hostSlot) {
        return identity(hostSlot).map(HostIdentity::bound).orElse(WatchdogBound.UNKNOWN);
    }

    @Override
    public Optional<String> hostName(int hostSlot) {
        return identity(hostSlot).map(HostIdentity::name);
    }

    private Optional<HostIdentity> identity(int hostSlot) {
        if (host(hostSlot).incarnation() == 0) {
            return Optional.empty();
        }
        try {
            return Optional.of(region.host(hostSlot).readIdentity());
        } catch (TomboloException e) {
            if (e.code() == RegionError.REGION_IDENTITY_DAMAGED) {
                // Being claimed at this moment, or damaged: then `region verify` tells, and here it has no name.
                return Optional.empty();
            }
            throw e;
        }
    }

    private TomboloException damaged(String what, int slot, String found) {
        return TomboloException.error(RegionError.REGION_IDENTITY_DAMAGED, "a word of the region has no legal state")
                .fact("file", region.file()).fact("structure", what).fact("slot", slot).fact("found", found)
                .next("tombolo region verify " + region.file()).build();
    }

    @Override
    public int hostSlots() {
        return region.hostSlots();
    }

    @Override
    public int vmSlots() {
        return region.vmSlots();
    }

    @Override
    public UUID regionUuid() {
        return region.superblock().regionUuid();
    }

    @Override
    public void close() {
        region.close();
    }
}

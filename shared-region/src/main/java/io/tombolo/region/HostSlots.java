package io.tombolo.region;

import java.util.UUID;

/// How an incarnation gets a host slot, loses it and how the slot becomes free again.
public final class HostSlots {
    private HostSlots() {
    }

    /// Claims a free slot: FREE n -> CLAIMING n+1, identity, then a look at all other slots, then LIVE n+1. Two claims
    /// by the same host (name or UUID) that meet see each other, because both publish before they look; then both are
    /// refused. A host that is LIVE in another slot must be fenced first. Throws REGION_HOST_LIVE or
    /// REGION_HOST_SLOTS_EXHAUSTED.
    public static ClaimedSlot claim(Region region, HostIdentity identity) {
        return region.guarded(() -> claimAny(region, identity));
    }

    private static ClaimedSlot claimAny(Region region, HostIdentity identity) {
        refuseTwin(region, identity, -1);
        for (int slot = 0; slot < region.hostSlots(); slot++) {
            HostSlot host = region.host(slot);
            long word = host.wordAcquire();
            if (SlotWord.state(word) != HostState.FREE || SlotWord.incarnation(word) >= SlotWord.INCARNATION_MAX) {
                continue;
            }
            long claiming = SlotWord.pack(HostState.CLAIMING, SlotWord.incarnation(word) + 1);
            if (host.compareAndSetWord(word, claiming)) {
                return publish(region, host, claiming, identity);
            }
        }
        throw TomboloException.error(RegionError.REGION_HOST_SLOTS_EXHAUSTED, "no host slot is free")
                .fact("file", region.file()).fact("slots", region.hostSlots())
                .next("free the slots of hosts that are confirmed stopped (tombolo host list), or format with more")
                .build();
    }

    private static ClaimedSlot publish(Region region, HostSlot host, long claiming, HostIdentity identity) {
        long incarnation = SlotWord.incarnation(claiming);
        try {
            // Makes it durable, which is a full fence: both of two claimants publish before they look.
            host.writeIdentity(identity, incarnation);
            refuseTwin(region, identity, host.index());
        } catch (TomboloException | IllegalArgumentException e) {
            host.compareAndSetWord(claiming, SlotWord.pack(HostState.FREE, incarnation));
            throw e;
        }
        long live = SlotWord.pack(HostState.LIVE, incarnation);
        if (!host.compareAndSetWord(claiming, live)) {
            throw TomboloException
                    .error(RegionError.REGION_WRONG_STATE, "the slot was fenced while it was being claimed")
                    .fact("file", region.file()).fact("host", host.index())
                    .fact("found", SlotWord.describe(host.wordAcquire())).fact("expected", SlotWord.describe(claiming))
                    .next("restart the agent").build();
        }
        return new ClaimedSlot(host.index(), incarnation, live);
    }

    private static void refuseTwin(Region region, HostIdentity identity, int own) {
        for (int slot = 0; slot < region.hostSlots(); slot++) {
            HostSlot host = region.host(slot);
            long word = host.wordAcquire();
            HostState state = SlotWord.state(word);
            if (slot == own || (state != HostState.LIVE && state != HostState.CLAIMING)) {
                continue;
            }
            // A claimant whose identity is not there yet will look after it has written it, and then sees ours.
            HostIdentity other = host.identityOrNull(SlotWord.incarnation(word));
            if (other != null && HostSlot.sameHost(identity, other)) {
                throw TomboloException.error(RegionError.REGION_HOST_LIVE, "the host is already in another slot")
                        .fact("file", region.file()).fact("name", identity.name()).fact("hostUuid", identity.hostUuid())
                        .fact("host", slot).fact("found", SlotWord.describe(word) + " pid " + other.pid())
                        .next("stop the other agent, or have it fenced and confirmed stopped; two agents never share a name")
                        .build();
            }
        }
    }

    /// First step of fencing: LIVE or CLAIMING -> FENCING. True if the incarnation is in FENCING or beyond afterwards;
    /// false if the slot belongs to another incarnation.
    public static boolean fence(Region region, int slot, long incarnation) {
        HostSlot host = region.host(slot);
        while (true) {
            long word = host.wordAcquire();
            HostState state = SlotWord.state(word);
            if (SlotWord.incarnation(word) != incarnation || state == HostState.FREE || state == null) {
                return false;
            }
            if (state != HostState.LIVE && state != HostState.CLAIMING) {
                return true;
            }
            if (host.compareAndSetWord(word, SlotWord.pack(HostState.FENCING, incarnation))) {
                return true;
            }
        }
    }

    /// The incarnation's own statement that all its storing threads have stopped for good. True if the word is STOPPED
    /// (or CONFIRMED) afterwards.
    public static boolean markStopped(Region region, int slot, long incarnation) {
        return advance(region, slot, incarnation, HostState.STOPPED);
    }

    /// Positive evidence from outside (reaped, empty cgroup, another boot id, trusted fence): FENCING, STOPPED or
    /// FAILED -> CONFIRMED.
    public static boolean confirmStopped(Region region, int slot, long incarnation) {
        return advance(region, slot, incarnation, HostState.CONFIRMED);
    }

    /// The same for whichever incarnation that process held, for who has reaped it: a pid means one process for as long
    /// as its parent has not reaped it, and the boot id says on which machine. True if there was one.
    public static boolean confirmReaped(Region region, long pid, UUID bootId) {
        boolean found = false;
        for (int slot = 0; slot < region.hostSlots(); slot++) {
            HostSlot host = region.host(slot);
            long incarnation = SlotWord.incarnation(host.wordAcquire());
            HostIdentity identity = host.identityOrNull(incarnation);
            if (identity != null && identity.pid() == pid && identity.bootId().equals(bootId)
                    && fence(region, slot, incarnation)) {
                found |= confirmStopped(region, slot, incarnation);
            }
        }
        return found;
    }

    /// Earlier incarnations of a host whose kernel was another one have certainly stopped: -> CONFIRMED. Returns how
    /// many.
    ///
    /// @param bootId boot id of the host's present kernel
    public static int confirmRebooted(Region region, UUID hostUuid, UUID bootId) {
        int confirmed = 0;
        for (int slot = 0; slot < region.hostSlots(); slot++) {
            HostSlot host = region.host(slot);
            long word = host.wordAcquire();
            long incarnation = SlotWord.incarnation(word);
            HostIdentity identity = host.identityOrNull(incarnation);
            if (SlotWord.state(word) != HostState.FREE && SlotWord.state(word) != HostState.CONFIRMED
                    && identity != null
                    && identity.hostUuid().equals(hostUuid) && !identity.bootId().equals(bootId)
                    && fence(region, slot, incarnation) && confirmStopped(region, slot, incarnation)) {
                confirmed++;
            }
        }
        return confirmed;
    }

    /// Recovers and frees the slots of earlier incarnations of a host that are stopped, by their own word or by
    /// evidence. One that a VM still names stays as it is. Returns how many were freed.
    ///
    /// @param own the slot of the host's present incarnation
    public static int freeStopped(Region region, UUID hostUuid, int own) {
        int freed = 0;
        for (int slot = 0; slot < region.hostSlots(); slot++) {
            HostSlot host = region.host(slot);
            long word = host.wordAcquire();
            long incarnation = SlotWord.incarnation(word);
            HostState state = SlotWord.state(word);
            HostIdentity identity = host.identityOrNull(incarnation);
            boolean stopped = state == HostState.STOPPED || state == HostState.CONFIRMED;
            if (slot == own || !stopped || identity == null || !identity.hostUuid().equals(hostUuid)
                    || !confirmStopped(region, slot, incarnation)) {
                continue;
            }
            Recovery.recover(region, slot, incarnation, own);
            if (firstUser(region, slot) == null) {
                free(region, slot, incarnation);
                freed++;
            }
        }
        return freed;
    }

    private static boolean advance(Region region, int slot, long incarnation, HostState target) {
        HostSlot host = region.host(slot);
        while (true) {
            long word = host.wordAcquire();
            HostState state = SlotWord.state(word);
            if (SlotWord.incarnation(word) != incarnation || state == null || state == HostState.FREE) {
                return false;
            }
            if (state == target || state == HostState.CONFIRMED) {
                return true;
            }
            if (!state.mayBecome(target)) {
                return false;
            }
            if (host.compareAndSetWord(word, SlotWord.pack(target, incarnation))) {
                return true;
            }
        }
    }

    /// CONFIRMED -> FREE, after [Recovery#recover]. Refuses with REGION_HOST_SLOT_IN_USE while an owner word, a
    /// take-back right, a block or a reserved frame names the slot.
    public static void free(Region region, int slot, long incarnation) {
        HostSlot host = region.host(slot);
        long word = host.wordAcquire();
        if (word != SlotWord.pack(HostState.CONFIRMED, incarnation)) {
            throw TomboloException
                    .error(RegionError.REGION_HOST_NOT_CONFIRMED, "the incarnation is not confirmed stopped")
                    .fact("file", region.file()).fact("host", slot).fact("found", SlotWord.describe(word))
                    .fact("expected", SlotWord.describe(SlotWord.pack(HostState.CONFIRMED, incarnation)))
                    .next("confirm that the host has stopped (tombolo host show)").build();
        }
        String user = firstUser(region, slot);
        if (user != null) {
            throw TomboloException.error(RegionError.REGION_HOST_SLOT_IN_USE, "the region still names the host slot")
                    .fact("file", region.file()).fact("host", slot).fact("found", user)
                    .fact("expected", "nothing names it")
                    .next("recover the host first, then free its slot").build();
        }
        host.compareAndSetWord(word, SlotWord.pack(HostState.FREE, incarnation));
    }

    private static String firstUser(Region region, int slot) {
        for (int i = 0; i < region.vmSlots(); i++) {
            VmSlot vm = region.vm(i);
            long owner = vm.ownerAcquire();
            boolean owned = !OwnerWord.is(owner, OwnerState.FREE) && OwnerWord.slot(owner) == slot;
            if (owned || FromWord.allows(vm.fromAcquire(), slot, owner)) {
                return "vm " + i + ": " + OwnerWord.describe(owner) + ", from " + FromWord.describe(vm.fromAcquire());
            }
        }
        for (long block = 0; block < region.superblock().blockCount(); block++) {
            long word = region.memory().loadAcquire(region.blockOffset(block));
            if ((BlockWord.isOwned(word) || BlockWord.isLargeReserved(word)) && BlockWord.slot(word) == slot) {
                return "block " + block + ": " + BlockWord.describe(word);
            }
        }
        return null;
    }
}

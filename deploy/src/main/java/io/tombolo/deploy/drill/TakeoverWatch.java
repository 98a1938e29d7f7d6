package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.HostState;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.SlotWord;
import io.tombolo.region.VmSlot;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/// Follows one takeover by the words in the region, which nobody can put off: the owner word of the VM and the slot
/// word of the host that fails. Reads them every 200 us and changes nothing. Used by one thread.
final class TakeoverWatch {
    private static final long PERIOD_NS = 200_000;

    private final Region region;
    private final VmSlot vm;
    private final LongSupplier nowNs;
    private final long ownerBefore;
    private final int hostSlot;
    private final long incarnation;
    private long leftLiveNs;
    private long confirmedNs;
    private long begunNs;
    private long runningNs;
    private long ownerAfter;
    private boolean ranTooEarly;

    /// When was what seen for the first time; 0 for never.
    ///
    /// @param leftLiveNs  the slot word of the failed host was no longer LIVE
    /// @param confirmedNs it said that everything of the host has stopped
    /// @param begunNs     the owner word named another host, or the same one with another incarnation
    /// @param runningNs   the owner word said RUNNING there
    /// @param ranTooEarly it said so while the failed host was not confirmed stopped
    record Seen(long leftLiveNs, long confirmedNs, long begunNs, long runningNs, int ownerSlot, long epoch,
            boolean ranTooEarly) {
    }

    /// Begins before the failure, with a VM that runs.
    TakeoverWatch(Region region, int vmSlot, LongSupplier nowNs) {
        this.region = requireNonNull(region, "region is null");
        this.vm = region.vm(vmSlot);
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
        this.ownerBefore = vm.ownerAcquire();
        this.hostSlot = OwnerWord.slot(ownerBefore);
        this.incarnation = SlotWord.incarnation(region.host(hostSlot).wordAcquire());
        if (!OwnerWord.is(ownerBefore, OwnerState.RUNNING)) {
            throw new IllegalStateException("the VM does not run: " + OwnerWord.describe(ownerBefore));
        }
    }

    int hostSlot() {
        return hostSlot;
    }

    /// Waits until the VM runs elsewhere.
    ///
    /// @param giveUp asked now and then; true ends the wait
    /// @return whether it runs elsewhere
    boolean awaitRunning(BooleanSupplier giveUp) {
        while (runningNs == 0) {
            look();
            if (giveUp.getAsBoolean() || OwnerWord.is(vm.ownerAcquire(), OwnerState.LOST)) {
                return false;
            }
            LockSupport.parkNanos(this, PERIOD_NS);
        }
        return true;
    }

    /// Goes on after that until the failed host is confirmed stopped, which it was long ago if all is well.
    private void look() {
        // The owner word first: whoever runs the VM has found the slot word confirmed before.
        long owner = vm.ownerAcquire();
        long slot = region.host(hostSlot).wordAcquire();
        long now = nowNs.getAsLong();
        boolean sameIncarnation = SlotWord.incarnation(slot) == incarnation;
        HostState state = SlotWord.state(slot);
        if (leftLiveNs == 0 && (!sameIncarnation || state != HostState.LIVE)) {
            leftLiveNs = now;
        }
        // A slot is given to another incarnation only after this one was confirmed.
        boolean stopped = !sameIncarnation || state == HostState.STOPPED || state == HostState.CONFIRMED
                || state == HostState.FREE;
        if (confirmedNs == 0 && stopped) {
            confirmedNs = now;
        }
        boolean elsewhere = OwnerWord.epoch(owner) > OwnerWord.epoch(ownerBefore)
                && (OwnerWord.slot(owner) != hostSlot || !sameIncarnation);
        if (begunNs == 0 && elsewhere) {
            begunNs = now;
        }
        if (runningNs == 0 && elsewhere && OwnerWord.is(owner, OwnerState.RUNNING)) {
            runningNs = now;
            ownerAfter = owner;
            ranTooEarly = !stopped;
        }
    }

    Seen seen() {
        return new Seen(leftLiveNs, confirmedNs, begunNs, runningNs, OwnerWord.slot(ownerAfter),
                OwnerWord.epoch(ownerAfter), ranTooEarly);
    }

    /// The words now, for people.
    String words() {
        return "owner word " + OwnerWord.describe(vm.ownerAcquire()) + ", slot word of host " + hostSlot + " "
                + SlotWord.describe(region.host(hostSlot).wordAcquire());
    }
}

package io.tombolo.agent.handoff;

import io.tombolo.agent.hypervisor.Hypervisor;
import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmSlot;

/// Changes of a VM's owner word by this host, and how refusals about the VM begin. Every change goes with what is
/// believed here: one that fails means a wrong belief.
record VmWords(VmSlot slot, VmSpec spec, HostPorts host) {
    int self() {
        return host.self();
    }

    long word(OwnerState state, long epoch) {
        return OwnerWord.pack(state, host.self(), epoch);
    }

    /// @throws TomboloException OWNER_CHANGED
    void move(long from, OwnerState to, long epoch) {
        long next = to == OwnerState.FREE ? OwnerWord.pack(to, 0, epoch) : word(to, epoch);
        if (!slot.compareAndSetOwner(from, next)) {
            throw error(HandoffError.OWNER_CHANGED, "the owner word changed under this host")
                    .fact("expected", OwnerWord.describe(from)).fact("found", OwnerWord.describe(slot.ownerAcquire()))
                    .next("'tombolo vm show' tells who owns it now").build();
        }
    }

    /// DESTROYING at the next epoch, the memory given back, FREE.
    void destroy(long from, Hypervisor driver) {
        long epoch = OwnerWord.nextEpoch(from);
        move(from, OwnerState.DESTROYING, epoch);
        if (OwnerWord.is(from, OwnerState.LOST)) {
            driver.releaseLost(slot.index());
        } else {
            driver.release(slot.index());
        }
        move(word(OwnerState.DESTROYING, epoch), OwnerState.FREE, epoch);
    }

    /// The owner word of a slot in which the VM can be created.
    long requireCreatable(Hypervisor driver) {
        driver.check(spec);
        long free = slot.ownerAcquire();
        if (OwnerWord.state(free) != OwnerState.FREE) {
            throw error(HandoffError.VM_SLOT_TAKEN, "the VM slot is not free").fact("owner", OwnerWord.describe(free))
                    .next("choose another slot; 'tombolo region inspect' shows them").build();
        }
        return free;
    }

    boolean requireRight(String what) {
        if (!host.rightHolds()) {
            throw error(HandoffError.RIGHT_LAPSED, "this host may not run VMs now").fact("operation", what)
                    .next("'tombolo host show' says why; it comes back by itself when ZooKeeper answers").build();
        }
        return true;
    }

    TomboloException notHere() {
        return error(HandoffError.VM_NOT_HERE, "the VM does not run on this host")
                .fact("owner", OwnerWord.describe(slot.ownerAcquire())).next("ask the host that the owner word names")
                .build();
    }

    TomboloException.Builder error(HandoffError code, String what) {
        return TomboloException.error(code, what).fact("vm", spec.name()).fact("slot", slot.index());
    }
}

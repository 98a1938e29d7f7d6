package io.tombolo.agent.hypervisor;

import io.tombolo.coordinator.wire.VmSpec;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmIdentity;

/// One way to run guests on this host. A driver knows nothing of ZooKeeper, RPC or the owner word: it runs, stops,
/// saves and loads guests when it is told, and the hand-off code decides when that is allowed.
///
/// Every driver passes the same contract suite. Methods may block; they are called on the control thread of the VM
/// concerned and never on an event loop.
public interface Hypervisor extends AutoCloseable {
    /// The driver's name as it stands in [VmSpec#driver].
    String name();

    /// Refuses, with a stable code, what this driver cannot run. Changes nothing.
    void check(VmSpec spec);

    /// Gives a new VM its memory, all of it or none, and says where it is. The caller holds the VM in CREATING.
    VmIdentity allocate(VmSpec spec, int vmSlot);

    /// Gives back whatever memory the VM has, all or what a failed [#allocate] left. The caller holds the VM in
    /// DESTROYING.
    void release(int vmSlot);

    /// The same for a VM that is LOST: what it had in a host's own memory went with another host, and what its entries
    /// say of that means nothing here.
    default void releaseLost(int vmSlot) {
        release(vmSlot);
    }

    /// A guest at its first instruction, not started.
    Guest boot(GuestContext context);

    /// A guest that waits on `port` for state from another host. Until the port says that it may run it reads guest
    /// memory at most.
    IncomingGuest prepare(GuestContext context, IncomingPort port);

    /// A guest whose state is not known yet, for a VM that this host takes over; the VM may be another host's still.
    ///
    /// @throws TomboloException VM_PROTECT_UNSUPPORTED if the driver cannot restore guests
    default RestoringGuest restoring(GuestContext context) {
        throw TomboloException.error(GuestError.VM_PROTECT_UNSUPPORTED, "this driver cannot restore a guest")
                .fact("driver", name()).fact("vm", context.spec().name())
                .next("restart it: 'tombolo vm restart', or --on-host-failure restart").build();
    }

    /// Ends everything this driver started on the host.
    @Override
    void close();
}

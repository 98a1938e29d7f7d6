package io.tombolo.agent.hypervisor;

import io.tombolo.region.Blob;
import io.tombolo.region.TomboloException;

/// A guest that is made as far as it can be before its state is known, for a VM that this host takes over. It stores
/// nothing to the VM before [#restore]. On the VM's control thread.
public interface RestoringGuest {
    /// Puts a saved state in place; the guest stays stopped. A protected VM has been committed once more when this
    /// returns. When it throws, the guest is gone.
    ///
    /// @param state what was found, paused or not; the VM's memory is recovered
    /// @param mine  the owner word by which this host has taken the VM over, RECOVERING or RESTORING
    /// @throws TomboloException GUEST_STATE_SCHEMA and the like if the state is not of this VM or driver; REGION_FULL;
    ///         VM_TAKEN_OVER
    Guest restore(Blob state, long mine);

    /// Kills it; returns when it can touch nothing any more. Not after [#restore].
    void discard();
}

package io.tombolo.agent.handoff;

import io.tombolo.coordinator.CoordinatorError;
import io.tombolo.region.CommitWord;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmSlot;

/// What a VM's being protected keeps from being done with it.
public final class ProtectedVms {
    private ProtectedVms() {
    }

    /// The pages of a protected VM are neither copied nor moved.
    ///
    /// @throws TomboloException VM_PROTECTED
    public static void requireMovablePages(VmSlot slot, String vm) {
        if (!havePagesToStay(slot)) {
            return;
        }
        throw TomboloException
                .error(CoordinatorError.VM_PROTECTED, "the pages of a protected VM stay in the shared tier")
                .fact("vm", vm).next("tombolo vm unprotect " + vm).build();
    }

    /// Whether it is protected at this moment.
    public static boolean havePagesToStay(VmSlot slot) {
        return CommitWord.isProtected(slot.commitAcquire());
    }
}

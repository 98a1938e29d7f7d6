package io.tombolo.agent.takeover;

import io.tombolo.agent.hypervisor.Guest;
import io.tombolo.agent.hypervisor.RestoringGuest;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.region.OwnerState;

/// What a takeover needs of the VM's place on its host. All methods are called on the VM's control thread.
public interface TakeoverPorts {
    /// Whether the host has the right to run VMs now.
    boolean rightHolds();

    /// Where threads that store to the region show their checks.
    CheckBoard board();

    /// CLOCK_MONOTONIC, nanoseconds.
    long nowNs();

    /// Runs the task on the control thread after `delayNs`, unless the VM has left by then.
    void after(Runnable task, long delayNs);

    /// A guest that waits for its state; made while owners are in doubt, so that nobody waits for it afterwards.
    RestoringGuest restoring();

    /// The owner word is about to say that, by compare-and-set.
    ///
    /// @param since [CheckBoard#closings] from before the right was looked at
    void expect(OwnerState to, long epoch, int since);

    /// The guest is this host's from now on; it runs unless it is paused.
    void adopt(Guest guest, long epoch, boolean paused);

    /// Nothing of the VM stays here.
    void leave();
}

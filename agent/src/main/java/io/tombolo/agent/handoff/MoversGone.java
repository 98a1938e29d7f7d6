package io.tombolo.agent.handoff;

import io.tombolo.agent.hypervisor.Guest;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmGate;
import io.tombolo.region.VmSlot;
import java.util.concurrent.TimeUnit;

/// Closes the gate of a VM's pages and waits until no mover is behind it.
final class MoversGone {
    private static final long MOVERS_NS = TimeUnit.SECONDS.toNanos(5);

    private MoversGone() {
    }

    /// Their batches take microseconds. On return the gate is closed and nobody is behind it, nor comes.
    ///
    /// @throws TomboloException PAGES_IN_FLIGHT after five seconds; the gate is open then
    static void await(HostPorts host, VmSlot slot, Guest guest, long pollNs, String vm) {
        slot.gate().close();
        long since = host.nowNs();
        while (!(guest.pages().isPresent() ? guest.pages().get().drained() : slot.gate().drained())) {
            if (host.nowNs() - since > MOVERS_NS) {
                slot.gate().open();
                throw TomboloException.error(HandoffError.PAGES_IN_FLIGHT, "a page move of the VM does not end")
                        .fact("vm", vm).fact("slot", slot.index())
                        .fact("gate", VmGate.describe(slot.gate().wordAcquire())).next("try again").build();
            }
            host.pause(pollNs);
        }
    }
}

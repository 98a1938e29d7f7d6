package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.hypervisor.Guest;
import io.tombolo.agent.hypervisor.RestoringGuest;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.agent.takeover.TakeoverPorts;
import io.tombolo.region.OwnerState;

/// A VM's place on its host, as its takeover sees it.
///
/// @param control the VM's control thread
record TakenHere(HostPorts host, Control control, HostedVm vm) implements TakeoverPorts {
    TakenHere {
        requireNonNull(host, "host is null");
        requireNonNull(control, "control is null");
        requireNonNull(vm, "vm is null");
    }

    @Override
    public boolean rightHolds() {
        return host.rightHolds();
    }

    @Override
    public CheckBoard board() {
        return host.board();
    }

    @Override
    public long nowNs() {
        return host.nowNs();
    }

    @Override
    public void after(Runnable task, long delayNs) {
        control.schedule(task, delayNs);
    }

    @Override
    public RestoringGuest restoring() {
        return vm.restoring();
    }

    @Override
    public void expect(OwnerState to, long epoch, int since) {
        vm.expectTaken(to, epoch, since);
    }

    @Override
    public void adopt(Guest guest, long epoch, boolean paused) {
        vm.adoptTaken(guest, epoch, paused);
    }

    @Override
    public void leave() {
        vm.leave();
    }
}

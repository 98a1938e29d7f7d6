package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.VmSpec;

/// What a drill is to do.
///
/// @param hosts   hosts to start, at least 2
/// @param hops    hand-offs, round robin over the hosts
/// @param vm      the guest
/// @param compare whether to move the same guest by QEMU's own means too; QEMU guests only
/// @param keep    whether to leave the cluster running and its files in place
public record DrillPlan(int hosts, int hops, VmSpec vm, boolean compare, boolean keep) {
    public DrillPlan {
        requireNonNull(vm, "vm is null");
    }

    public boolean isLinux() {
        return vm.driver().equals("qemu");
    }
}

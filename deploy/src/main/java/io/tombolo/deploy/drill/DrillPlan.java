package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.VmSpec;

/// What a drill is to do.
///
/// @param hosts   hosts to start, at least 2
/// @param hops    hand-offs, round robin over the hosts
/// @param warmUp  hand-offs before those, checked like them and reported apart: while a JVM still compiles, its figures
///                are those of its compilers
/// @param vm      the guest
/// @param compare whether to move the same guest by QEMU's own means too; QEMU guests only
/// @param keep    whether to leave the cluster running and its files in place
/// @param baseMs  the figure that all timings of the cluster are derived from
/// @param clients how many clients ask the guest for things while it hops; 0 for a guest that serves none
public record DrillPlan(int hosts, int hops, int warmUp, VmSpec vm, boolean compare, boolean keep, int baseMs,
        int clients) {
    public DrillPlan {
        requireNonNull(vm, "vm is null");
        if (clients < 0 || (clients > 0 && !servesClients(vm))) {
            throw new IllegalArgumentException("clients: " + clients + " program=" + vm.program());
        }
    }

    /// Whether the guest's program knows operations of clients.
    public static boolean servesClients(VmSpec vm) {
        return vm.program().equals("kv") || vm.program().equals("bank");
    }

    public boolean isLinux() {
        return vm.driver().equals("qemu");
    }
}

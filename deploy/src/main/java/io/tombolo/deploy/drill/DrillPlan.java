package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.MigrateMode;
import io.tombolo.coordinator.wire.VmSpec;
import java.util.HashSet;
import java.util.List;
import java.util.UUID;

/// What a drill is to do.
///
/// @param hosts   hosts to start, at least 2
/// @param hops    migrations of each mode, round robin over the hosts
/// @param warmUp  hand-offs before those, checked like them and reported apart: while a JVM still compiles, its figures
///                are those of its compilers
/// @param movingWarmUp the same of migrations in which pages move, which cost many times as much
/// @param vm      the guest
/// @param compare whether to move the same guest by QEMU's own means too; QEMU guests only
/// @param keep    whether to leave the cluster running and its files in place
/// @param baseMs  the figure that all timings of the cluster are derived from
/// @param clients how many clients ask the guest for things while it hops; 0 for a guest that serves none
/// @param modes   how it migrates; several are gone through one after the other, each with a guest of its own that is
///                the same as the others but for its name
/// @param restMs  how long the guest is left alone before and after each migration, so that its speed then can be held
///                against that during the migration; 0: its speed is not measured
public record DrillPlan(int hosts, int hops, int warmUp, int movingWarmUp, VmSpec vm, boolean compare, boolean keep,
        int baseMs, int clients, List<MigrateMode> modes, int restMs) {
    public DrillPlan {
        requireNonNull(vm, "vm is null");
        modes = List.copyOf(modes);
        if (clients < 0 || (clients > 0 && !servesClients(vm))) {
            throw new IllegalArgumentException("clients: " + clients + " program=" + vm.program());
        }
        if (modes.isEmpty() || new HashSet<>(modes).size() != modes.size()) {
            throw new IllegalArgumentException("modes: " + modes);
        }
        if (restMs < 0) {
            throw new IllegalArgumentException("restMs: " + restMs);
        }
    }

    /// Plain hand-offs, and no look at the guest's speed.
    public DrillPlan(int hosts, int hops, int warmUp, VmSpec vm, boolean compare, boolean keep, int baseMs,
            int clients) {
        this(hosts, hops, warmUp, warmUp, vm, compare, keep, baseMs, clients, List.of(MigrateMode.HANDOFF), 0);
    }

    /// Whether the guest's program knows operations of clients.
    public static boolean servesClients(VmSpec vm) {
        return vm.program().equals("kv") || vm.program().equals("bank");
    }

    public boolean isLinux() {
        return vm.driver().equals("qemu");
    }

    /// Whether several modes are held against each other.
    public boolean comparesModes() {
        return modes.size() > 1;
    }

    /// Whether a guest of this drill begins in its host's own memory.
    public boolean needsLocalTier() {
        return modes.stream().anyMatch(mode -> mode != MigrateMode.HANDOFF);
    }

    /// The part of this drill that is about one mode. Its guest begins in its host's own memory unless it is handed
    /// over in shared memory.
    DrillPlan only(MigrateMode mode) {
        VmSpec guest = mode == MigrateMode.HANDOFF ? vm : vm.withTier("local");
        if (comparesModes()) {
            guest = new VmSpec(vm.name() + "-" + mode.text(), UUID.randomUUID(), guest.driver(), guest.memoryBytes(),
                    guest.vcpus(), guest.program(), guest.workingSetBytes(), guest.pattern(), guest.seed(),
                    guest.tier(), guest.pageBytes());
        }
        return new DrillPlan(hosts, hops, mode == MigrateMode.HANDOFF ? warmUp : movingWarmUp, movingWarmUp, guest,
                compare, keep, baseMs, clients, List.of(mode), restMs);
    }
}

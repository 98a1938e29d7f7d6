package io.tombolo.region;

import java.nio.file.Path;

/// What child JVMs of [TwoProcessTest] do.
final class RegionChild {
    /// A VM slot without a VM, whose echo word counts rounds.
    static final int PROGRESS_SLOT = 3;

    private RegionChild() {
    }

    /// `count FILE OFFSET TIMES` adds one by CAS; `churn FILE PAGES` claims a slot and creates and destroys VMs until
    /// it is killed.
    public static void main(String[] args) {
        try (Region region = Region.open(Path.of(args[1]), OpenOptions.ofCluster(TestRegions.CLUSTER))) {
            switch (args[0]) {
                case "count" -> count(region.memory(), Long.parseLong(args[2]), Integer.parseInt(args[3]));
                case "churn" -> churn(region, Long.parseLong(args[2]));
                default -> throw new IllegalArgumentException(args[0]);
            }
        }
    }

    private static void count(Memory memory, long offset, int times) {
        for (int i = 0; i < times; i++) {
            long now;
            do {
                now = memory.loadAcquire(offset);
            } while (!memory.compareAndSet(offset, now, now + 1));
        }
    }

    private static void churn(Region region, long pages) {
        ClaimedSlot own = HostSlots.claim(region, TestRegions.host("child"));
        for (long round = 1;; round++) {
            VmSlot vm = TestRegions.runningVm(region, own, "vm", pages);
            VmSlots.destroy(region, vm, vm.ownerAcquire());
            region.vm(PROGRESS_SLOT).echoRelease(round);
        }
    }
}

package io.tombolo.chaos.sim;

import io.tombolo.agent.handoff.HostedVm;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.region.Tier;
import java.util.List;

/// Somebody who asks a host for pages of its guests, to here or there, at times of his own.
final class SimMover {
    private static final long REST_NS = 6_000_000;
    private static final long LONG_REST_NS = 60_000_000;
    /// Enough is enough: steps cost time.
    private static final int CALLS_MAX = 60;
    private static final long BUSY_REST_NS = 150_000;

    private final World world;
    private final SimHost host;
    private final Rng rng;

    SimMover(World world, SimHost host) {
        this.world = world;
        this.host = host;
        this.rng = world.guestRng().split();
    }

    void work() {
        for (int calls = 0; !world.user().resting() && calls < CALLS_MAX; calls++) {
            world.scheduler().park(rng.between(20_000, restNs()));
            for (HostedVm vm : !world.troubles().armed() || world.user().resting() ? List.<HostedVm>of() : host.vms()) {
                if (!world.user().spares(vm.slotIndex())) {
                    vm.pages().ifPresent(pages -> move(vm, pages));
                }
            }
        }
    }

    private long restNs() {
        return world.plan().busyMovers() ? BUSY_REST_NS : world.plan().slow() ? LONG_REST_NS : REST_NS;
    }

    private void move(HostedVm vm, VmPages pages) {
        Tier to = rng.oneIn(2) ? Tier.SHARED : Tier.LOCAL;
        int count = (int) pages.table().pages();
        int first = rng.below(count);
        long[] numbers = new long[count - first];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (long) first + i;
        }
        host.pages().move(vm, pages, numbers, to, new int[numbers.length]);
    }
}

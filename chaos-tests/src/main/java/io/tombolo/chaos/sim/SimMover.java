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
    private static final long SAME_WISH_NS = 300_000;

    private final World world;
    private final SimHost host;
    private final Rng rng;

    SimMover(World world, SimHost host) {
        this.world = world;
        this.host = host;
        this.rng = world.guestRng().split();
    }

    void work() {
        for (int calls = 0; !world.user().resting() && calls < CALLS_MAX;) {
            world.scheduler().park(rng.between(20_000, restNs()));
            calls += world.troubles().armed() ? 1 : 0;
            for (HostedVm vm : !world.troubles().armed() || world.user().resting() ? List.<HostedVm>of() : host.vms()) {
                if (!world.user().spares(vm.slotIndex())) {
                    vm.pages().ifPresent(pages -> move(vm, pages));
                }
            }
        }
    }

    /// Whether pages are to become shared. Movers that get in each other's way want the same for a while.
    private boolean wish() {
        return world.plan().busyMovers() ? world.scheduler().nowNs() / SAME_WISH_NS % 2 == 0 : rng.oneIn(2);
    }

    private long restNs() {
        return world.plan().busyMovers() ? BUSY_REST_NS : world.plan().slow() ? LONG_REST_NS : REST_NS;
    }

    private void move(HostedVm vm, VmPages pages) {
        Tier to = wish() ? Tier.SHARED : Tier.LOCAL;
        int count = (int) pages.table().pages();
        int first = rng.below(count);
        long[] numbers = new long[count - first];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (long) first + i;
        }
        host.pages().move(vm, pages, numbers, to, new int[numbers.length]);
    }
}

package io.tombolo.chaos.sim;

import io.tombolo.agent.handoff.HostedVm;
import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.agent.pages.PageMover;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.region.Tier;
import java.util.List;

/// A host's mover thread: the shipped [PageMover], asked for pages of the host's guests at times of its own, or by a
/// transit. Does what HostPages does round it.
final class SimMover {
    private static final long REST_NS = 6_000_000;
    private static final long LONG_REST_NS = 60_000_000;
    /// Enough is enough: steps cost time.
    private static final int CALLS_MAX = 60;
    private static final long BUSY_REST_NS = 150_000;
    private static final long GIVE_UP_NS = 200_000;
    private static final long LOOK_NS = 400;

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
                host.moving(1);
                vm.pages().ifPresent(pages -> move(vm, pages));
                host.moving(-1);
            }
        }
    }

    private long restNs() {
        return world.plan().busyMovers() ? BUSY_REST_NS : world.plan().slow() ? LONG_REST_NS : REST_NS;
    }

    private void move(HostedVm vm, VmPages pages) {
        Tier to = world.user().wantsShared(pages.slot().index()) || rng.oneIn(2) ? Tier.SHARED : Tier.LOCAL;
        int count = (int) pages.table().pages();
        int first = world.user().wantsShared(pages.slot().index()) ? 0 : rng.below(count);
        long[] numbers = new long[count - first];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = (long) first + i;
        }
        int[] status = new int[numbers.length];
        try (CheckBoard.Checker checker = host.board().register("mover", () -> vm.ownsPages(pages))) {
            if (!checker.start()) {
                return;
            }
            long since = world.scheduler().nowNs();
            PageMover mover = new PageMover(host.region(), new GuestCopier(), () -> {
                world.scheduler().sleep(LOOK_NS);
                return checker.check() && world.scheduler().nowNs() - since < GIVE_UP_NS;
            }, Long.MAX_VALUE, numbers.length);
            boolean may = mover.move(pages, numbers, 0, numbers.length, to, status);
            world.trace(() -> host + ": vm" + pages.slot().index() + " pages from " + numbers[0] + " to " + to
                    + (may ? ": " + java.util.Arrays.toString(status) : ": no right"));
            world.moved(status, to);
        }
        try (CheckBoard.Checker checker = host.board().register("blocks", () -> true)) {
            if (checker.start()) {
                pages.trim();
            }
        }
    }
}

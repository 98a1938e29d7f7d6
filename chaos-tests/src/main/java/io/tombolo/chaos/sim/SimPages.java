package io.tombolo.chaos.sim;

import io.tombolo.agent.handoff.HostedVm;
import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.agent.pages.PageMover;
import io.tombolo.agent.pages.PagesError;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Bytes;
import io.tombolo.coordinator.wire.PageStatus;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TierStatus;
import io.tombolo.region.PageSize;
import io.tombolo.region.Tier;
import io.tombolo.region.TomboloException;
import java.util.List;

/// What a host answers when it is asked about pages: the shipped [PageMover], with round it what HostPages and
/// PageRequests do. On the actor of the request.
final class SimPages {
    private static final long GIVE_UP_NS = 200_000;
    private static final long LOOK_NS = 400;

    private final World world;
    private final SimHost host;

    SimPages(World world, SimHost host) {
        this.world = world;
        this.host = host;
    }

    Reply.PagesMoved move(AgentRequest.MovePages move) {
        HostedVm vm = hosted(move.vm());
        VmPages pages = vm.pages().orElseThrow();
        int[] status = new int[move.count()];
        int done = move.tier() == AgentRequest.MovePages.QUERY
                ? query(pages, move.firstPage(), status)
                : move(vm, pages, move.firstPage(), Tier.ofCode(move.tier()), status);
        byte[] codes = new byte[done];
        int notMoved = 0;
        for (int i = 0; i < done; i++) {
            codes[i] = (byte) status[i];
            notMoved += move.tier() != AgentRequest.MovePages.QUERY && status[i] != move.tier() ? 1 : 0;
        }
        return new Reply.PagesMoved(pages.table().pages(), pages.size().bytes(), done, notMoved, Bytes.owning(codes),
                Bytes.owning(new byte[done]));
    }

    private HostedVm hosted(String name) {
        return host.vms().stream().filter(vm -> vm.hosted() && vm.spec().name().equals(name)).findFirst()
                .filter(vm -> vm.pages().isPresent())
                .orElseThrow(() -> TomboloException.error(PagesError.PAGES_EPERM, "the VM does not run here")
                        .fact("vm", name).next("'tombolo vm show' tells who owns it").build());
    }

    private static int query(VmPages pages, long firstPage, int[] status) {
        for (int i = 0; i < status.length; i++) {
            status[i] = firstPage + i >= pages.table().pages()
                    ? PageStatus.EFAULT
                    : PageMover.where(pages.table().entryAcquire(firstPage + i));
        }
        return status.length;
    }

    private int move(HostedVm vm, VmPages pages, long firstPage, Tier to, int[] status) {
        long[] numbers = new long[status.length];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = firstPage + i;
        }
        if (!move(vm, pages, numbers, to, status)) {
            throw TomboloException.error(PagesError.PAGES_EPERM, "this host may not move pages of the VM now")
                    .fact("vm", vm.spec().name()).next("'tombolo vm show' tells who owns it").build();
        }
        return status.length;
    }

    /// Moves them. False if the host has no right to: nothing has moved then.
    boolean move(HostedVm vm, VmPages pages, long[] numbers, Tier to, int[] status) {
        host.moving(1);
        try {
            boolean may;
            try (CheckBoard.Checker checker = host.board().register("mover", () -> vm.ownsPages(pages))) {
                if (!checker.start()) {
                    return false;
                }
                long since = world.scheduler().nowNs();
                PageMover mover = new PageMover(host.region(), new GuestCopier(), () -> {
                    world.scheduler().sleep(LOOK_NS);
                    return checker.check() && world.scheduler().nowNs() - since < GIVE_UP_NS;
                }, Long.MAX_VALUE, numbers.length);
                may = mover.move(pages, numbers, 0, numbers.length, to, status);
            }
            boolean did = may;
            world.trace(() -> host + ": vm" + pages.slot().index() + " pages from " + numbers[0] + " to " + to
                    + (did ? ": " + java.util.Arrays.toString(status) : ": no right"));
            world.moved(status, to);
            return may;
        } finally {
            trim(pages);
            host.moving(-1);
        }
    }

    private void trim(VmPages pages) {
        try (CheckBoard.Checker checker = host.board().register("blocks", () -> true)) {
            if (checker.start()) {
                pages.trim();
            }
        }
    }

    Reply.TierList tiers() {
        return new Reply.TierList(List.of(
                new TierStatus("local", Tier.LOCAL.name(), "local", host.local().bytes(),
                        host.local().freeFrames() * PageSize.SMALL.bytes(), List.of()),
                new TierStatus("shared", Tier.SHARED.name(), "simulated",
                        host.region().superblock().frameCount() * PageSize.SMALL.bytes(),
                        host.region().allocator(host.slot()).freeFrames() * PageSize.SMALL.bytes(), List.of())));
    }
}

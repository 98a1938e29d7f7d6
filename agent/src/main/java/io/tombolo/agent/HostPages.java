package io.tombolo.agent;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.handoff.HostedVm;
import io.tombolo.agent.handoff.ProtectedVms;
import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.agent.pages.LocalTier;
import io.tombolo.agent.pages.PageMover;
import io.tombolo.agent.pages.PageService;
import io.tombolo.agent.pages.PagesError;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.region.PageSize;
import io.tombolo.region.Region;
import io.tombolo.region.Tier;
import io.tombolo.region.TomboloException;
import io.tombolo.region.os.Errno;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// [PageService] of an agent: its VMs, its tiers, its right. Every call that moves registers its thread on the board of
/// checks, because it stores to the region.
final class HostPages implements PageService {
    /// How long a mover waits for a vCPU to end its slice: thousands of slices, and far below the watchdog's time.
    private static final long GIVE_UP_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private final Region region;
    private final HostedVms vms;
    private final CheckBoard board;
    private final LocalTier local;
    private final GuestCopier copier;

    /// @param local this host's own tier; null if it has none
    HostPages(Region region, HostedVms vms, CheckBoard board, LocalTier local, GuestCopier copier) {
        this.region = requireNonNull(region, "region is null");
        this.vms = requireNonNull(vms, "vms is null");
        this.board = requireNonNull(board, "board is null");
        this.local = local;
        this.copier = requireNonNull(copier, "copier is null");
    }

    @Override
    public Moved move(String vm, long firstPage, int count, int tier, long budgetNs) {
        HostedVm hosted = hosted(vm);
        VmPages pages = pages(hosted);
        if (count > MAX_CALL_PAGES) {
            throw TomboloException.error(PagesError.PAGES_E2BIG, "too many pages in one call").fact("vm", vm)
                    .fact("count", count).fact("limit", MAX_CALL_PAGES).next("ask for fewer at a time").build();
        }
        int[] status = new int[count];
        int done = tier == QUERY
                ? query(pages, firstPage, count, status)
                : move(hosted, pages, firstPage, target(vm, tier), budgetNs, status);
        byte[] codes = new byte[done];
        byte[] bits = new byte[done];
        int notMoved = 0;
        for (int i = 0; i < done; i++) {
            codes[i] = (byte) status[i];
            boolean exists = firstPage + i < pages.table().pages();
            bits[i] = exists ? (byte) pages.bits().get(firstPage + i) : 0;
            notMoved += tier != QUERY && status[i] != tier ? 1 : 0;
        }
        return new Moved(pages.table().pages(), pages.size().bytes(), done, notMoved, codes, bits);
    }

    private HostedVm hosted(String vm) {
        try {
            return vms.byName(vm);
        } catch (TomboloException e) {
            if (e.code() != AgentError.VM_NOT_ON_HOST) {
                throw e;
            }
            throw notHere(vm).cause(e).build();
        }
    }

    private static TomboloException.Builder notHere(String vm) {
        return TomboloException.error(PagesError.PAGES_ESRCH, "the VM is not on this host").fact("vm", vm)
                .next("'tombolo vm show " + vm + "' tells where it is");
    }

    private static VmPages pages(HostedVm hosted) {
        return hosted.pages().orElseThrow(() -> {
            // It may have left between the two looks.
            if (!hosted.hosted()) {
                return notHere(hosted.spec().name()).build();
            }
            return TomboloException.error(PagesError.PAGES_ENODEV, "the pages of this VM cannot move")
                    .fact("vm", hosted.spec().name()).fact("driver", hosted.spec().driver())
                    .next("only the simulated driver has tiers").build();
        });
    }

    private Tier target(String vm, int code) {
        Tier tier = Tier.ofCode(code);
        if (tier == null) {
            throw TomboloException.error(PagesError.PAGES_EINVAL, "there is no such tier").fact("vm", vm)
                    .fact("tier", code).fact("expected", "0 shared, 1 local").next("name one of them").build();
        }
        if (tier == Tier.LOCAL && local == null) {
            throw TomboloException.error(PagesError.PAGES_ENODEV, "this host has no local tier").fact("vm", vm)
                    .next("'tombolo tier list' shows the tiers of every host").build();
        }
        return tier;
    }

    private static int query(VmPages pages, long firstPage, int count, int[] status) {
        for (int i = 0; i < count; i++) {
            long page = firstPage + i;
            status[i] = page >= pages.table().pages()
                    ? -Errno.EFAULT
                    : PageMover.where(pages.table().entryAcquire(page));
        }
        return count;
    }

    private int move(HostedVm hosted, VmPages pages, long firstPage, Tier to, long budgetNs, int[] status) {
        long[] numbers = new long[status.length];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = firstPage + i;
        }
        ProtectedVms.requireMovablePages(pages.slot(), hosted.spec().name());
        try (CheckBoard.Checker checker = board.register("mover " + hosted.spec().name(),
                () -> hosted.ownsPages(pages) && !ProtectedVms.havePagesToStay(pages.slot()))) {
            if (!checker.start()) {
                throw noRight(hosted);
            }
            return move(new PageMover(region, copier, checker::check, GIVE_UP_NS, PageMover.SMALL_BATCH), hosted,
                    pages, numbers, to, budgetNs, status);
        } finally {
            trim(pages);
        }
    }

    /// A host that keeps blocks keeps the VM's next host from moving the pages in them; so also when the VM has left.
    /// But a host without its right stores nothing: recovery gives back what it has.
    private void trim(VmPages pages) {
        try (CheckBoard.Checker checker = board.register("blocks", () -> true)) {
            if (checker.start()) {
                pages.trim();
            }
        }
    }

    private static int move(PageMover mover, HostedVm hosted, VmPages pages, long[] numbers, Tier to, long budgetNs,
            int[] status) {
        long since = System.nanoTime();
        int step = mover.batch(pages);
        int done = 0;
        while (done < numbers.length) {
            int count = Math.min(step, numbers.length - done);
            if (!mover.move(pages, numbers, done, count, to, status)) {
                if (done == 0) {
                    throw noRight(hosted);
                }
                return done;
            }
            done += count;
            if (System.nanoTime() - since > budgetNs || Thread.currentThread().isInterrupted()) {
                return done;
            }
        }
        return done;
    }

    private static TomboloException noRight(HostedVm hosted) {
        return TomboloException.error(PagesError.PAGES_EPERM, "this host may not move pages of the VM now")
                .fact("vm", hosted.spec().name())
                .next("'tombolo vm show' tells who owns it, 'tombolo host show' whether"
                        + " the host's right has lapsed")
                .build();
    }

    @Override
    public void pin(String vm, long firstPage, long count) {
        HostedVm hosted = hosted(vm);
        VmPages pages = pages(hosted);
        changePins(hosted, pages, () -> pages.pins().pin(firstPage, count));
    }

    @Override
    public void unpin(String vm, long firstPage, long count) {
        HostedVm hosted = hosted(vm);
        VmPages pages = pages(hosted);
        changePins(hosted, pages, () -> pages.pins().unpin(firstPage, count));
    }

    /// One thread at a time changes the pins of a host's VMs, and only with the right to store.
    private synchronized void changePins(HostedVm hosted, VmPages pages, Runnable change) {
        try (CheckBoard.Checker checker = board.register("pins " + hosted.spec().name(),
                () -> hosted.ownsPages(pages))) {
            if (!checker.start()) {
                throw noRight(hosted);
            }
            if (!pages.enter(checker::check)) {
                throw TomboloException.error(PagesError.PAGES_EPERM, "the VM is being handed over")
                        .fact("vm", hosted.spec().name()).next("ask its new host").build();
            }
            try {
                change.run();
            } finally {
                pages.leave();
            }
        }
    }

    @Override
    public List<Pinned> pins(String vm) {
        return hosted(vm).pages().map(pages -> pages.pins().list().stream()
                .map(range -> new Pinned(range.first(), range.count(), range.pins())).toList()).orElse(List.of());
    }

    @Override
    public List<TierFacts> tiers() {
        List<Use> localUses = new ArrayList<>();
        List<Use> sharedUses = new ArrayList<>();
        for (HostedVm vm : vms.hosted()) {
            vm.pages().ifPresent(pages -> {
                long here = pages.slot().localPagesAcquire();
                long there = pages.table().pages() - here;
                long bytes = pages.size().bytes();
                if (here > 0) {
                    localUses.add(new Use(vm.spec().name(), here, here * bytes));
                }
                if (there > 0) {
                    sharedUses.add(new Use(vm.spec().name(), there, there * bytes));
                }
            });
        }
        List<TierFacts> tiers = new ArrayList<>();
        if (local != null) {
            tiers.add(new TierFacts("local", Tier.LOCAL.name(), local.file().toString(), local.bytes(),
                    local.freeFrames() * PageSize.SMALL.bytes(), localUses));
        }
        tiers.add(new TierFacts("shared", Tier.SHARED.name(), region.file().toString(),
                region.superblock().frameCount() * PageSize.SMALL.bytes(),
                region.allocator(vms.hostSlot()).freeFrames() * PageSize.SMALL.bytes(), sharedUses));
        return tiers;
    }
}

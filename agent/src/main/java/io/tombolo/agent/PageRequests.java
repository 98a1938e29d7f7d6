package io.tombolo.agent;

import io.tombolo.agent.pages.PageService;
import io.tombolo.agent.pages.PagesError;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Bytes;
import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TierStatus;
import io.tombolo.region.Tier;
import io.tombolo.region.TomboloException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// Requests about pages, on the wire, to calls of a [PageService], on a few threads of its own: a move copies for as
/// long as its budget lasts, and neither an event loop nor the carrier threads of other requests must wait for it.
/// What does not fit the queue is refused. Thread safe.
final class PageRequests implements AutoCloseable {
    /// One mover fills the memory bus at 2 MiB pages; a second one keeps short calls from waiting for a long one.
    static final int THREADS = 2;
    /// Calls that wait for a thread; each of them is answered within the budgets of those before it.
    static final int QUEUED = 16;
    private static final int MAX_BUDGET_MS = 10_000;

    private final Optional<PageService> pages;
    private final ThreadPoolExecutor movers;

    /// @param pages empty when no driver of this host can move pages
    PageRequests(Optional<PageService> pages) {
        this.pages = pages;
        this.movers = new ThreadPoolExecutor(THREADS, THREADS, 10, TimeUnit.SECONDS, new ArrayBlockingQueue<>(QUEUED),
                Thread.ofPlatform().daemon().name("pages-", 0).factory());
        movers.allowCoreThreadTimeOut(true);
    }

    CompletableFuture<Reply.PagesMoved> move(AgentRequest.MovePages move) {
        requireRange(move.vm(), move.firstPage(), move.count());
        if (move.count() > PageService.MAX_CALL_PAGES) {
            throw TomboloException.error(PagesError.PAGES_E2BIG, "too many pages for one call").fact("vm", move.vm())
                    .fact("count", move.count()).fact("limit", PageService.MAX_CALL_PAGES)
                    .next("ask for the pages in several calls").build();
        }
        if (move.tier() != PageService.QUERY && Tier.ofCode(move.tier()) == null) {
            throw TomboloException.error(PagesError.PAGES_EINVAL, "no tier has that code").fact("vm", move.vm())
                    .fact("tier", move.tier()).fact("expected", "0 (shared), 1 (local), -1 (query)")
                    .next("correct the tier").build();
        }
        if (move.budgetMs() < 0 || move.budgetMs() > MAX_BUDGET_MS) {
            throw TomboloException.error(PagesError.PAGES_EINVAL, "a call cannot have that much time")
                    .fact("vm", move.vm()).fact("budgetMs", move.budgetMs()).fact("expected", "0 to " + MAX_BUDGET_MS)
                    .next("ask again for what was not done").build();
        }
        PageService service = service();
        return run(() -> {
            PageService.Moved moved = service.move(move.vm(), move.firstPage(), move.count(), move.tier(),
                    TimeUnit.MILLISECONDS.toNanos(move.budgetMs()));
            return new Reply.PagesMoved(moved.vmPages(), moved.pageBytes(), moved.done(), moved.notMoved(),
                    Bytes.owning(moved.status()), Bytes.owning(moved.bits()));
        });
    }

    CompletableFuture<Reply.Ack> pin(AgentRequest.PinPages pin) {
        requireRange(pin.vm(), pin.firstPage(), pin.count());
        PageService service = service();
        return run(() -> {
            if (pin.pin()) {
                service.pin(pin.vm(), pin.firstPage(), pin.count());
            } else {
                service.unpin(pin.vm(), pin.firstPage(), pin.count());
            }
            return new Reply.Ack();
        });
    }

    /// A host that cannot move pages has none pinned.
    CompletableFuture<Reply.PinList> pins(String vm) {
        return pages.map(service -> run(() -> new Reply.PinList(service.pins(vm).stream()
                .map(pinned -> new Reply.PinnedRange(pinned.firstPage(), pinned.count(), pinned.pins())).toList())))
                .orElseGet(() -> CompletableFuture.completedFuture(new Reply.PinList(List.of())));
    }

    /// A host that cannot move pages has no tier to move them to.
    CompletableFuture<Reply.TierList> tiers() {
        return pages.map(service -> run(() -> new Reply.TierList(service.tiers().stream().map(PageRequests::tier)
                .toList()))).orElseGet(() -> CompletableFuture.completedFuture(new Reply.TierList(List.of())));
    }

    private static TierStatus tier(PageService.TierFacts facts) {
        return new TierStatus(facts.name(), facts.type(), facts.where(), facts.bytes(), facts.freeBytes(),
                facts.uses().stream().map(use -> new TierStatus.TierUse(use.vm(), use.pages(), use.bytes())).toList());
    }

    private static void requireRange(String vm, long firstPage, long count) {
        // The end must be a number too.
        if (firstPage < 0 || count <= 0 || firstPage > Long.MAX_VALUE - count) {
            throw TomboloException.error(PagesError.PAGES_EINVAL, "a range of pages cannot be like that")
                    .fact("vm", vm).fact("firstPage", firstPage).fact("count", count)
                    .fact("expected", "a first page from 0 and a count from 1").next("correct the range").build();
        }
    }

    private PageService service() {
        return pages.orElseThrow(() -> TomboloException
                .error(PagesError.PAGES_ENODEV, "no driver of this host can move pages")
                .next("'tombolo tier list' shows the tiers of every host").build());
    }

    private <T> CompletableFuture<T> run(Supplier<T> call) {
        try {
            return CompletableFuture.supplyAsync(call, movers);
        } catch (RejectedExecutionException e) {
            throw TomboloException
                    .error(AgentError.PAGES_TOO_MANY_CALLS, "this host has too many calls about pages in hand")
                    .fact("running", THREADS).fact("queued", QUEUED).next("try again in a moment").cause(e).build();
        }
    }

    /// Interrupts what runs: a move ends after its batch.
    @Override
    public void close() {
        movers.shutdownNow();
    }
}

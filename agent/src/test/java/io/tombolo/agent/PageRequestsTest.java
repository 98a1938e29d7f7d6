package io.tombolo.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.tombolo.agent.pages.PageService;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class PageRequestsTest {
    private final FakePages pages = new FakePages();
    private final PageRequests requests = new PageRequests(Optional.of(pages));

    /// A VM of eight pages, without memory.
    private static final class FakePages implements PageService {
        private final byte[] tiers = new byte[8];
        private final List<Pinned> pins = new ArrayList<>();
        private final CountDownLatch gate = new CountDownLatch(1);
        private volatile boolean closed;
        private volatile long budgetNs;

        @Override
        public synchronized Moved move(String vm, long firstPage, int count, int tier, long budget) {
            budgetNs = budget;
            byte[] status = new byte[count];
            for (int i = 0; i < count; i++) {
                if (tier != QUERY) {
                    tiers[(int) firstPage + i] = (byte) tier;
                }
                status[i] = tiers[(int) firstPage + i];
            }
            return new Moved(tiers.length, 4096, count, 0, status, new byte[count]);
        }

        @Override
        public synchronized void pin(String vm, long firstPage, long count) {
            pins.add(new Pinned(firstPage, count, 1));
        }

        @Override
        public synchronized void unpin(String vm, long firstPage, long count) {
            pins.removeIf(pin -> pin.firstPage() == firstPage && pin.count() == count);
        }

        @Override
        public synchronized List<Pinned> pins(String vm) {
            return List.copyOf(pins);
        }

        @Override
        public List<TierFacts> tiers() {
            if (closed) {
                try {
                    gate.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            return List.of(new TierFacts("local", "LOCAL", "/x", 1 << 20, 4096, List.of(new Use("v", 3, 12_288))));
        }
    }

    @AfterEach
    void close() {
        pages.gate.countDown();
        requests.close();
    }

    private static AgentRequest.MovePages move(long first, int count, int tier) {
        return new AgentRequest.MovePages("v", first, count, tier, 200);
    }

    private static String codeOf(ThrowingCallable action) {
        return Errors.codeOf(catchThrowable(action));
    }

    @Test
    void movesAndQueriesThroughTheService() {
        Reply.PagesMoved moved = requests.move(move(2, 3, 1)).join();
        assertThat(moved.vmPages()).isEqualTo(8);
        assertThat(moved.done()).isEqualTo(3);
        assertThat(pages.budgetNs).isEqualTo(TimeUnit.MILLISECONDS.toNanos(200));
        Reply.PagesMoved seen = requests.move(move(0, 8, PageService.QUERY)).join();
        assertThat(seen.status().at(1)).isZero();
        assertThat(seen.status().at(2)).isEqualTo((byte) 1);
        assertThat(seen.bits().length()).isEqualTo(8);
    }

    @Test
    void pinsUnpinsAndListsTiers() {
        requests.pin(new AgentRequest.PinPages("v", 1, 2, true)).join();
        assertThat(requests.pins("v").join().ranges()).containsExactly(new Reply.PinnedRange(1, 2, 1));
        requests.pin(new AgentRequest.PinPages("v", 1, 2, false)).join();
        assertThat(requests.pins("v").join().ranges()).isEmpty();
        assertThat(requests.tiers().join().tiers()).singleElement().satisfies(tier -> {
            assertThat(tier.freeBytes()).isEqualTo(4096);
            assertThat(tier.uses()).singleElement().satisfies(use -> assertThat(use.pages()).isEqualTo(3));
        });
    }

    @Test
    void refusesRangesTiersAndBudgetsThatCannotBe() {
        for (AgentRequest.MovePages bad : List.of(move(-1, 1, 0), move(0, 0, 0), move(0, -1, 0),
                move(Long.MAX_VALUE, 1, 0), move(0, 1, 2), move(0, 1, -2),
                new AgentRequest.MovePages("v", 0, 1, 0, -1), new AgentRequest.MovePages("v", 0, 1, 0, 60_000))) {
            assertThat(codeOf(() -> requests.move(bad))).as(bad.toString()).isEqualTo("PAGES_EINVAL");
        }
        assertThat(codeOf(() -> requests.move(move(0, PageService.MAX_CALL_PAGES + 1, 0)))).isEqualTo("PAGES_E2BIG");
        assertThat(codeOf(() -> requests.pin(new AgentRequest.PinPages("v", 3, 0, true)))).isEqualTo("PAGES_EINVAL");
        assertThat(pages.pins).isEmpty();
    }

    @Test
    void aHostWithoutMovablePagesSaysSo() {
        try (PageRequests none = new PageRequests(Optional.empty())) {
            assertThat(codeOf(() -> none.move(move(0, 1, 0)))).isEqualTo("PAGES_ENODEV");
            assertThat(codeOf(() -> none.pin(new AgentRequest.PinPages("v", 0, 1, true)))).isEqualTo("PAGES_ENODEV");
            assertThat(none.pins("v").join().ranges()).isEmpty();
            assertThat(none.tiers().join().tiers()).isEmpty();
        }
    }

    @Test
    void refusesOneCallMoreThanItsThreadsAndItsQueueHold() {
        pages.closed = true;
        List<CompletableFuture<Reply.TierList>> calls = new ArrayList<>();
        for (int i = 0; i < PageRequests.THREADS + PageRequests.QUEUED; i++) {
            calls.add(requests.tiers());
        }
        assertThat(codeOf(requests::tiers)).isEqualTo("PAGES_TOO_MANY_CALLS");
        pages.gate.countDown();
        calls.forEach(call -> assertThat(call.join().tiers()).hasSize(1));
        assertThat(requests.tiers().join().tiers()).hasSize(1);
    }
}

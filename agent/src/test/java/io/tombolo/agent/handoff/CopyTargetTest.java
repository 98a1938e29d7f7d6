package io.tombolo.agent.handoff;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.tombolo.agent.handoff.HostPorts.PageLink;
import io.tombolo.agent.handoff.HostPorts.Peer;
import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.agent.pages.HugePages;
import io.tombolo.agent.pages.LocalTier;
import io.tombolo.agent.right.CheckBoard;
import io.tombolo.coordinator.wire.AgentRequest;
import io.tombolo.coordinator.wire.AgentRequest.CopyPages;
import io.tombolo.coordinator.wire.AgentRequest.CopyRun;
import io.tombolo.coordinator.wire.Bytes;
import io.tombolo.region.FormatOptions;
import io.tombolo.region.HostIdentity;
import io.tombolo.region.HostSlots;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.PageSize;
import io.tombolo.region.PageTable;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.Region;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmIdentity;
import io.tombolo.region.VmMemory;
import io.tombolo.region.VmSlot;
import io.tombolo.region.VmSlots;
import io.tombolo.region.WatchdogBound;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CopyTargetTest {
    private static final int PAGES = 512;
    private static final long INTENT = 7;
    private static final long EPOCH = 3;

    @TempDir
    Path directory;

    private Region region;
    private LocalTier source;
    private LocalTier local;
    private PageTable table;
    private CheckBoard.Checker checker;
    private CopyTarget target;

    @BeforeEach
    void start() {
        UUID cluster = new UUID(1, 2);
        Path file = directory.resolve("region");
        Region.format(file, FormatOptions.of(cluster, 8 << 20));
        region = Region.open(file, OpenOptions.ofCluster(cluster));
        int host = HostSlots.claim(region, new HostIdentity(new UUID(3, 4), "ant", new UUID(5, 6), 1,
                WatchdogBound.UNKNOWN)).slot();
        source = LocalTier.open(directory.resolve("source"), 4 << 20, HugePages.NONE);
        local = LocalTier.open(directory.resolve("local"), 4 << 20, HugePages.NONE);
        VmSlot slot = VmSlots.claim(region, host);
        VmMemory.populate(region, region.allocator(host), slot,
                VmIdentity.frames(new UUID(7, 8), "vm", PAGES * 4096L, PageSize.SMALL, 1, "simulated"),
                source.zeroed());
        table = slot.pageTable();
        // A board whose gate never opens: nothing may be stored.
        checker = new CheckBoard(() -> 1, () -> 0, 0, 1).register("test", () -> true);
        target = CopyTarget.take(new Link(), table, INTENT, EPOCH);
    }

    @AfterEach
    void stop() {
        region.close();
        source.close();
        local.close();
    }

    private final class Link implements PageLink {
        private final GuestCopier copier = new GuestCopier();

        @Override
        public GuestCopier copier() {
            return copier;
        }

        @Override
        public LocalTier local() {
            return local;
        }

        @Override
        public CompletableFuture<?> send(Peer to, AgentRequest request) {
            throw new UnsupportedOperationException("a target sends no pages");
        }
    }

    private static CopyPages pages(List<CopyRun> runs, int bytes) {
        byte[] ones = new byte[bytes];
        Arrays.fill(ones, (byte) 1);
        return new CopyPages(INTENT, 0, EPOCH, runs, Bytes.owning(ones));
    }

    private void refuses(CopyPages pages) {
        byte[] before = local.data().toArray(ValueLayout.JAVA_BYTE);
        assertThatThrownBy(() -> target.store(pages)).isInstanceOfSatisfying(TomboloException.class,
                e -> assertThat(e.code()).isEqualTo(HandoffError.TARGET_REFUSED));
        assertThat(MemorySegment.ofArray(before).mismatch(local.data())).isEqualTo(-1);
    }

    @Test
    void refusesPagesThatDoNotFitTheVmOrTheirBytes() {
        refuses(pages(List.of(new CopyRun(-1, 1, false)), 4096));
        refuses(pages(List.of(new CopyRun(PAGES, 1, false)), 4096));
        refuses(pages(List.of(new CopyRun(PAGES - 1, 2, false)), 8192));
        refuses(pages(List.of(new CopyRun(0, 0, false)), 0));
        refuses(pages(List.of(new CopyRun(0, -1, true)), 0));
        refuses(pages(List.of(new CopyRun(Long.MAX_VALUE, Integer.MAX_VALUE, true)), 0));
        refuses(pages(List.of(new CopyRun(0, 2, false)), 4096));
        refuses(pages(List.of(new CopyRun(0, 1, true)), 4096));
        refuses(pages(List.of(new CopyRun(0, 1, false), new CopyRun(PAGES, 1, true)), 4096));
    }

    @Test
    void refusesPagesOfAnotherIntentOrEpoch() {
        refuses(new CopyPages(INTENT + 1, 0, EPOCH, List.of(new CopyRun(0, 1, true)), Bytes.EMPTY));
        refuses(new CopyPages(INTENT, 0, EPOCH + 1, List.of(new CopyRun(0, 1, true)), Bytes.EMPTY));
        target.store(new CopyPages(INTENT, 0, EPOCH, List.of(new CopyRun(0, 1, true)), Bytes.EMPTY));
    }

    @Test
    void isNotSealedWhileAPageIsMissing() {
        target.store(pages(List.of(new CopyRun(0, 200, false), new CopyRun(201, PAGES - 201, true)), 200 * 4096));
        assertThatThrownBy(() -> target.seal(INTENT, EPOCH)).hasMessageContaining("page 200 has not arrived");
        assertThat(target.isSealed()).isFalse();
        target.store(pages(List.of(new CopyRun(200, 1, false)), 4096));
        assertThatThrownBy(() -> target.seal(INTENT, EPOCH + 1)).isInstanceOf(TomboloException.class);
        target.seal(INTENT, EPOCH);
        assertThat(target.isSealed()).isTrue();
    }

    @Test
    void takesNoPageAfterTheSealAndNoneAfterTheEnd() {
        seal();
        refuses(pages(List.of(new CopyRun(0, 1, false)), 4096));
        target.close();
        assertThat(local.freeFrames()).isEqualTo(2 * PAGES);
        refuses(pages(List.of(new CopyRun(0, 1, false)), 4096));
        target.close();
        assertThat(local.freeFrames()).isEqualTo(2 * PAGES);
    }

    @Test
    void takesAllFramesOrNone() {
        // One frame of the second half is somebody's.
        assertThat(local.take(PageSize.SMALL, 1, new long[1])).isEqualTo(1);
        assertThatThrownBy(() -> CopyTarget.take(new Link(), table, INTENT, EPOCH))
                .hasMessageContaining("neededPages=" + PAGES).hasMessageContaining("freePages=" + (PAGES - 1));
        assertThat(local.freeFrames()).isEqualTo(PAGES - 1);
    }

    /// Whoever has no right stores nothing, and does not give back frames that entries may name.
    @Test
    void aThreadThatIsStoppedWithoutTheRightLeavesEveryEntryAsItIs() {
        seal();
        long[] before = entries();
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> target.install(checker)).hasMessageContaining("no right to store");
        assertThat(Thread.interrupted()).isTrue();
        assertThat(entries()).isEqualTo(before);
        assertThat(target.isSealed()).isFalse();
        target.close();
        assertThat(local.freeFrames()).isEqualTo(PAGES);
    }

    @Test
    void isNotSealedWithAPageThatIsOnTheMove() {
        target.store(pages(List.of(new CopyRun(0, PAGES, true)), 0));
        long entry = table.entryAcquire(9);
        assertThat(table.compareAndSet(9, entry, PageTableEntry.with(entry, PteState.MIGRATING))).isTrue();
        assertThatThrownBy(() -> target.seal(INTENT, EPOCH)).hasMessageContaining("page 9 has not arrived: MIGRATING");
    }

    private void seal() {
        target.store(pages(List.of(new CopyRun(0, PAGES, true)), 0));
        target.seal(INTENT, EPOCH);
    }

    private long[] entries() {
        long[] all = new long[PAGES];
        Arrays.setAll(all, page -> table.entryAcquire(page));
        return all;
    }
}

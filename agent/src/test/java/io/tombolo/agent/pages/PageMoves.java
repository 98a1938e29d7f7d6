package io.tombolo.agent.pages;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.region.PageTableEntry;
import io.tombolo.region.PteState;
import io.tombolo.region.Tier;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;

/// What several tests of page moves need: contents that can be told from each other, and the books of frames.
final class PageMoves {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG;

    private PageMoves() {
    }

    /// Every word of every page says which page and which word of it it is.
    static void fill(TestVm vm) {
        for (long page = 0; page < vm.pages.table().pages(); page++) {
            MemorySegment bytes = bytes(vm, page);
            for (long at = 0; at < bytes.byteSize(); at += 8) {
                bytes.set(WORD, at, word(page, at));
            }
        }
    }

    private static long word(long page, long at) {
        return (page + 1) * 0x9E37_79B9_7F4A_7C15L + at;
    }

    static void check(TestVm vm) {
        check(vm, true);
    }

    /// Of the pages in shared memory alone.
    static void checkShared(TestVm vm) {
        check(vm, false);
    }

    private static void check(TestVm vm, boolean local) {
        for (long page = 0; page < vm.pages.table().pages(); page++) {
            if (!local && tierOf(vm, page) == Tier.LOCAL) {
                continue;
            }
            MemorySegment bytes = bytes(vm, page);
            for (long at = 0; at < bytes.byteSize(); at += 8) {
                if (bytes.get(WORD, at) != word(page, at)) {
                    throw new AssertionError("page " + page + " offset " + at + ": " + bytes.get(WORD, at) + ", not "
                            + word(page, at) + "; " + PageTableEntry.describe(vm.pages.table().entryAcquire(page)));
                }
            }
        }
    }

    private static MemorySegment bytes(TestVm vm, long page) {
        long entry = vm.pages.table().entryAcquire(page);
        assertThat(PageTableEntry.isPresent(entry)).as(PageTableEntry.describe(entry)).isTrue();
        MemorySegment tier = PageTableEntry.isPresentShared(entry) ? vm.pages.shared() : vm.pages.localData();
        return tier.asSlice(PageTableEntry.frame(entry) * 4096, vm.pages.size().bytes());
    }

    static Tier tierOf(TestVm vm, long page) {
        return PageTableEntry.tier(vm.pages.table().entryAcquire(page));
    }

    /// The bytes of the region's file.
    static MemorySegment snapshot(TestVm vm) {
        try {
            return MemorySegment.ofArray(Files.readAllBytes(vm.region.file()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Frames of both tiers, as they were when it was opened: no move makes them more or fewer.
    static final class Account {
        private final TestVm vm;
        private final long sharedFrames;
        private final long localFrames;

        Account(TestVm vm) {
            this.vm = vm;
            this.sharedFrames = vm.allocator.freeFrames() + pages(Tier.SHARED) * vm.pages.size().frames();
            this.localFrames = vm.local.freeFrames() + pages(Tier.LOCAL) * vm.pages.size().frames();
        }

        private long pages(Tier tier) {
            long count = 0;
            for (long page = 0; page < vm.pages.table().pages(); page++) {
                count += tierOf(vm, page) == tier ? 1 : 0;
            }
            return count;
        }

        /// While no move is under way.
        void check() {
            for (long page = 0; page < vm.pages.table().pages(); page++) {
                long entry = vm.pages.table().entryAcquire(page);
                assertThat(PageTableEntry.state(entry)).as("page %d", page).isEqualTo(PteState.PRESENT);
            }
            assertThat(vm.slot.localPagesAcquire()).as("local_pages").isEqualTo(pages(Tier.LOCAL));
            assertThat(vm.pages.gate().wordAcquire()).as("gate").isZero();
            assertThat(vm.allocator.freeFrames() + pages(Tier.SHARED) * vm.pages.size().frames())
                    .as("frames of the region").isEqualTo(sharedFrames);
            assertThat(vm.local.freeFrames() + pages(Tier.LOCAL) * vm.pages.size().frames())
                    .as("frames of the local tier").isEqualTo(localFrames);
            assertThat(vm.findings()).isEmpty();
            vm.allocator.trim();
            assertThat(vm.findings()).isEmpty();
        }
    }
}

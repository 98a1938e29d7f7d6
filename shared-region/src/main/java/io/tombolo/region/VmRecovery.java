package io.tombolo.region;

import java.util.ArrayList;
import java.util.List;

/// The part of [Recovery] that walks one VM's table. One thread.
final class VmRecovery {
    private final List<PageRange> lost = new ArrayList<>();
    private long localPages;
    private long unmarked;
    private long first;
    private long length;

    private VmRecovery() {
    }

    static Recovery.VmReport recover(Region region, VmSlot vm, Runnable check) {
        VmRecovery recovery = new VmRecovery();
        VmIdentity identity = vm.readIdentity();
        if (identity.tableFrames() > 0) {
            recovery.walk(region, new PageTable(region, vm.index(), identity), check);
        }
        // Persisted by the change of the owner word that follows.
        vm.setLocalPages(recovery.localPages);
        vm.pins().recover();
        vm.gate().reset();
        return new Recovery.VmReport(vm.index(), recovery.localPages, List.copyOf(recovery.lost), recovery.unmarked);
    }

    private void walk(Region region, PageTable table, Runnable check) {
        FrameWords words = new FrameWords();
        for (long page = 0; page < table.pages(); page += FrameWords.COUNT) {
            check.run();
            look(table, page, words);
        }
        endRange();
        region.memory().fence();
    }

    /// Of its own, so that it is compiled code after a few frames even if something in one of them ends the code that
    /// was compiled before.
    private void look(PageTable table, long page, FrameWords words) {
        int count = (int) Math.min(FrameWords.COUNT, table.pages() - page);
        table.copyOut(page, words.bytes(), count);
        long[] entries = words.decoded();
        for (int i = 0; i < count; i++) {
            if (!PageTableEntry.isPresentShared(entries[i])) {
                look(table, page + i, entries[i]);
            }
        }
    }

    private void look(PageTable table, long page, long entry) {
        if (PageTableEntry.state(entry) == PteState.MIGRATING || PageTableEntry.state(entry) == PteState.COPYING) {
            unmark(table, page, entry);
        }
        if (PageTableEntry.state(entry) != PteState.ABSENT && PageTableEntry.tier(entry) == Tier.LOCAL) {
            count(page);
        }
    }

    private void unmark(PageTable table, long page, long entry) {
        if (table.compareAndSet(page, entry, PageTableEntry.pack(PteState.PRESENT, PageTableEntry.tier(entry),
                PageTableEntry.frame(entry), PageTableEntry.nextTag(entry), PageTableEntry.flags(entry)))) {
            unmarked++;
        }
        table.writeBack(page, 1);
    }

    private void count(long page) {
        if (localPages > 0 && page == first + length) {
            length++;
        } else {
            endRange();
            first = page;
            length = 1;
        }
        localPages++;
    }

    private void endRange() {
        if (length > 0 && lost.size() < Recovery.LOST_RANGES_MAX) {
            lost.add(new PageRange(first, length));
        }
        length = 0;
    }
}

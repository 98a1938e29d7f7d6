package io.tombolo.region;

/// Takes a protected VM back to its last commit: points the entries of the pages that the open interval wrote back at
/// their old frames, and gives all pre-images back. No page is copied. By the host that has the VM in RECOVERING, after
/// every owner in doubt is confirmed stopped and its frames were recovered; can be repeated from any point.
///
/// Order: entries, persisted; then the words of old frames, then those of new ones. A new frame is free only when no
/// entry names it.
final class Rollback {
    private final Region region;
    private final PageTable table;
    private final PreimageLog log;
    private final long open;

    private Rollback(Region region, PageTable table, PreimageLog log, long open) {
        this.region = region;
        this.table = table;
        this.log = log;
        this.open = open;
    }

    /// Returns how many pages were written in the interval that is rolled back.
    static long run(Region region, VmSlot vm) {
        VmSlot.LogPlace place = Protection.requirePlace(region, vm);
        PageTable table = new PageTable(region, vm.index(), vm.readIdentity());
        long open = CommitWord.interval(vm.commitAcquire()) + 1;
        return new Rollback(region, table, new PreimageLog(region, place), open).run();
    }

    private long run() {
        long pages = 0;
        for (long position = 0; position < log.capacity(); position++) {
            PreimageLog.Entry entry = log.read(position);
            if (entry != null && entry.interval() == open && entry.page() < table.pages()) {
                pages += pointBack(entry) ? 1 : 0;
            }
        }
        region.memory().fence();
        for (long position = 0; position < log.capacity(); position++) {
            PreimageLog.Entry entry = log.read(position);
            if (entry != null) {
                settleOld(region, table, entry);
                settleFresh(region, table, entry);
            }
        }
        region.memory().fence();
        return pages;
    }

    private boolean pointBack(PreimageLog.Entry entry) {
        long now = table.entryAcquire(entry.page());
        if (PageTableEntry.frame(now) == entry.old()) {
            return false;
        }
        boolean changed = table.compareAndSet(entry.page(), now,
                PageTableEntry.moved(now, Tier.SHARED, entry.old()));
        table.writeBack(entry.page(), 1);
        return changed;
    }

    /// The frame with the old contents: backs its page if the entry names it, else it is free. Words that are not a
    /// pre-image of this page are somebody else's business.
    static void settleOld(Region region, PageTable table, PreimageLog.Entry entry) {
        long preimage = FrameWord.preimage(table.vm(), entry.page());
        if (isOf(region, table, entry.old(), entry.page(), preimage)) {
            boolean named = PageTableEntry.frame(table.entryAcquire(entry.page())) == entry.old();
            change(region, entry.old(), preimage, named ? FrameWord.used(table.vm(), entry.page()) : FrameWord.FREE);
        }
    }

    /// The frame that the page was written in: free, if the entry does not name it.
    static void settleFresh(Region region, PageTable table, PreimageLog.Entry entry) {
        long used = FrameWord.used(table.vm(), entry.page());
        if (entry.fresh() != entry.old() && isOf(region, table, entry.fresh(), entry.page(), used)
                && PageTableEntry.frame(table.entryAcquire(entry.page())) != entry.fresh()) {
            change(region, entry.fresh(), used, FrameWord.FREE);
        }
    }

    private static boolean isOf(Region region, PageTable table, long frame, long page, long word) {
        return frame >= 0 && frame < region.superblock().frameCount() && page < table.pages()
                && region.memory().loadAcquire(region.frameWordOffset(frame)) == word;
    }

    private static void change(Region region, long frame, long expect, long next) {
        region.memory().compareAndSet(region.frameWordOffset(frame), expect, next);
        region.memory().writeBack(region.frameWordOffset(frame), 8);
    }
}

package io.tombolo.region;

/// Takes a protected VM back to its last commit: points the entries of the pages that the open interval wrote back at
/// their old frames, and gives all pre-images back. No page is copied. By the host that has the VM in RECOVERING, after
/// every owner in doubt is confirmed stopped and its frames were recovered; can be repeated from any point.
///
/// Entries first, then frame words. All of it is durable with the fence that ends the table's recovery, which follows;
/// until the next commit the log says the same again to whoever repeats this.
final class Rollback {
    private final Region region;
    private final PageTable table;
    private final PreimageLog log;
    private final long open;
    private final Runnable check;
    private long pages;

    private Rollback(Region region, PageTable table, PreimageLog log, long open, Runnable check) {
        this.check = check;
        this.region = region;
        this.table = table;
        this.log = log;
        this.open = open;
    }

    /// Returns how many pages were written in the interval that is rolled back.
    static long run(Region region, VmSlot vm, Runnable check) {
        VmSlot.LogPlace place = Protection.requirePlace(region, vm);
        PageTable table = new PageTable(region, vm.index(), vm.readIdentity());
        long open = CommitWord.interval(vm.commitAcquire()) + 1;
        return new Rollback(region, table, new PreimageLog(region, place), open, check).run();
    }

    private long run() {
        log.forEach(check, entry -> {
            if (entry.interval() == open && entry.page() < table.pages() && pointBack(entry)) {
                pages++;
            }
        });
        log.forEach(check, entry -> settle(region, table, entry));
        return pages;
    }

    private boolean pointBack(PreimageLog.Entry entry) {
        long now = table.entryAcquire(entry.page());
        if (PageTableEntry.frame(now) == entry.old() || !isOf(entry.page(), entry.old())) {
            return false;
        }
        boolean changed = table.compareAndSet(entry.page(), now,
                PageTableEntry.moved(now, Tier.SHARED, entry.old()));
        table.writeBack(entry.page(), 1);
        return changed;
    }

    /// An entry that damage has made names another frame, and nothing may be pointed there.
    private boolean isOf(long page, long frame) {
        long word = frame >= 0 && frame < region.superblock().frameCount()
                ? region.memory().loadAcquire(region.frameWordOffset(frame))
                : FrameWord.FREE;
        return word == FrameWord.used(table.vm(), page) || word == FrameWord.preimage(table.vm(), page);
    }

    /// What an entry of the log says is settled by the page's entry: a frame that it names backs the page, another one
    /// is free. Words that do not say that the frame is this page's, or was, are somebody else's business.
    static void settle(Region region, PageTable table, PreimageLog.Entry entry) {
        settle(region, table, entry.page(), entry.old());
        settle(region, table, entry.page(), entry.fresh());
    }

    private static void settle(Region region, PageTable table, long page, long frame) {
        if (page >= table.pages() || frame < 0 || frame >= region.superblock().frameCount()) {
            return;
        }
        long at = region.frameWordOffset(frame);
        long word = region.memory().loadAcquire(at);
        long used = FrameWord.used(table.vm(), page);
        if (word != used && word != FrameWord.preimage(table.vm(), page)) {
            return;
        }
        long entry = table.entryAcquire(page);
        boolean named = PageTableEntry.tier(entry) == Tier.SHARED && PageTableEntry.frame(entry) == frame;
        long next = named ? used : FrameWord.FREE;
        if (word != next) {
            region.memory().compareAndSet(at, word, next);
        }
        region.memory().writeBack(at, 8);
    }
}

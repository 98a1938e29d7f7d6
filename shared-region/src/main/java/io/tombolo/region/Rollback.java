package io.tombolo.region;

/// Takes a protected VM back to its last commit: points the entries of the pages that the open interval wrote back at
/// their old frames, and gives the new ones back. No page is copied, and what is done grows with what the interval
/// wrote. By the host that has the VM in RECOVERING, after every owner in doubt is confirmed stopped and its frames
/// were recovered; can be repeated from any point.
///
/// An entry first, then the words of its frames. All of it is durable with the fence that ends the table's recovery,
/// which follows; until the next commit the log says the same again to whoever repeats this.
final class Rollback {
    private final Region region;
    private final PageTable table;
    private final PreimageLog log;
    private long pages;

    private Rollback(Region region, VmSlot vm) {
        this.region = region;
        this.table = new PageTable(region, vm.index(), vm.readIdentity());
        this.log = new PreimageLog(region, Protection.requirePlace(region, vm));
    }

    /// Returns how many pages were written in the interval that is rolled back.
    static long run(Region region, VmSlot vm, Runnable check) {
        long open = CommitWord.interval(vm.commitAcquire()) + 1;
        Rollback rollback = new Rollback(region, vm);
        rollback.log.forEach(interval -> interval == open, check, rollback::undo);
        return rollback.pages;
    }

    private void undo(PreimageLog.Entry entry) {
        if (entry.page() < table.pages() && pointBack(entry)) {
            pages++;
        }
        settle(region, table, entry);
    }

    /// Which of the spare pre-images of the committed state whoever goes on from it still has, after the rollback: the
    /// last of them, this many. The interval that was rolled back had begun to use the first ones up; what is left of
    /// those, because an entry after them is damaged, is given back. Durable with the commit that follows.
    ///
    /// @param check called once per frame of the log
    static int spares(Region region, VmSlot vm, Blob committed, Runnable check) {
        return new Rollback(region, vm).spares(committed.logHead() - committed.logSpare(), committed.logHead(), check);
    }

    private int spares(long first, long end, Runnable check) {
        long kept = first;
        for (long position = first; position < end; position++) {
            if ((position - first) % PreimageLog.PER_FRAME == 0) {
                check.run();
            }
            if (!isSpare(log.read(position))) {
                kept = position + 1;
            }
        }
        for (long position = first; position < kept; position++) {
            if ((position - first) % PreimageLog.PER_FRAME == 0) {
                check.run();
            }
            PreimageLog.Entry entry = log.read(position);
            if (entry != null) {
                // Its other frame is named by the page's entry, or is a later spare one.
                settle(region, table, entry.page(), entry.old());
            }
        }
        return (int) (end - kept);
    }

    /// The word that made it a pre-image is not durable with the commit that made it a spare one, and need not be here
    /// either: it is looked at like this by whoever is next.
    private boolean isSpare(PreimageLog.Entry entry) {
        if (entry == null || entry.page() >= table.pages() || !isOf(entry.page(), entry.old())
                || isNamed(table, entry.page(), entry.old())) {
            return false;
        }
        long at = region.frameWordOffset(entry.old());
        long used = FrameWord.used(table.vm(), entry.page());
        if (region.memory().loadAcquire(at) == used) {
            region.memory().compareAndSet(at, used, FrameWord.preimage(table.vm(), entry.page()));
        }
        return true;
    }

    private static boolean isNamed(PageTable table, long page, long frame) {
        long entry = table.entryAcquire(page);
        return PageTableEntry.tier(entry) == Tier.SHARED && PageTableEntry.frame(entry) == frame;
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
        long next = isNamed(table, page, frame) ? used : FrameWord.FREE;
        if (word != next) {
            region.memory().compareAndSet(at, word, next);
        }
        region.memory().writeBack(at, 8);
    }
}

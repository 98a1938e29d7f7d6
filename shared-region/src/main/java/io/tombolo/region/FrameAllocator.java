package io.tombolo.region;

import java.util.Arrays;
import java.util.function.LongConsumer;

/// Takes frames for one host incarnation. The frame word (of a 2 MiB frame: the block word) is the only truth:
/// allocation is one CAS on it, FREE -> RESERVED{host, vm, page}, and everything this object remembers (owned blocks,
/// where it stopped looking) is a hint that may be wrong.
///
/// A host takes free frames only from blocks that it owns, so a recovery looks at the blocks of the dead incarnation
/// only. Blocks go back by [#trim] as soon as no reserved frame of the host is left in them; frames in use stay where
/// they are. A 2 MiB frame is a whole block that the host has claimed and that has no frame in use; it is nobody's
/// block then.
///
/// The calls take batches: `pages[i]` of the VM and `frames[i]` belong together for `i < count`, pages in any order.
/// They return when the words are durable: one write-back per run of neighbouring words, one fence per batch. They
/// allocate nothing, except for the list of blocks when it grows. A word that is not what the call expects is a mistake
/// of the caller or damage: IllegalStateException, with what came before it in the batch done.
///
/// Thread safe (one lock where blocks are chosen or claimed). One object per incarnation: see [Region#allocator].
public final class FrameAllocator {
    private static final int NONE = -1;

    private final Region region;
    private final Memory memory;
    private final int slot;
    private final long incarnation;
    private final long ownedWord;
    private final long blockCount;
    // Written so that the looks are made.
    @SuppressWarnings("UnusedVariable")
    private long looked;
    private long[] owned = new long[64];
    private int ownedCount;
    private int ownedCursor;
    private long freeCursor;
    private long current = NONE;
    private int nextInBlock;
    private int holds;
    /// False if no frame of the owned blocks can be free but through another host.
    private volatile boolean mayHaveFree = true;

    FrameAllocator(Region region, int slot, long incarnation) {
        this.region = region;
        this.memory = region.memory();
        this.slot = slot;
        this.incarnation = incarnation;
        this.ownedWord = BlockWord.owned(slot, incarnation);
        this.blockCount = region.superblock().blockCount();
        this.freeCursor = blockCount - 1;
        for (long block = 0; block < blockCount; block++) {
            if (memory.loadAcquire(region.blockOffset(block)) == ownedWord) {
                remember(block);
            }
        }
    }

    public int hostSlot() {
        return slot;
    }

    public long incarnation() {
        return incarnation;
    }

    /// Reserves a frame for each page; returns how many it got. The entry alone decides whether a reserved frame backs
    /// its page, whatever dies.
    public synchronized int reserve(PageSize size, int vm, long[] pages, int count, long[] frames) {
        int got = size == PageSize.SMALL
                ? takeSmall(vm, pages, count, frames)
                : takeLarge(vm, pages, count, frames);
        // Its fence is not needed by those who fill the frames and make that durable before an entry names them, as all
        // do now. It is there so that a reservation is what the others are: done when the call returns.
        makeDurable(size, frames, got);
        return got;
    }

    /// Settles reserved frames: they back their pages now.
    public void settle(PageSize size, int vm, long[] pages, long[] frames, int count) {
        for (int i = 0; i < count; i++) {
            change(size, frames[i], reserved(size, vm, pages[i]), used(size, vm, pages[i]));
        }
        makeDurable(size, frames, count);
    }

    /// First half of giving up frames that back pages, while the entries still name them: USED -> RESERVED by this
    /// host, for small pages in a block of this host. From then on the entry alone decides whether the frame backs the
    /// page; after the entry names another frame (persisted), [#release] ends it. `retired[i]` is false, and the frame
    /// as it was, if its block belongs to another host at the moment, if another mover of this host has not settled it
    /// yet, or if the frame does not back the page; [#backs] tells the last from the others. Returns how many were
    /// retired.
    public synchronized int retire(PageSize size, int vm, long[] pages, long[] frames, int count, boolean[] retired) {
        if (size == PageSize.SMALL) {
            claimBlocksOf(frames, count, retired);
        } else {
            Arrays.fill(retired, 0, count, true);
        }
        look(size, frames, count);
        int done = 0;
        for (int i = 0; i < count; i++) {
            if (retired[i]) {
                // Whoever published the frame settles it after its entry can be seen.
                retired[i] = memory.compareAndSet(region.wordOffset(size, frames[i]), used(size, vm, pages[i]),
                        reserved(size, vm, pages[i]));
                done += retired[i] ? 1 : 0;
            }
        }
        makeDurable(size, frames, count);
        return done;
    }

    /// Whether the word of a frame allows that it backs the page, or will when its mover has settled it.
    public boolean backs(PageSize size, int vm, long page, long frame) {
        long word = memory.loadAcquire(region.wordOffset(size, frame));
        return word == used(size, vm, page) || word == reserved(size, vm, page);
    }

    /// Takes a retirement back: the entries still name the frames.
    public void unretire(PageSize size, int vm, long[] pages, long[] frames, int count) {
        settle(size, vm, pages, frames, count);
    }

    /// Gives reserved frames back.
    public void release(PageSize size, int vm, long[] pages, long[] frames, int count) {
        for (int i = 0; i < count; i++) {
            change(size, frames[i], reserved(size, vm, pages[i]), FrameWord.FREE);
        }
        makeDurable(size, frames, count);
        mayHaveFree = true;
    }

    /// The words of random frames are cache misses. Loaded in a loop of their own they overlap; compare-and-sets do
    /// not.
    private void look(PageSize size, long[] frames, int count) {
        long sum = 0;
        for (int i = 0; i < count; i++) {
            sum += memory.load(region.wordOffset(size, frames[i]));
        }
        looked = sum;
    }

    private long reserved(PageSize size, int vm, long page) {
        return size == PageSize.SMALL
                ? FrameWord.reserved(slot, vm, page)
                : BlockWord.largeReserved(slot, vm, page);
    }

    private static long used(PageSize size, int vm, long page) {
        return size == PageSize.SMALL ? FrameWord.used(vm, page) : BlockWord.largeUsed(vm, page);
    }

    private void change(PageSize size, long frame, long expect, long next) {
        if (!memory.compareAndSet(region.wordOffset(size, frame), expect, next)) {
            long found = memory.loadAcquire(region.wordOffset(size, frame));
            throw new IllegalStateException(size == PageSize.SMALL
                    ? "frame " + frame + " is " + FrameWord.describe(found) + ", not " + FrameWord.describe(expect)
                    : "block " + frame / BlockWord.FRAMES + " is " + BlockWord.describe(found) + ", not "
                            + BlockWord.describe(expect));
        }
    }

    private void makeDurable(PageSize size, long[] frames, int count) {
        int step = size.frames();
        int i = 0;
        while (i < count) {
            long low = frames[i];
            long high = low;
            while (++i < count && (frames[i] == high + step || frames[i] == low - step)) {
                low = Math.min(low, frames[i]);
                high = Math.max(high, frames[i]);
            }
            memory.writeBack(region.wordOffset(size, low), ((high - low) / step + 1) * 8);
        }
        if (count > 0) {
            memory.fence();
        }
    }

    /// Takes `count` frames in one run as the VM's page table. `announce` is called with the first frame before any
    /// frame word changes and makes the choice durable in the VM's identity: that is how a recovery finds the run.
    /// Returns the first frame, or -1.
    synchronized long takeTable(int vm, int count, LongConsumer announce) {
        return takeRun(vm, 0, count, announce);
    }

    /// The same for a run whose first frame is at position `index` of the VM's TABLE frames.
    synchronized long takeRun(int vm, int index, int count, LongConsumer announce) {
        long first = findRun(count);
        if (first == NONE) {
            return NONE;
        }
        announce.accept(first);
        for (int i = 0; i < count; i++) {
            change(PageSize.SMALL, first + i, FrameWord.FREE, FrameWord.table(vm, index + i));
        }
        memory.persist(region.frameWordOffset(first), count * 8L);
        return first;
    }

    /// Takes a spare pre-image of the VM for another of its pages: PREIMAGE -> RESERVED by this host. False if its
    /// block is not this host's: then the frame is free. Durable when it returns, because the log's entry that names
    /// the frame may be overwritten next. The next three are not: an interval that is not committed is rolled back, and
    /// then neither the old word nor the new one leaves the frame to the page.
    synchronized boolean recycle(int vm, long oldPage, long frame, long page) {
        // A block that is nobody's is not claimed for it: with every hand-off this host would hold more of them.
        boolean ours = memory.loadAcquire(region.blockOffset(frame / BlockWord.FRAMES)) == ownedWord;
        change(PageSize.SMALL, frame, FrameWord.preimage(vm, oldPage),
                ours ? FrameWord.reserved(slot, vm, page) : FrameWord.FREE);
        memory.persist(region.frameWordOffset(frame), 8);
        return ours;
    }

    /// A frame that was reserved for page 0 is for that page now.
    void rename(int vm, long frame, long page) {
        change(PageSize.SMALL, frame, FrameWord.reserved(slot, vm, 0), FrameWord.reserved(slot, vm, page));
    }

    /// The frame that backed the page is its pre-image from now on; the page's entry and the log say the same.
    void preserve(int vm, long page, long frame) {
        change(PageSize.SMALL, frame, FrameWord.used(vm, page), FrameWord.preimage(vm, page));
    }

    /// A reserved frame that its page's entry names backs it.
    void settleLater(int vm, long page, long frame) {
        change(PageSize.SMALL, frame, FrameWord.reserved(slot, vm, page), FrameWord.used(vm, page));
    }

    /// Keeps [#trim] from giving blocks back until [#unhold]; for operations that are not done when their frames are no
    /// longer RESERVED.
    synchronized void hold() {
        holds++;
    }

    synchronized void unhold() {
        holds--;
    }

    /// Gives back every block in which no frame is reserved by this host. Returns how many.
    public synchronized int trim() {
        if (holds > 0) {
            return 0;
        }
        int before = ownedCount;
        int kept = 0;
        for (int i = 0; i < before; i++) {
            if (!giveBackIfIdle(owned[i])) {
                owned[kept++] = owned[i];
            }
        }
        ownedCount = kept;
        ownedCursor = 0;
        freeCursor = blockCount - 1;
        current = NONE;
        mayHaveFree = true;
        return before - kept;
    }

    /// Free 4 KiB frames of the whole region, counted by looking at every frame word (8 bytes per 4 KiB); those inside
    /// a 2 MiB frame that is taken do not count. Others may take them meanwhile.
    public long freeFrames() {
        long free = 0;
        for (long block = 0; block < blockCount; block++) {
            if (BlockWord.isLarge(memory.loadAcquire(region.blockOffset(block)))) {
                continue;
            }
            for (int i = 0; i < BlockWord.FRAMES; i++) {
                if (memory.load(region.frameWordOffset(block * BlockWord.FRAMES + i)) == FrameWord.FREE) {
                    free++;
                }
            }
        }
        return free;
    }

    /// 2 MiB frames that this host could take: whole free blocks that are nobody's or its own.
    public long freeLargeFrames() {
        long free = 0;
        for (long block = 0; block < blockCount; block++) {
            long word = memory.loadAcquire(region.blockOffset(block));
            if ((word == BlockWord.FREE || word == ownedWord) && isFree(block * BlockWord.FRAMES, BlockWord.FRAMES)) {
                free++;
            }
        }
        return free;
    }

    private boolean giveBackIfIdle(long block) {
        for (int i = 0; i < BlockWord.FRAMES; i++) {
            long word = memory.loadAcquire(region.frameWordOffset(block * BlockWord.FRAMES + i));
            if (FrameWord.state(word) == FrameState.RESERVED && FrameWord.slot(word) == slot) {
                return false;
            }
        }
        boolean given = memory.compareAndSet(region.blockOffset(block), ownedWord, BlockWord.FREE);
        memory.persist(region.blockOffset(block), 8);
        return given;
    }

    private int takeSmall(int vm, long[] pages, int count, long[] frames) {
        int got = 0;
        while (got < count) {
            long frame = nextFree(FrameWord.reserved(slot, vm, pages[got]));
            if (frame == NONE) {
                break;
            }
            frames[got++] = frame;
        }
        return got;
    }

    private long nextFree(long reservedWord) {
        while (true) {
            if (current != NONE) {
                while (nextInBlock < BlockWord.FRAMES) {
                    long frame = current * BlockWord.FRAMES + nextInBlock++;
                    long at = region.frameWordOffset(frame);
                    if (memory.loadAcquire(at) == FrameWord.FREE
                            && memory.compareAndSet(at, FrameWord.FREE, reservedWord)) {
                        return frame;
                    }
                }
            }
            nextInBlock = 0;
            current = nextBlock();
            if (current == NONE) {
                return NONE;
            }
        }
    }

    /// A block of this host with a free frame, or a free block with a free frame, now claimed. From the top down: page
    /// tables take their runs from the bottom up.
    private long nextBlock() {
        boolean swept = mayHaveFree;
        long block = swept ? ownedWithFree() : NONE;
        if (block == NONE) {
            block = claimWithFree();
        }
        return block == NONE && !swept ? ownedWithFree() : block;
    }

    /// Goes on where it stopped, so that a round over all blocks of this host finds every free frame once.
    private long ownedWithFree() {
        mayHaveFree = false;
        for (int i = 0; i < ownedCount; i++) {
            ownedCursor = ownedCursor + 1 < ownedCount ? ownedCursor + 1 : 0;
            if (hasFree(owned[ownedCursor])) {
                mayHaveFree = true;
                return owned[ownedCursor];
            }
        }
        return NONE;
    }

    private long claimWithFree() {
        for (long i = 0; i < blockCount; i++) {
            long block = freeCursor;
            freeCursor = block == 0 ? blockCount - 1 : block - 1;
            if (memory.loadAcquire(region.blockOffset(block)) == BlockWord.FREE && hasFree(block) && claim(block)) {
                return block;
            }
        }
        return NONE;
    }

    /// Claims whole blocks, makes sure that all their frames are free for good (another host may have freed some and
    /// not made it durable), then turns each into a 2 MiB frame.
    private int takeLarge(int vm, long[] pages, int count, long[] frames) {
        int got = 0;
        while (got < count) {
            long block = takeEmptyBlock();
            if (block == NONE) {
                break;
            }
            frames[got++] = block * BlockWord.FRAMES;
            memory.writeBack(region.frameWordOffset(block * BlockWord.FRAMES), BlockWord.FRAMES * 8L);
        }
        if (got > 0) {
            memory.fence();
        }
        for (int i = 0; i < got; i++) {
            change(PageSize.LARGE, frames[i], ownedWord, BlockWord.largeReserved(slot, vm, pages[i]));
        }
        return got;
    }

    /// A block without a frame in use, owned by this host and no longer in its list; -1 if there is none.
    private long takeEmptyBlock() {
        for (int i = 0; i < ownedCount; i++) {
            long block = owned[i];
            if (isFree(block * BlockWord.FRAMES, BlockWord.FRAMES)) {
                owned[i] = owned[--ownedCount];
                current = current == block ? NONE : current;
                return block;
            }
        }
        for (long i = 0; i < blockCount; i++) {
            long block = freeCursor;
            long first = block * BlockWord.FRAMES;
            freeCursor = block == 0 ? blockCount - 1 : block - 1;
            if (memory.loadAcquire(region.blockOffset(block)) != BlockWord.FREE || !isFree(first, BlockWord.FRAMES)
                    || !memory.compareAndSet(region.blockOffset(block), BlockWord.FREE, ownedWord)) {
                continue;
            }
            if (isFree(first, BlockWord.FRAMES)) {
                return block;
            }
            memory.persist(region.blockOffset(block), 8);
            remember(block);
        }
        return NONE;
    }

    private boolean hasFree(long block) {
        for (int i = 0; i < BlockWord.FRAMES; i++) {
            if (memory.load(region.frameWordOffset(block * BlockWord.FRAMES + i)) == FrameWord.FREE) {
                return true;
            }
        }
        return false;
    }

    private boolean claim(long block) {
        if (!memory.compareAndSet(region.blockOffset(block), BlockWord.FREE, ownedWord)) {
            return false;
        }
        memory.persist(region.blockOffset(block), 8);
        remember(block);
        return true;
    }

    private void remember(long block) {
        if (ownedCount == owned.length) {
            owned = Arrays.copyOf(owned, ownedCount * 2);
        }
        owned[ownedCount++] = block;
    }

    /// Sets `ours[i]` if the block of `frames[i]` is this host's afterwards.
    private void claimBlocksOf(long[] frames, int count, boolean[] ours) {
        boolean claimed = false;
        for (int i = 0; i < count; i++) {
            long block = frames[i] / BlockWord.FRAMES;
            long at = region.blockOffset(block);
            ours[i] = memory.loadAcquire(at) == ownedWord;
            if (!ours[i] && memory.compareAndSet(at, BlockWord.FREE, ownedWord)) {
                memory.writeBack(at, 8);
                remember(block);
                mayHaveFree = true;
                ours[i] = true;
                claimed = true;
            }
        }
        if (claimed) {
            memory.fence();
        }
    }

    /// First frame of a run of `count` free frames, all in blocks of this host afterwards.
    private long findRun(int count) {
        long run = 0;
        for (long frame = 0; frame < region.superblock().frameCount(); frame++) {
            if (frame % BlockWord.FRAMES == 0) {
                long word = memory.loadAcquire(region.blockOffset(frame / BlockWord.FRAMES));
                if (word != BlockWord.FREE && word != ownedWord) {
                    run = 0;
                    frame += BlockWord.FRAMES - 1;
                    continue;
                }
            }
            run = memory.loadAcquire(region.frameWordOffset(frame)) == FrameWord.FREE ? run + 1 : 0;
            if (run == count) {
                long first = frame - count + 1;
                if (claimBlocks(first / BlockWord.FRAMES, frame / BlockWord.FRAMES) && isFree(first, count)) {
                    return first;
                }
                run = 0;
            }
        }
        return NONE;
    }

    private boolean claimBlocks(long from, long to) {
        for (long block = from; block <= to; block++) {
            if (memory.loadAcquire(region.blockOffset(block)) != ownedWord && !claim(block)) {
                return false;
            }
        }
        return true;
    }

    /// Looks again after the blocks are ours: another host may have taken frames, and given the block back, before.
    private boolean isFree(long first, int count) {
        for (int i = 0; i < count; i++) {
            if (memory.loadAcquire(region.frameWordOffset(first + i)) != FrameWord.FREE) {
                return false;
            }
        }
        return true;
    }
}

package io.tombolo.region;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/// Takes frames for one host incarnation. The frame word is the only truth: allocation is one CAS on it, FREE ->
/// RESERVED{host, vm, page}, and everything this object remembers (owned blocks, where it stopped looking) is a hint
/// that may be wrong.
///
/// A host takes free frames only from blocks that it owns, so a recovery looks at the blocks of the dead incarnation
/// only. Blocks go back by [#trim] as soon as no reserved frame of the host is left in them; frames in use stay where
/// they are.
///
/// Thread safe (one lock: frames are taken in batches). One object per incarnation: see [Region#allocator].
public final class FrameAllocator {
    private static final int NONE = -1;

    private final Region region;
    private final Memory memory;
    private final int slot;
    private final long incarnation;
    private final long ownedWord;
    private final long blockCount;
    private final List<Long> owned = new ArrayList<>();
    private long current = NONE;
    private int nextInBlock;
    private int holds;

    FrameAllocator(Region region, int slot, long incarnation) {
        this.region = region;
        this.memory = region.memory();
        this.slot = slot;
        this.incarnation = incarnation;
        this.ownedWord = BlockWord.owned(slot, incarnation);
        this.blockCount = region.superblock().blockCount();
        for (long block = 0; block < blockCount; block++) {
            if (memory.loadAcquire(region.blockOffset(block)) == ownedWord) {
                owned.add(block);
            }
        }
    }

    public int hostSlot() {
        return slot;
    }

    public long incarnation() {
        return incarnation;
    }

    /// Reserves one frame for a page of a VM, persisted; -1 if no frame is free.
    public long reserve(int vm, long page) {
        long[] one = new long[1];
        return reserve(vm, page, 1, one) == 1 ? one[0] : NONE;
    }

    /// Reserves frames for `count` consecutive pages and persists their words; returns how many it got.
    public synchronized int reserve(int vm, long firstPage, int count, long[] frames) {
        int got = 0;
        while (got < count) {
            long frame = nextFree(FrameWord.reserved(slot, vm, firstPage + got));
            if (frame == NONE) {
                break;
            }
            frames[got++] = frame;
        }
        persistWords(frames, got);
        return got;
    }

    /// Settles a reserved frame: it backs the page now. Not persisted here; see [#persistWords].
    public void settle(long frame, int vm, long page) {
        expect(frame, FrameWord.reserved(slot, vm, page), FrameWord.used(vm, page));
    }

    /// First half of giving up a frame that backs a page, while its entry still names it: USED -> RESERVED by this
    /// host, persisted, in a block of this host. From then on, and whatever dies, the entry alone decides whether the
    /// frame backs the page; after the entry names another frame (persisted), [#unreserve] ends it. False if the block
    /// belongs to another host at the moment: the page is busy, try again later.
    public synchronized boolean retire(long frame, int vm, long page) {
        long block = frame / BlockWord.FRAMES;
        if (memory.loadAcquire(region.blockOffset(block)) != ownedWord && !claim(block)) {
            return false;
        }
        expect(frame, FrameWord.used(vm, page), FrameWord.reserved(slot, vm, page));
        memory.persist(region.frameWordOffset(frame), 8);
        return true;
    }

    /// Gives a reserved frame back, persisted.
    public void unreserve(long frame, int vm, long page) {
        expect(frame, FrameWord.reserved(slot, vm, page), FrameWord.FREE);
        memory.persist(region.frameWordOffset(frame), 8);
    }

    /// Makes the words of these frames durable.
    public void persistWords(long[] frames, int count) {
        int i = 0;
        while (i < count) {
            long first = frames[i];
            long last = first;
            while (++i < count && Math.abs(frames[i] - last) == 1) {
                last = frames[i];
            }
            long low = Math.min(first, last);
            memory.persist(region.frameWordOffset(low), (Math.abs(last - first) + 1) * 8);
        }
    }

    /// Takes `count` frames in one run as the VM's page table. `announce` is called with the first frame before any
    /// frame word changes and makes the choice durable in the VM's identity: that is how a recovery finds the run.
    /// Returns the first frame, or -1.
    synchronized long takeTable(int vm, int count, LongConsumer announce) {
        long first = findRun(count);
        if (first == NONE) {
            return NONE;
        }
        announce.accept(first);
        for (int i = 0; i < count; i++) {
            expect(first + i, FrameWord.FREE, FrameWord.table(vm, i));
        }
        memory.persist(region.frameWordOffset(first), count * 8L);
        return first;
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
        int before = owned.size();
        owned.removeIf(this::giveBackIfIdle);
        current = NONE;
        return before - owned.size();
    }

    /// Free frames of the whole region, counted by looking at every frame word (8 bytes per 4 KiB); others may take
    /// them meanwhile.
    public long freeFrames() {
        long free = 0;
        for (long frame = 0; frame < region.superblock().frameCount(); frame++) {
            if (memory.load(region.frameWordOffset(frame)) == FrameWord.FREE) {
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
        for (long block : owned) {
            if (hasFree(block)) {
                return block;
            }
        }
        for (long block = blockCount - 1; block >= 0; block--) {
            if (memory.loadAcquire(region.blockOffset(block)) == BlockWord.FREE && hasFree(block) && claim(block)) {
                return block;
            }
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
        owned.add(block);
        return true;
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

    private void expect(long frame, long expect, long next) {
        if (!memory.compareAndSet(region.frameWordOffset(frame), expect, next)) {
            throw new IllegalStateException("frame " + frame + " is "
                    + FrameWord.describe(memory.loadAcquire(region.frameWordOffset(frame))) + ", not "
                    + FrameWord.describe(expect));
        }
    }
}

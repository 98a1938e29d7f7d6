package io.tombolo.region;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Settles the frames that a dead incarnation had reserved: each backs the page for which it was reserved if that
/// page's entry names it, and is free otherwise. For one recovery. Not thread safe; several may be at work on the same
/// frames.
final class ReservedFrames {
    private final Region region;
    private final Memory memory;
    private final int deadSlot;
    private final long incarnation;
    private final FrameWords words = new FrameWords();
    /// A host has hundreds of frames reserved for few VMs. What is remembered of a VM that was replaced since does no
    /// harm: the word of a table's frame says whose it is now.
    private final Map<Integer, Optional<VmIdentity>> identities = new HashMap<>();
    private long freed;
    private long kept;

    /// @param incarnation of `deadSlot`, confirmed stopped
    ReservedFrames(Region region, int deadSlot, long incarnation) {
        this.region = region;
        this.memory = region.memory();
        this.deadSlot = deadSlot;
        this.incarnation = incarnation;
    }

    /// Frames of 4 KiB that were given back, those of 2 MiB counted as such.
    long freed() {
        return freed;
    }

    /// The same of those that back a page.
    long kept() {
        return kept;
    }

    /// The frames of a block that the incarnation owns.
    void settleBlock(long block) {
        long base = region.frameWordOffset(block * BlockWord.FRAMES);
        // Only a hint: a word that was half of one store and half of another is equal to none that is compared below,
        // and whoever stores to a word that this incarnation has reserved settles it.
        memory.copyOut(base, words.bytes(), 0, BlockWord.FRAMES * 8L);
        long[] seen = words.decoded();
        for (int i = 0; i < BlockWord.FRAMES; i++) {
            long word = seen[i];
            if (FrameWord.state(word) != FrameState.RESERVED || FrameWord.slot(word) != deadSlot) {
                continue;
            }
            boolean named = entryNames(FrameWord.vm(word), FrameWord.page(word), PageSize.SMALL,
                    block * BlockWord.FRAMES + i);
            long next = named ? FrameWord.used(FrameWord.vm(word), FrameWord.page(word)) : FrameWord.FREE;
            if (memory.compareAndSet(base + i * 8L, word, next)) {
                count(named, 1);
            }
        }
        memory.persist(base, BlockWord.FRAMES * 8L);
    }

    /// A block that is not the incarnation's, if the slot has reserved it whole, as one frame.
    void settleLarge(long block) {
        long at = region.blockOffset(block);
        long word = memory.loadAcquire(at);
        // The word names the slot and not the incarnation: a recoverer that slept until the slot is somebody else's
        // must not go on.
        if (!BlockWord.isLargeReserved(word) || BlockWord.slot(word) != deadSlot
                || SlotWord.incarnation(region.host(deadSlot).wordAcquire()) != incarnation) {
            return;
        }
        boolean named = entryNames(BlockWord.vm(word), BlockWord.page(word), PageSize.LARGE, block * BlockWord.FRAMES);
        long next = named ? BlockWord.largeUsed(BlockWord.vm(word), BlockWord.page(word)) : BlockWord.FREE;
        if (memory.compareAndSet(at, word, next)) {
            count(named, BlockWord.FRAMES);
        }
        memory.persist(at, 8);
    }

    private void count(boolean named, int frames) {
        if (named) {
            kept += frames;
        } else {
            freed += frames;
        }
    }

    /// True if the entry of this page of this VM names the frame; an entry that is MIGRATING or COPYING still names the
    /// old one.
    private boolean entryNames(int vm, long page, PageSize size, long frame) {
        if (vm >= region.vmSlots() || OwnerWord.is(region.vm(vm).ownerAcquire(), OwnerState.FREE)) {
            return false;
        }
        VmIdentity identity = identities
                .computeIfAbsent(vm, index -> Optional.ofNullable(region.vm(index).identityOrNull())).orElse(null);
        if (identity == null || page >= identity.pages() || identity.tableFrames() == 0
                || identity.pageSize() != size) {
            return false;
        }
        long perTable = RegionLayout.FRAME_BYTES / 8;
        long tableFrame = identity.tableFirstFrame() + page / perTable;
        if (memory.loadAcquire(region.frameWordOffset(tableFrame)) != FrameWord.table(vm, page / perTable)) {
            return false;
        }
        long entry = memory.loadAcquire(region.frameDataOffset(tableFrame) + page % perTable * 8);
        return PageTableEntry.state(entry) != PteState.ABSENT && PageTableEntry.tier(entry) == Tier.SHARED
                && PageTableEntry.frame(entry) == frame;
    }
}

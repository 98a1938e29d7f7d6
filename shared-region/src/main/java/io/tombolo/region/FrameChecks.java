package io.tombolo.region;

/// Verify's look at block owners, frame words and page tables: every frame is in exactly one state, and whatever points
/// at a frame is what its word names (I4).
final class FrameChecks {
    private static final long PER_TABLE = RegionLayout.FRAME_BYTES / 8;

    private final VerifyPass pass;
    private final Region region;
    private final Memory memory;
    private final long frameCount;
    private final long[] frames = new long[16];

    private FrameChecks(VerifyPass pass) {
        this.pass = pass;
        this.region = pass.region;
        this.memory = pass.memory;
        this.frameCount = region.superblock().frameCount();
    }

    static void check(VerifyPass pass) {
        FrameChecks checks = new FrameChecks(pass);
        checks.blocks();
        for (long frame = 0; frame < checks.frameCount; frame++) {
            checks.frame(frame);
        }
        for (int code = 0; code < checks.frames.length; code++) {
            if (checks.frames[code] > 0) {
                pass.counts.put("frame " + FrameState.ofCode(code), checks.frames[code]);
            }
        }
        for (int vm = 0; vm < pass.owners.length; vm++) {
            VmIdentity identity = pass.identities[vm];
            if (identity != null && identity.tableFrames() > 0 && !pass.inTransition(vm)) {
                checks.table(vm, identity);
            }
        }
    }

    private void blocks() {
        for (long block = 0; block < region.superblock().blockCount(); block++) {
            long at = region.blockOffset(block);
            long word = memory.loadAcquire(at);
            if (word == BlockWord.FREE) {
                continue;
            }
            pass.count("blocks owned");
            if (!BlockWord.isOwned(word)) {
                pass.add(Finding.Code.ILLEGAL_WORD, "block_owner " + block, at, BlockWord.describe(word), "0 or owned");
            } else if (!pass.hostExists(BlockWord.slot(word))
                    || SlotWord.incarnation(pass.hosts[BlockWord.slot(word)]) != BlockWord.incarnation(word)) {
                pass.add(Finding.Code.HOST_NOT_THERE, "block_owner " + block, at, BlockWord.describe(word),
                        "a host incarnation that is there");
            }
        }
    }

    private void frame(long frame) {
        long at = region.frameWordOffset(frame);
        long word = memory.loadAcquire(at);
        FrameState state = FrameWord.state(word);
        if (word == FrameWord.FREE) {
            frames[0]++;
            return;
        }
        frames[(int) (word >>> 60)]++;
        int vm = FrameWord.vm(word);
        boolean slotAllowed = state == FrameState.RESERVED || FrameWord.slot(word) == 0;
        // PREIMAGE and QUARANTINED are states of later minor versions; 1.0 never stores them.
        if (state == null || state == FrameState.FREE || state == FrameState.PREIMAGE || state == FrameState.QUARANTINED
                || !slotAllowed || vm >= pass.owners.length) {
            pass.add(Finding.Code.ILLEGAL_WORD, "frame_word " + frame, at, FrameWord.describe(word),
                    "a state of format 1.0, host 0 unless RESERVED, vm below " + pass.owners.length);
        } else if (state == FrameState.RESERVED) {
            reserved(frame, at, word);
        } else if (pass.isFree(vm)) {
            pass.add(Finding.Code.FRAME_LEAKED, "frame_word " + frame, at, FrameWord.describe(word),
                    "a VM that is there");
        } else if (!pass.inTransition(vm) && !isNamed(frame, word, state)) {
            pass.add(Finding.Code.FRAME_LEAKED, "frame_word " + frame, at, FrameWord.describe(word),
                    state == FrameState.TABLE
                            ? "the VM's identity names the frame"
                            : "the page's entry names the frame");
        }
    }

    private void reserved(long frame, long at, long word) {
        long block = memory.loadAcquire(region.blockOffset(frame / BlockWord.FRAMES));
        if (!BlockWord.isOwned(block) || BlockWord.slot(block) != FrameWord.slot(word)) {
            pass.add(Finding.Code.FRAME_OUTSIDE_BLOCK, "frame_word " + frame, at,
                    FrameWord.describe(word) + " in block " + BlockWord.describe(block),
                    "a block owned by the host that reserves");
        }
    }

    private boolean isNamed(long frame, long word, FrameState state) {
        VmIdentity identity = pass.identities[FrameWord.vm(word)];
        if (identity == null || identity.tableFrames() == 0) {
            return false;
        }
        long page = FrameWord.page(word);
        if (state == FrameState.TABLE) {
            return page < identity.tableFrames() && identity.tableFirstFrame() + page == frame;
        }
        if (page >= identity.pages()) {
            return false;
        }
        long entry = memory.loadAcquire(region.frameDataOffset(identity.tableFirstFrame()) + page * 8);
        return PageTableEntry.state(entry) != PteState.ABSENT && PageTableEntry.tier(entry) == Tier.SHARED
                && PageTableEntry.frame(entry) == frame;
    }

    private void table(int vm, VmIdentity identity) {
        for (int i = 0; i < identity.tableFrames(); i++) {
            long at = region.frameWordOffset(identity.tableFirstFrame() + i);
            if (memory.loadAcquire(at) != FrameWord.table(vm, i)) {
                pass.add(Finding.Code.FRAME_MISMATCH, "frame_word " + (identity.tableFirstFrame() + i), at,
                        FrameWord.describe(memory.loadAcquire(at)), FrameWord.describe(FrameWord.table(vm, i)));
            }
        }
        long table = region.frameDataOffset(identity.tableFirstFrame());
        for (long page = 0; page < identity.pages(); page++) {
            entry(vm, page, table + page * 8);
        }
        pass.gap("page_table_entry vm " + vm + " beyond its pages", table + identity.pages() * 8,
                table + identity.tableFrames() * PER_TABLE * 8);
    }

    private void entry(int vm, long page, long at) {
        long entry = memory.loadAcquire(at);
        PteState state = PageTableEntry.state(entry);
        Tier tier = PageTableEntry.tier(entry);
        long frame = PageTableEntry.frame(entry);
        if (state == null || tier == null || (state == PteState.ABSENT && (frame != 0 || tier != Tier.SHARED))) {
            pass.add(Finding.Code.ILLEGAL_WORD, "page_table_entry vm " + vm + " page " + page, at,
                    PageTableEntry.describe(entry), "a known state and tier, no frame if ABSENT");
        } else if (state != PteState.ABSENT && tier == Tier.SHARED && (frame >= frameCount
                || memory.loadAcquire(region.frameWordOffset(frame)) != FrameWord.used(vm, page))) {
            String word = frame >= frameCount
                    ? "no such frame"
                    : FrameWord.describe(memory.loadAcquire(region.frameWordOffset(frame)));
            if (isReservedByLiveHost(frame, vm, page)) {
                return;
            }
            pass.add(Finding.Code.FRAME_MISMATCH, "page_table_entry vm " + vm + " page " + page, at,
                    PageTableEntry.describe(entry) + " whose word is " + word,
                    FrameWord.describe(FrameWord.used(vm, page)));
        }
    }

    /// A mover publishes the entry before it settles the frame word; until then, and until a dead mover's host is
    /// recovered, the entry names a frame that is reserved for exactly this page.
    private boolean isReservedByLiveHost(long frame, int vm, long page) {
        if (frame >= frameCount) {
            return false;
        }
        long word = memory.loadAcquire(region.frameWordOffset(frame));
        return FrameWord.state(word) == FrameState.RESERVED && FrameWord.vm(word) == vm && FrameWord.page(word) == page
                && pass.hostExists(FrameWord.slot(word));
    }
}

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
        for (long block = 0; block < pass.region.superblock().blockCount(); block++) {
            checks.block(block);
        }
        for (int code = 0; code < checks.frames.length; code++) {
            if (checks.frames[code] > 0) {
                pass.counts.put("frame " + FrameState.ofCode(code), checks.frames[code]);
            }
        }
        for (int vm = 0; vm < pass.owners.length; vm++) {
            if (!pass.isFree(vm) && !pass.inTransition(vm) && pass.identities[vm] != null) {
                checks.pages(vm, pass.identities[vm]);
            }
        }
    }

    private void block(long block) {
        long at = region.blockOffset(block);
        long word = memory.loadAcquire(at);
        if (word != BlockWord.FREE) {
            if (BlockWord.isOwned(word)) {
                owned(block, at, word);
            } else if (BlockWord.isLarge(word)) {
                large(block, at, word);
                return;
            } else {
                pass.add(Finding.Code.ILLEGAL_WORD, "block_owner " + block, at, BlockWord.describe(word),
                        "0, owned, or a 2 MiB frame");
            }
        }
        for (long frame = block * BlockWord.FRAMES; frame < (block + 1) * BlockWord.FRAMES; frame++) {
            frame(frame);
        }
    }

    private void owned(long block, long at, long word) {
        pass.count("blocks owned");
        if (!pass.hostExists(BlockWord.slot(word))
                || SlotWord.incarnation(pass.hosts[BlockWord.slot(word)]) != BlockWord.incarnation(word)) {
            pass.add(Finding.Code.HOST_NOT_THERE, "block_owner " + block, at, BlockWord.describe(word),
                    "a host incarnation that is there");
        }
    }

    private void large(long block, long at, long word) {
        String name = "block_owner " + block;
        int vm = BlockWord.vm(word);
        boolean reserved = BlockWord.isLargeReserved(word);
        pass.count(reserved ? "2 MiB frame RESERVED" : "2 MiB frame USED");
        if (vm >= pass.owners.length || (!reserved && BlockWord.slot(word) != 0)) {
            pass.add(Finding.Code.ILLEGAL_WORD, name, at, BlockWord.describe(word),
                    "host 0 unless RESERVED, vm below " + pass.owners.length);
        } else if (reserved && !pass.hostExists(BlockWord.slot(word))) {
            pass.add(Finding.Code.HOST_NOT_THERE, name, at, BlockWord.describe(word), "a host that is there");
        } else if (reserved && !pass.hostIsLive(BlockWord.slot(word))) {
            pass.count("2 MiB frame to recover");
        } else if (pass.isFree(vm)) {
            pass.add(Finding.Code.FRAME_LEAKED, name, at, BlockWord.describe(word), "a VM that is there");
        } else if (!pass.inTransition(vm)) {
            boolean named = isNamed(block * BlockWord.FRAMES, vm, BlockWord.page(word), PageSize.LARGE);
            if (reserved ? !pass.mayBeMoving(vm) || !hasPage(vm, BlockWord.page(word)) : !named) {
                pass.add(Finding.Code.FRAME_LEAKED, name, at, BlockWord.describe(word),
                        reserved ? "a VM with this page that moves pages" : "the page's entry names the frame");
            }
        }
        for (long frame = block * BlockWord.FRAMES; frame < (block + 1) * BlockWord.FRAMES; frame++) {
            long inside = memory.loadAcquire(region.frameWordOffset(frame));
            if (inside != FrameWord.FREE) {
                pass.add(Finding.Code.FRAME_MISMATCH, "frame_word " + frame, region.frameWordOffset(frame),
                        FrameWord.describe(inside) + " in " + BlockWord.describe(word), "FREE inside a 2 MiB frame");
            }
        }
    }

    private boolean hasPage(int vm, long page) {
        VmIdentity identity = pass.identities[vm];
        return identity != null && identity.pageSize() == PageSize.LARGE && page < identity.pages();
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
        // QUARANTINED is a state of later minor versions; 1.0 never stores it.
        if (state == null || state == FrameState.FREE || state == FrameState.QUARANTINED || !slotAllowed
                || vm >= pass.owners.length) {
            pass.add(Finding.Code.ILLEGAL_WORD, "frame_word " + frame, at, FrameWord.describe(word),
                    "a state of format 1.0, host 0 unless RESERVED, vm below " + pass.owners.length);
        } else if (state == FrameState.RESERVED) {
            reserved(frame, at, word);
        } else if (pass.isFree(vm)) {
            pass.add(Finding.Code.FRAME_LEAKED, "frame_word " + frame, at, FrameWord.describe(word),
                    "a VM that is there");
        } else if (!pass.inTransition(vm) && !isAccountedFor(frame, vm, state, FrameWord.page(word))) {
            pass.add(Finding.Code.FRAME_LEAKED, "frame_word " + frame, at, FrameWord.describe(word), switch (state) {
                case TABLE -> "the VM's identity or its log's place names the frame";
                case PREIMAGE -> "the VM's log names the frame for the page";
                default -> "the page's entry names the frame";
            });
        }
    }

    private boolean isAccountedFor(long frame, int vm, FrameState state, long page) {
        return switch (state) {
            case TABLE -> isOfTable(frame, vm, page) || isOfLog(frame, vm, page);
            case PREIMAGE -> isLogged(frame, vm, page);
            case USED -> isNamed(frame, vm, page, PageSize.SMALL)
                    || (pass.mayBeMoving(vm) && isLogged(frame, vm, page));
            case FREE, RESERVED, QUARANTINED -> true;
        };
    }

    private boolean isLogged(long frame, int vm, long page) {
        return pass.loggedFrames(vm).contains(new VerifyPass.FrameOfPage(frame, page));
    }

    private boolean isOfLog(long frame, int vm, long index) {
        VmIdentity identity = pass.identities[vm];
        VmSlot.LogPlace place = region.vm(vm).logPlaceOrNull();
        return identity != null && place != null && index >= identity.tableFrames()
                && index < identity.tableFrames() + place.frames()
                && place.firstFrame() + index - identity.tableFrames() == frame;
    }

    private void reserved(long frame, long at, long word) {
        long block = memory.loadAcquire(region.blockOffset(frame / BlockWord.FRAMES));
        if (!BlockWord.isOwned(block) || BlockWord.slot(block) != FrameWord.slot(word)) {
            pass.add(Finding.Code.FRAME_OUTSIDE_BLOCK, "frame_word " + frame, at,
                    FrameWord.describe(word) + " in block " + BlockWord.describe(block),
                    "a block owned by the host that reserves");
        }
    }

    private boolean isOfTable(long frame, int vm, long index) {
        VmIdentity identity = pass.identities[vm];
        return identity != null && index < identity.tableFrames() && identity.tableFirstFrame() + index == frame;
    }

    private boolean isNamed(long frame, int vm, long page, PageSize size) {
        VmIdentity identity = pass.identities[vm];
        if (identity == null || identity.tableFrames() == 0 || identity.pageSize() != size
                || page >= identity.pages()) {
            return false;
        }
        long entry = memory.loadAcquire(region.frameDataOffset(identity.tableFirstFrame()) + page * 8);
        return PageTableEntry.state(entry) != PteState.ABSENT && PageTableEntry.tier(entry) == Tier.SHARED
                && PageTableEntry.frame(entry) == frame;
    }

    private void pages(int vm, VmIdentity identity) {
        long before = region.vm(vm).localPagesAcquire();
        long entries = identity.tableFrames() > 0 ? table(vm, identity) : 0;
        log(vm, identity);
        long said = region.vm(vm).localPagesAcquire();
        pass.gates[vm] = Math.max(pass.gates[vm] & Long.MAX_VALUE,
                region.vm(vm).gate().wordAcquire() & Long.MAX_VALUE);
        // The next owner has copies of them, and puts its own frames in their places before it runs the VM.
        boolean isProtected = CommitWord.isProtected(region.vm(vm).commitAcquire());
        boolean mayBeLocal = !isProtected && (!pass.isOffered(vm) || VmGate.isCopied(pass.gates[vm]));
        if (entries > 0) {
            pass.counts.merge("pages local", entries, Long::sum);
        }
        boolean fewer = Math.max(before, said) < entries || said < 0;
        boolean more = said > entries && !pass.mayBeMoving(vm);
        if (fewer || more || (!mayBeLocal && said + entries != 0)) {
            pass.add(Finding.Code.LOCAL_PAGES, "vm_slot " + vm + " local_pages",
                    region.vm(vm).base() + RegionLayout.VM_SLOT.offset("local_pages"), said,
                    mayBeLocal
                            ? entries + " LOCAL entries"
                            : "0 in a VM that is offered or protected, which has " + entries + " LOCAL entries");
        }
    }

    /// A protected VM's log is where its slot says.
    private void log(int vm, VmIdentity identity) {
        VmSlot.LogPlace place = region.vm(vm).logPlaceOrNull();
        if (place == null || !CommitWord.isProtected(region.vm(vm).commitAcquire())) {
            return;
        }
        for (int i = 0; i < place.frames(); i++) {
            long at = region.frameWordOffset(place.firstFrame() + i);
            long expected = FrameWord.table(vm, identity.tableFrames() + i);
            if (memory.loadAcquire(at) != expected) {
                pass.add(Finding.Code.FRAME_MISMATCH, "frame_word " + (place.firstFrame() + i), at,
                        FrameWord.describe(memory.loadAcquire(at)), FrameWord.describe(expected));
            }
        }
    }

    /// Checks the table and returns how many entries say LOCAL.
    private long table(int vm, VmIdentity identity) {
        for (int i = 0; i < identity.tableFrames(); i++) {
            long at = region.frameWordOffset(identity.tableFirstFrame() + i);
            if (memory.loadAcquire(at) != FrameWord.table(vm, i)) {
                pass.add(Finding.Code.FRAME_MISMATCH, "frame_word " + (identity.tableFirstFrame() + i), at,
                        FrameWord.describe(memory.loadAcquire(at)), FrameWord.describe(FrameWord.table(vm, i)));
            }
        }
        long table = region.frameDataOffset(identity.tableFirstFrame());
        long local = 0;
        for (long page = 0; page < identity.pages(); page++) {
            local += entry(vm, page, table + page * 8, identity.pageSize());
        }
        pass.gap("page_table_entry vm " + vm + " beyond its pages", table + identity.pages() * 8,
                table + identity.tableFrames() * PER_TABLE * 8);
        return local;
    }

    /// Returns 1 if the page is in the local tier, else 0.
    private int entry(int vm, long page, long at, PageSize size) {
        long entry = memory.loadAcquire(at);
        PteState state = PageTableEntry.state(entry);
        Tier tier = PageTableEntry.tier(entry);
        long frame = PageTableEntry.frame(entry);
        String name = "page_table_entry vm " + vm + " page " + page;
        if (state == null || tier == null || frame % size.frames() != 0
                || (state == PteState.ABSENT && (frame != 0 || tier != Tier.SHARED))) {
            pass.add(Finding.Code.ILLEGAL_WORD, name, at, PageTableEntry.describe(entry),
                    "a known state and tier, no frame if ABSENT, a first frame of 512 if the page is 2 MiB");
            return 0;
        }
        if (state == PteState.ABSENT) {
            return 0;
        }
        if ((state == PteState.MIGRATING || state == PteState.COPYING) && !pass.mayBeMoving(vm)) {
            pass.add(Finding.Code.PAGE_MARKED, name, at, PageTableEntry.describe(entry),
                    "PRESENT while no operation is in flight");
        }
        if (tier == Tier.LOCAL) {
            return 1;
        }
        if (!backs(size, frame, vm, page)) {
            pass.add(Finding.Code.FRAME_MISMATCH, name, at,
                    PageTableEntry.describe(entry) + " whose word is " + describe(size, frame),
                    describe(size, vm, page));
        }
        return 0;
    }

    private String describe(PageSize size, long frame) {
        if (frame >= frameCount) {
            return "no such frame";
        }
        long word = memory.loadAcquire(region.wordOffset(size, frame));
        return size == PageSize.SMALL ? FrameWord.describe(word) : BlockWord.describe(word);
    }

    private static String describe(PageSize size, int vm, long page) {
        return size == PageSize.SMALL
                ? FrameWord.describe(FrameWord.used(vm, page))
                : BlockWord.describe(BlockWord.largeUsed(vm, page));
    }

    /// True if the frame's word says that it is used by the page, or reserved for it: a mover publishes the entry
    /// before it settles the word, and retires the old frame before the entry names another one.
    private boolean backs(PageSize size, long frame, int vm, long page) {
        if (frame >= frameCount) {
            return false;
        }
        long word = memory.loadAcquire(region.wordOffset(size, frame));
        if (word == (size == PageSize.SMALL ? FrameWord.used(vm, page) : BlockWord.largeUsed(vm, page))
                || (word == FrameWord.preimage(vm, page) && pass.mayBeMoving(vm))) {
            return true;
        }
        int slot = FrameWord.slot(word);
        long reserved = size == PageSize.SMALL
                ? FrameWord.reserved(slot, vm, page)
                : BlockWord.largeReserved(slot, vm, page);
        return word == reserved && pass.hostExists(slot) && (pass.mayBeMoving(vm) || !pass.hostIsLive(slot));
    }
}

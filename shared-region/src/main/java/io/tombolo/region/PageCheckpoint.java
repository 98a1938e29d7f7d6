package io.tombolo.region;

import java.util.Arrays;
import java.util.UUID;

/// The checkpoints of one protected VM, as its owner makes them: the first write of a page in an interval, and the
/// commit that ends the interval. The protocol, store by store, is in docs/protection.md.
///
/// [#firstWrite] may be called by all vCPUs of the VM at the same time. Everything else is called by one thread while
/// no vCPU is in the middle of an instruction: what a commit covers is what was executed, and nothing half.
///
/// Frames for first writes come from the spare pre-images of committed intervals, which the log lists, and from a stock
/// that is reserved for the VM without a page. [#mustCommit] fills the stock up; as long as it is heeded, [#firstWrite]
/// finds a frame. No allocation on any path that a guest waits for.
public final class PageCheckpoint implements AutoCloseable {
    /// Pages that a slice of one vCPU can write at most, with room to spare; and for the requests of a slice.
    private static final int PAGES_PER_VCPU = 32;
    private static final int PAGES_PER_SLICE = 256;
    /// Frames that a VM that is being protected must get, if it has as many pages.
    private static final int FIRST_STOCK = 1024;
    private static final int STOCK_BATCH = 64;
    private static final int SPARES_LOOKED_AT = 8;

    private final Region region;
    private final Memory memory;
    private final VmSlot vm;
    private final FrameAllocator allocator;
    private final PageTable table;
    private final UUID uuid;
    private final PreimageLog log;
    private final long slicePages;
    private final MetadataSlot[] slots;
    private final long[] stockPages = new long[FIRST_STOCK];
    private final long[] stock = new long[FIRST_STOCK];
    private int stocked;
    /// Positions of the log: entries from `tail` to `committed` name spare pre-images, those to `head` the open
    /// interval's.
    private long tail;
    private long committed;
    private long head;
    private long expected;
    private long interval;
    private long commits;

    PageCheckpoint(Region region, FrameAllocator allocator, VmSlot vm, VmSlot.LogPlace place) {
        VmIdentity identity = vm.readIdentity();
        this.region = region;
        this.memory = region.memory();
        this.vm = vm;
        this.allocator = allocator;
        this.table = new PageTable(region, vm.index(), identity);
        this.uuid = identity.uuid();
        this.log = new PreimageLog(region, place);
        this.slicePages = Math.min(identity.pages(), PAGES_PER_SLICE + (long) PAGES_PER_VCPU * identity.vcpus());
        this.slots = new MetadataSlot[]{vm.metadata(0), vm.metadata(1)};
    }

    /// Takes up the VM where its commit word and the state that it names leave it. By a host that the VM was handed to,
    /// which has read that state, before its first instruction.
    public void arrive(Blob state) {
        // The word as who offered the VM left it: one that a takeover has sealed since must not be committed over.
        begin(CommitWord.sealed(vm.commitAcquire(), state.epoch()), 1, state.logHead(), state.logSpare());
    }

    /// @param step intervals from the committed one to the open one; 2 after a rollback, whose interval is used up
    void begin(long commit, int step, long logHead, long spare) {
        if (spare < 0 || spare > log.capacity() || logHead < spare) {
            throw new IllegalStateException("vm slot " + vm.index() + ": log head " + logHead + ", spare " + spare
                    + ", capacity " + log.capacity());
        }
        expected = commit;
        interval = CommitWord.interval(commit) + step;
        head = logHead;
        committed = logHead;
        tail = logHead - spare;
    }

    /// The open interval: what is written now is committed with it.
    public long interval() {
        return interval;
    }

    /// First write to a page in the open interval, before the write: lines 1 to 6 of docs/protection.md. Returns the
    /// entry that names the page's new frame. Its old frame still has the contents of the last commit, and other vCPUs
    /// may still read there until a shoot-down.
    ///
    /// @param entry the page's entry as it was read, PRESENT in the shared tier
    /// @return 0 if the entry is another one by now: look again; -1 if there is no frame
    public long firstWrite(long page, long entry) {
        long copying = PageTableEntry.with(entry, PteState.COPYING);
        if (!table.compareAndSet(page, entry, copying)) {
            return 0;
        }
        long old = PageTableEntry.frame(entry);
        long fresh = take(page, old);
        if (fresh < 0) {
            table.compareAndSet(page, copying, PageTableEntry.with(copying, PteState.PRESENT));
            return -1;
        }
        memory.copy(region.frameDataOffset(old), region.frameDataOffset(fresh), RegionLayout.FRAME_BYTES);
        // Waits for what take() began to write back.
        memory.fence();
        long next = PageTableEntry.moved(copying, Tier.SHARED, fresh);
        if (!table.compareAndSet(page, copying, next)) {
            throw new IllegalStateException("vm slot " + vm.index() + ": page " + page + " is "
                    + PageTableEntry.describe(table.entryAcquire(page)) + ", not " + PageTableEntry.describe(copying));
        }
        allocator.preserve(vm.index(), page, old);
        allocator.settleLater(vm.index(), page, fresh);
        return next;
    }

    /// Not durable before the next fence of this thread: takes a frame, and says in the log what it is for. -1 if there
    /// is no frame.
    private synchronized long take(long page, long old) {
        long fresh = takeFrame(page);
        if (fresh < 0) {
            return -1;
        }
        log.write(head, interval, old, fresh, page);
        log.writeBack(head);
        head++;
        return fresh;
    }

    private long takeFrame(long page) {
        // After a hand-off all spare ones are in blocks of the host before: they are not all given back in one store.
        for (int i = 0; tail < committed && (i < SPARES_LOOKED_AT || stocked == 0); i++) {
            PreimageLog.Entry spare = log.read(tail);
            if (spare == null) {
                throw new IllegalStateException("vm slot " + vm.index() + ": log entry " + tail + " is damaged");
            }
            tail++;
            if (allocator.recycle(vm.index(), spare.page(), spare.old(), page)) {
                return spare.old();
            }
        }
        if (head - tail >= log.capacity() || (stocked == 0 && !fillStock(1))) {
            return -1;
        }
        long frame = stock[--stocked];
        allocator.rename(vm.index(), frame, page);
        return frame;
    }

    /// Whether the interval has to end now: fewer frames are left than a slice may write. Looked at between
    /// instructions, often: it costs two loads as long as there are enough.
    public boolean mustCommit() {
        long spare = committed - tail;
        long dirty = head - committed;
        long needed = Math.min(slicePages, table.pages() - dirty);
        if (spare + stocked >= needed && dirty + needed <= log.capacity()) {
            return false;
        }
        synchronized (this) {
            long room = log.capacity() - (head - tail);
            long more = Math.min(needed - spare - stocked, room);
            return (!fillStock((int) Math.max(more, 0)) || dirty + needed > log.capacity()) && dirty > 0;
        }
    }

    /// Reserves frames until `more` were added. False if there are fewer.
    private boolean fillStock(int more) {
        int wanted = Math.min(Math.max(more, Math.min(STOCK_BATCH, stock.length - stocked)), stock.length - stocked);
        if (wanted <= 0) {
            return more <= 0;
        }
        long[] frames = new long[wanted];
        int got = allocator.reserve(PageSize.SMALL, vm.index(), stockPages, wanted, frames);
        System.arraycopy(frames, 0, stock, stocked, got);
        stocked += got;
        return got >= more;
    }

    /// Takes the frames that a VM needs before its first write. In a full region the spare pre-images that it has will
    /// do.
    void stockUp() {
        long needed = Math.min(table.pages(), FIRST_STOCK);
        if (!fillStock((int) needed - stocked) && stocked + committed - tail < needed) {
            int got = stocked;
            close();
            throw TomboloException
                    .error(RegionError.REGION_FULL, "the region has not enough free frames to protect a VM")
                    .fact("file", region.file()).fact("vm", vm.index()).fact("needed", needed).fact("free", got)
                    .next("destroy a VM, or use a larger region").build();
        }
    }

    /// Where the state of the next commit is written; whoever recovers the VM reads the other one.
    public MetadataSlot next() {
        return slots[expected == CommitWord.NONE ? 0 : 1 - CommitWord.slot(expected)];
    }

    /// Ends the open interval: publishes what was written to [#next], makes everything that the interval wrote durable,
    /// and changes the commit word. If true, whatever was produced up to now may leave, and the next interval is open.
    /// If false, a takeover has sealed the word, or the VM is somebody else's: nothing may leave any more, and the VM
    /// must not be executed here again.
    ///
    /// @param ownerEpoch epoch of the owner word under which this host executed the VM
    /// @param paused     whether the VM is to be paused wherever it goes on
    public boolean commit(long ownerEpoch, int length, int schema, boolean paused) {
        MetadataSlot slot = next();
        slot.publish(ownerEpoch, interval, length, schema, uuid, paused, head, (int) (head - tail));
        if (!memory.isAlwaysDurable()) {
            persistInterval();
        }
        long next = CommitWord.pack(ownerEpoch, interval, slot == slots[0] ? 0 : 1);
        if (!vm.compareAndSetCommit(expected, next)) {
            return false;
        }
        expected = next;
        interval++;
        committed = head;
        commits++;
        return true;
    }

    /// Step 2 of a commit. Its cost grows with what was written; memory that lives with the machine does without.
    private void persistInterval() {
        for (long position = committed; position < head; position++) {
            PreimageLog.Entry entry = log.read(position);
            if (entry == null) {
                throw new IllegalStateException("vm slot " + vm.index() + ": log entry " + position + " is damaged");
            }
            memory.writeBack(region.frameDataOffset(entry.fresh()), RegionLayout.FRAME_BYTES);
            memory.writeBack(region.frameWordOffset(entry.fresh()), 8);
            table.writeBack(entry.page(), 1);
        }
        memory.fence();
    }

    /// Ends the protection: -> not protected. False as with [#commit]. The frames are given back by [Protection].
    boolean end() {
        return vm.compareAndSetCommit(expected, CommitWord.NONE);
    }

    /// Commits made by this object.
    public long commits() {
        return commits;
    }

    /// Pages written in the open interval.
    public long dirtyPages() {
        return head - committed;
    }

    /// Frames that the VM has beside its memory: pre-images, spare or not, and stock.
    public long preimageFrames() {
        return head - tail + stocked;
    }

    /// Most pre-images that the log can list.
    public long preimageLimit() {
        return log.capacity();
    }

    VmSlot vm() {
        return vm;
    }

    Region region() {
        return region;
    }

    /// Gives the stock back; the VM has left this host, or is being destroyed or unprotected. Idempotent.
    @Override
    public synchronized void close() {
        allocator.release(PageSize.SMALL, vm.index(), stockPages, stock, stocked);
        stocked = 0;
        Arrays.fill(stock, 0);
        allocator.trim();
    }
}

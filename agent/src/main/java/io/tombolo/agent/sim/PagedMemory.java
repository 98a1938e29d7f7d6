package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.agent.pages.PageBits;
import io.tombolo.agent.pages.VmPages;
import io.tombolo.region.PageTable;
import io.tombolo.region.PageTableEntry;
import io.tombolo.region.os.RawMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Guest memory through the VM's page table in the shared region: the production path. The first access to a page loads
/// its 8-byte entry with acquire order, checks that it is present, marks the page accessed or dirty, and finds the
/// frame in the tier that the entry names. What it found is kept in a translation buffer, one for reads and one for
/// writes, until [#forget]: that a mover changed entries is heard at the end of a slice (see
/// [io.tombolo.agent.pages.Shootdown]), so no translation outlives the slice in which its page was marked.
///
/// A page that is in the buffer for writes was marked dirty since the last shoot-down; who clears marks and wants to
/// see every later access makes a shoot-down afterwards.
///
/// For one vCPU thread, and not counted by [GuestCopier], because what a vCPU touches is not copying.
///
/// Bounds are checked here, once per access, and the access itself is a bare load or store: what the checks of
/// [MemorySegment] cost would be several times the access. So the table and both tiers stay mapped until the vCPU
/// threads have ended.
///
/// Errors: [GuestFault]. A damaged entry that names a frame outside its tier is a fault of this guest
/// ([GuestFault.Kind#BAD_FRAME]), never an access outside the tier.
public final class PagedMemory implements GuestMemory {
    private static final VarHandle ENTRY = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    // What is accessed is always aligned, see #entry; the layout without alignment spares a second check.
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment shared;
    private final MemorySegment local;
    private final long tableAt;
    private final long sharedAt;
    private final long sharedLast;
    private final long localAt;
    private final long localLast;
    private final PageBits bits;
    private final int pageShift;
    private final long pageMask;
    private final long bytes;
    private final long words;
    private final PageFaultHandler faults;
    private final Translations reads;
    private final Translations writes;
    private FirstWrites firstWrites;

    /// Guest memory of a VM on this host.
    ///
    /// @param bytes     size of guest memory, a multiple of the page size
    /// @param pageShift log2 of the page size: 12 or 21
    /// @param table     the entries, 8 bytes each, at least one per page
    /// @param shared    the frames of the region, frame 0 first
    /// @param local     the frames of this host's own tier, frame 0 first; [MemorySegment#NULL] if it has none
    /// @param bits      marks of this VM's pages
    /// @param faults    slow path
    public PagedMemory(long bytes, int pageShift, MemorySegment table, MemorySegment shared, MemorySegment local,
            PageBits bits, PageFaultHandler faults) {
        this.shared = requireNonNull(shared, "shared is null");
        this.local = requireNonNull(local, "local is null");
        this.tableAt = requireNonNull(table, "table is null").address();
        this.sharedAt = shared.address();
        this.sharedLast = shared.byteSize() - Long.BYTES;
        this.localAt = local.address();
        this.localLast = local.byteSize() - Long.BYTES;
        this.bits = requireNonNull(bits, "bits is null");
        this.faults = requireNonNull(faults, "faults is null");
        if (bytes <= 0 || bytes % (1L << pageShift) != 0) {
            throw new IllegalArgumentException("bytes is not a positive multiple of the page size: bytes=" + bytes);
        }
        if (table.byteSize() >>> 3 < bytes >>> pageShift) {
            throw new IllegalArgumentException("page table too short: entries=" + (table.byteSize() >>> 3) + " pages="
                    + (bytes >>> pageShift));
        }
        this.pageShift = pageShift;
        this.pageMask = (1L << pageShift) - 1;
        this.bytes = bytes;
        this.words = bytes >>> 3;
        this.reads = new Translations(pages());
        this.writes = new Translations(pages());
    }

    /// Entries may have changed: no translation that was found before is used any more.
    @Override
    public void forget() {
        reads.forget();
        writes.forget();
    }

    /// The interval of a protected VM was committed: no page may be written by what was found before.
    void forgetWrites() {
        writes.forget();
    }

    /// From the next [#forget] on, which is at the start of the next stretch, the first write of a page in an interval
    /// goes through `first`; null: the VM is not protected. While the vCPU is stopped.
    public void protect(FirstWrites first) {
        firstWrites = first;
    }

    /// The memory of a VM whose pages are all 4 KiB frames of a region, as whoever only reads it sees it.
    public PagedMemory(long bytes, MemorySegment table, MemorySegment shared, PageFaultHandler faults) {
        this(bytes, PAGE_SHIFT, table, shared, MemorySegment.NULL, new PageBits(Math.max(1, bytes >>> PAGE_SHIFT)),
                faults);
    }

    /// The memory of a VM whose pages are frames of a region.
    public static PagedMemory of(PageTable pages, PageFaultHandler faults) {
        return new PagedMemory(pages.pages() << PAGE_SHIFT, pages.words(), pages.region().data(), faults);
    }

    /// The memory of a VM on its owner host, whose pages may move between the tiers.
    public static PagedMemory of(VmPages vm, PageFaultHandler faults) {
        PageTable table = vm.table();
        return new PagedMemory(table.pages() << vm.size().shift(), vm.size().shift(), table.words(), vm.shared(),
                vm.localData(), vm.bits(), faults);
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public long getLong(long gpa) {
        long there = reads.has(gpa) ? reads.there(gpa) : translateRead(gpa);
        return RawMemory.ALL.get(WORD, gpa + there);
    }

    @Override
    public void setLong(long gpa, long value) {
        long there = writes.has(gpa) ? writes.there(gpa) : translateWrite(gpa);
        RawMemory.ALL.set(WORD, gpa + there, value);
    }

    private long translateRead(long gpa) {
        check(gpa);
        long entry = entryForReading(gpa >>> pageShift);
        bits.read(gpa >>> pageShift);
        return reads.add(gpa, addressOf(entry, gpa) - gpa);
    }

    /// The entry of a page that this vCPU is known to read. Whoever gives the page another frame forgets that while
    /// this vCPU waits for the page, so after a wait it is said again, and the entry loaded after that.
    private long entryForReading(long page) {
        FirstWrites first = firstWrites;
        if (first == null) {
            return presentEntry(page);
        }
        while (true) {
            first.reads(page);
            long entry = entryOf(page);
            if (PageTableEntry.isPresent(entry)) {
                return entry;
            }
            var _ = slowEntry(page, entry);
        }
    }

    private long translateWrite(long gpa) {
        check(gpa);
        FirstWrites first = firstWrites;
        if (first != null && !first.isWritten(gpa >>> pageShift)) {
            writeFirst(first, gpa);
        }
        long entry = presentEntry(gpa >>> pageShift);
        bits.written(gpa >>> pageShift);
        return writes.add(gpa, addressOf(entry, gpa) - gpa);
    }

    /// Gives the page its frame of the open interval; what this vCPU reads is in that frame from now on.
    private void writeFirst(FirstWrites first, long gpa) {
        long page = gpa >>> pageShift;
        do {
            if (!first.begin(page)) {
                var _ = presentEntry(page);
            }
        } while (!first.isWritten(page));
        if (first.hasWaited()) {
            forget();
        }
        reads.add(gpa, addressOf(entryForReading(page), gpa) - gpa);
    }

    private long entry(long gpa) {
        check(gpa);
        return presentEntry(gpa >>> pageShift);
    }

    private void check(long gpa) {
        // A misaligned address has low bits, which the rotation makes high ones: one compare refuses both kinds.
        if (Long.compareUnsigned(Long.rotateRight(gpa, 3), words) >= 0) {
            throw GuestMemory.refused(gpa, bytes);
        }
    }

    private long presentEntry(long page) {
        long entry = entryOf(page);
        return PageTableEntry.isPresent(entry) ? entry : slowEntry(page, entry);
    }

    private long entryOf(long page) {
        return (long) ENTRY.getAcquire(RawMemory.ALL, tableAt + (page << 3));
    }

    private long addressOf(long entry, long gpa) {
        long offset = (PageTableEntry.frame(entry) << PAGE_SHIFT) + (gpa & pageMask);
        if (PageTableEntry.isPresentShared(entry)) {
            if (offset <= sharedLast) {
                return sharedAt + offset;
            }
        } else if (offset <= localLast) {
            return localAt + offset;
        }
        throw badFrame(gpa);
    }

    private GuestFault badFrame(long gpa) {
        return new GuestFault(GuestFault.Kind.BAD_FRAME, gpa, "its page-table entry names a frame outside the data");
    }

    private long slowEntry(long page, long entry) {
        long current = entry;
        while (!PageTableEntry.isPresent(current)) {
            faults.awaitPresent(page, current);
            current = entryOf(page);
        }
        // While it waited the vCPU held up no mover.
        forget();
        return current;
    }

    /// Place in [#tierOf] of the 4 KiB at `gpa`, for [GuestCopier] and the comparison; same checks as an access.
    long placeOf(long gpa) {
        long entry = entry(gpa);
        return addressOf(entry, gpa) - (PageTableEntry.isPresentShared(entry) ? sharedAt : localAt);
    }

    MemorySegment tierOf(long gpa) {
        return PageTableEntry.isPresentShared(entry(gpa)) ? shared : local;
    }
}

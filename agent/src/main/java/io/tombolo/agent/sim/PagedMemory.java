package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.PageTable;
import io.tombolo.region.PageTableEntry;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Guest memory through the VM's page table in the shared region: the production path. Every access loads the 8-byte
/// entry of its page with acquire order, checks that it is present in the shared tier, and goes to the frame; no
/// translation outlives the access that read it, so a mover has to wait only for accesses, not for cached entries.
///
/// For vCPU threads only: it is not counted by [GuestCopier], because what a vCPU touches is not copying. One instance
/// may serve all vCPUs of a VM; it holds no mutable state.
///
/// Errors: [GuestFault]. A damaged entry that names a frame outside the data area is a fault of this guest
/// ([GuestFault.Kind#BAD_FRAME]), never an access outside the area.
public final class PagedMemory implements GuestMemory {
    private static final VarHandle ENTRY = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();
    // What is accessed is always aligned, see #translate; the layout without alignment spares a second check.
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final MemorySegment table;
    private final MemorySegment data;
    private final long bytes;
    private final long words;
    private final PageFaultHandler faults;

    /// Guest memory of a VM on this host.
    ///
    /// @param bytes  size of guest memory, a multiple of the page size
    /// @param table  the entries, 8 bytes each, at least one per page
    /// @param data   the frames of the region, frame 0 first
    /// @param faults slow path
    public PagedMemory(long bytes, MemorySegment table, MemorySegment data, PageFaultHandler faults) {
        this.table = requireNonNull(table, "table is null");
        this.data = requireNonNull(data, "data is null");
        this.faults = requireNonNull(faults, "faults is null");
        if (bytes <= 0 || bytes % PAGE_BYTES != 0) {
            throw new IllegalArgumentException("bytes is not a positive multiple of the page size: bytes=" + bytes);
        }
        if (table.byteSize() >>> 3 < bytes >>> PAGE_SHIFT) {
            throw new IllegalArgumentException("page table too short: entries=" + (table.byteSize() >>> 3) + " pages="
                    + (bytes >>> PAGE_SHIFT));
        }
        this.bytes = bytes;
        this.words = bytes >>> 3;
    }

    /// The memory of a VM whose pages are frames of a region.
    public static PagedMemory of(PageTable pages, PageFaultHandler faults) {
        return new PagedMemory(pages.pages() << PAGE_SHIFT, pages.words(), pages.region().data(), faults);
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public long getLong(long gpa) {
        try {
            return data.get(WORD, translate(gpa));
        } catch (IndexOutOfBoundsException _) {
            throw badFrame(gpa);
        }
    }

    @Override
    public void setLong(long gpa, long value) {
        try {
            data.set(WORD, translate(gpa), value);
        } catch (IndexOutOfBoundsException _) {
            throw badFrame(gpa);
        }
    }

    private long translate(long gpa) {
        // A misaligned address has low bits, which the rotation makes high ones: one compare refuses both kinds.
        if (Long.compareUnsigned(Long.rotateRight(gpa, 3), words) >= 0) {
            throw GuestMemory.refused(gpa, bytes);
        }
        long entry = (long) ENTRY.getAcquire(table, gpa >>> PAGE_SHIFT << 3);
        if (!PageTableEntry.isPresentShared(entry)) {
            entry = slowEntry(gpa >>> PAGE_SHIFT, entry);
        }
        return (PageTableEntry.frame(entry) << PAGE_SHIFT) | (gpa & (PAGE_BYTES - 1));
    }

    /// The data area's own bounds check found it; this only says it in the guest's words.
    private GuestFault badFrame(long gpa) {
        return new GuestFault(GuestFault.Kind.BAD_FRAME, gpa, "its page-table entry names a frame outside the data");
    }

    private long slowEntry(long page, long entry) {
        long current = entry;
        while (!PageTableEntry.isPresentShared(current)) {
            faults.awaitPresent(page, current);
            current = (long) ENTRY.getAcquire(table, page << 3);
        }
        return current;
    }

    /// Offset in [#data] of a page, for [GuestCopier] and the comparison; same checks as an access.
    long pageOffset(long page) {
        long offset = translate(page << PAGE_SHIFT);
        if (offset > data.byteSize() - PAGE_BYTES) {
            throw badFrame(page << PAGE_SHIFT);
        }
        return offset;
    }

    MemorySegment data() {
        return data;
    }
}

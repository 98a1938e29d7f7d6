package io.tombolo.region;

import java.lang.foreign.MemorySegment;

/// One VM's page table: a flat array of [PageTableEntry], one per guest page, in a contiguous run of frames. Thread
/// safe. Belongs to the VM as it was when the object was made; whoever destroys the VM has stopped its users before.
///
/// Hot path of a guest access, one acquire load of the entry and one access to the data:
///
///     long pte = (long) LONG.getAcquire(table.words(), page << 3);
///     if (pte >>> 56 == PageTableEntry.PRESENT_SHARED) { … region.data() at PageTableEntry.frame(pte) * 4096 + offset
///     … }
public final class PageTable {
    private final Region region;
    private final Memory memory;
    private final int vm;
    private final long offset;
    private final long pages;
    private final PageSize pageSize;

    PageTable(Region region, int vm, VmIdentity identity) {
        this.region = region;
        this.memory = region.memory();
        this.vm = vm;
        this.offset = region.frameDataOffset(identity.tableFirstFrame());
        this.pages = identity.pages();
        this.pageSize = identity.pageSize();
    }

    public int vm() {
        return vm;
    }

    /// Guest pages, and entries.
    public long pages() {
        return pages;
    }

    public PageSize pageSize() {
        return pageSize;
    }

    public long entryAcquire(long page) {
        return memory.loadAcquire(at(page));
    }

    /// Copies the entries of a range of pages out, as bytes of the region. Not atomic: for who owns the VM alone.
    void copyOut(long firstPage, MemorySegment into, int count) {
        memory.copyOut(at(firstPage), into, 0, count * 8L);
    }

    /// Changes the entry if it is still `expect`; a change of state has the next tag. Does not persist: see [#persist].
    public boolean compareAndSet(long page, long expect, long next) {
        return memory.compareAndSet(at(page), expect, next);
    }

    /// Makes the entries of a range of pages durable; before anything that depends on them is stored.
    public void persist(long firstPage, long count) {
        memory.persist(at(firstPage), count * 8);
    }

    /// Begins to make the entries of a range durable; they are after the next [Memory#fence].
    public void writeBack(long firstPage, long count) {
        memory.writeBack(at(firstPage), count * 8);
    }

    /// The raw entries, for reading on the hot path.
    public MemorySegment words() {
        return memory.segment(offset, pages * 8);
    }

    /// The region that the frames belong to.
    public Region region() {
        return region;
    }

    private long at(long page) {
        if (page < 0 || page >= pages) {
            throw new IndexOutOfBoundsException("page " + page + " is not below " + pages);
        }
        return offset + page * 8;
    }
}

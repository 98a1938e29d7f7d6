package io.tombolo.agent.sim;

import io.tombolo.agent.pages.GuestCopier;
import java.lang.foreign.ValueLayout;

/// Compares the memory of a VM with that of its reference run, byte for byte, while the VM is stopped.
///
/// Every byte of the VM is looked at, page after page through its page table; a page that the reference never wrote
/// is compared with zeros, so that a reference of 8 GiB with a small working set costs its working set. Everything is
/// loaded through a [GuestCopier] and counted there.
public final class MemoryComparison {
    private MemoryComparison() {
    }

    /// What came out. Offsets are bytes within the page; -1 where the memories are identical.
    ///
    /// @param pages           pages compared = all pages of the VM
    /// @param writtenPages    pages of these that the reference wrote
    /// @param differingPages  pages that differ
    /// @param firstPage       first page that differs
    /// @param firstOffset     first byte in it
    /// @param found           that byte in the VM
    /// @param expected        that byte in the reference
    public record Result(long pages, long writtenPages, long differingPages, long firstPage, int firstOffset, int found,
            int expected) {
        public boolean identical() {
            return differingPages == 0;
        }
    }

    /// Compares all of it.
    ///
    /// @param actual    memory of the stopped VM
    /// @param reference memory of the reference run, of the same size
    /// @throws GuestFault if a page of the VM is not present
    public static Result compare(PagedMemory actual, FlatMemory reference, GuestCopier copier) {
        if (actual.bytes() != reference.bytes()) {
            throw new IllegalArgumentException(
                    "memories differ in size: actual=" + actual.bytes() + " reference=" + reference.bytes());
        }
        long written = 0;
        long differing = 0;
        long firstPage = -1;
        long firstOffset = -1;
        for (long page = 0; page < actual.pages(); page++) {
            long gpa = page << GuestMemory.PAGE_SHIFT;
            long offset = actual.placeOf(gpa);
            long mismatch;
            if (reference.written(page)) {
                written++;
                mismatch = copier.pageMismatch(actual.tierOf(gpa), offset, reference.segment(),
                        gpa);
            } else {
                mismatch = copier.pageNotZero(actual.tierOf(gpa), offset);
            }
            if (mismatch >= 0) {
                differing++;
                firstOffset = firstPage < 0 ? mismatch : firstOffset;
                firstPage = firstPage < 0 ? page : firstPage;
            }
        }
        if (differing == 0) {
            return new Result(actual.pages(), written, 0, -1, -1, -1, -1);
        }
        long gpa = firstPage << GuestMemory.PAGE_SHIFT;
        int found = actual.tierOf(gpa).get(ValueLayout.JAVA_BYTE, actual.placeOf(gpa) + firstOffset) & 0xFF;
        int expected = reference.segment().get(ValueLayout.JAVA_BYTE,
                (firstPage << GuestMemory.PAGE_SHIFT) + firstOffset) & 0xFF;
        return new Result(actual.pages(), written, differing, firstPage, (int) firstOffset, found, expected);
    }
}

package io.tombolo.agent.pages;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// Dirty and accessed marks of a VM's pages, in memory of this host: what was touched since the VM came here or since
/// they were cleared. Two bytes per page, accessed then dirty, each 0 or 1.
///
/// Bytes and not bits of the page-table entry: a vCPU that stored to the entry could bring an old translation back.
/// A vCPU looks before it stores, so a page that is in use costs it a load.
///
/// A vCPU may have seen a mark set just before it was cleared, and then writes without setting it. Who clears in order
/// to copy what was dirty makes a [Shootdown] after clearing and before copying.
///
/// Thread safe: the marks are single bytes and only ever become 1 by vCPUs and 0 by [#clear].
public final class PageBits {
    /// Bit in what [#get] returns.
    public static final int ACCESSED = 1;
    /// Bit in what [#get] returns.
    public static final int DIRTY = 2;

    private static final short BOTH = 0x0101;
    private static final VarHandle PAIR = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

    private final byte[] marks;

    /// All clear.
    ///
    /// @param pages at most 2^30 - 1: 4 TiB of 4 KiB pages
    public PageBits(long pages) {
        this.marks = new byte[Math.toIntExact(pages * 2)];
    }

    public long pages() {
        return marks.length / 2;
    }

    /// By a vCPU, before it reads.
    public void read(long page) {
        int at = (int) page << 1;
        if (marks[at] == 0) {
            marks[at] = 1;
        }
    }

    /// By a vCPU, before it writes.
    public void written(long page) {
        int at = (int) page << 1;
        if ((short) PAIR.get(marks, at) != BOTH) {
            marks[at] = 1;
            marks[at + 1] = 1;
        }
    }

    /// [#ACCESSED] and [#DIRTY] of a page.
    public int get(long page) {
        int at = (int) page << 1;
        return (marks[at] == 0 ? 0 : ACCESSED) | (marks[at + 1] == 0 ? 0 : DIRTY);
    }

    public boolean isDirty(long page) {
        return marks[((int) page << 1) + 1] != 0;
    }

    /// Clears some of [#ACCESSED] and [#DIRTY] of a page.
    public void clear(long page, int which) {
        int at = (int) page << 1;
        if ((which & ACCESSED) != 0) {
            marks[at] = 0;
        }
        if ((which & DIRTY) != 0) {
            marks[at + 1] = 0;
        }
    }
}

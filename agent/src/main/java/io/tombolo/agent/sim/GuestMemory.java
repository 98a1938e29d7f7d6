package io.tombolo.agent.sim;

/// Guest physical memory as a vCPU sees it: 64-bit little-endian words at 8-byte aligned guest physical addresses
/// (`gpa`, bytes from 0).
///
/// Accesses are plain: the vCPUs of a VM work on disjoint pages, and what orders one host's accesses before the next
/// host's is the stop of the vCPU and the compare-and-set of the owner word. No access allocates.
///
/// Errors: [GuestFault] for an address out of range or misaligned, the same on every implementation.
public sealed interface GuestMemory permits FlatMemory, PagedMemory {
    /// Bytes of one page, and of the unit in which sizes are given.
    int PAGE_BYTES = 4096;
    /// log2 of [#PAGE_BYTES].
    int PAGE_SHIFT = 12;

    long bytes();

    long getLong(long gpa);

    void setLong(long gpa, long value);

    /// Drops what is remembered of page-table entries.
    default void forget() {
    }

    default long pages() {
        return bytes() >>> PAGE_SHIFT;
    }

    /// Makes the fault of a refused address; shared so that both memories refuse in the same words.
    static GuestFault refused(long gpa, long bytes) {
        return (gpa & 7) != 0
                ? new GuestFault(GuestFault.Kind.MISALIGNED, gpa, "not 8-byte aligned")
                : new GuestFault(GuestFault.Kind.OUT_OF_RANGE, gpa,
                        "guest memory ends at 0x" + Long.toHexString(bytes));
    }
}

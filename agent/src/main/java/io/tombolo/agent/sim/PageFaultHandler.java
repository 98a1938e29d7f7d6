package io.tombolo.agent.sim;

/// The slow path of [PagedMemory]: called on the vCPU's own thread when the entry of a page is anything but present in
/// the shared tier. The page mover is the one who makes and ends that state.
@FunctionalInterface
public interface PageFaultHandler {
    /// Refuses every such page: right as long as no page of this VM ever moves.
    PageFaultHandler NO_MOVER = (page, entry) -> {
        throw new GuestFault(GuestFault.Kind.NOT_PRESENT, page << GuestMemory.PAGE_SHIFT,
                "page-table entry 0x" + Long.toHexString(entry) + " is not present in the shared tier");
    };

    /// Waits, bounded, until the page may be used and returns; the access then reads the entry again. While it waits
    /// the vCPU uses no translation, so this counts as a quiescent point for a shoot-down.
    ///
    /// @param page  number of the guest page
    /// @param entry the entry as it was read
    /// @throws GuestFault when the page will not come
    void awaitPresent(long page, long entry);
}

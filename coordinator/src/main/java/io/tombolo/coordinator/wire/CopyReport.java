package io.tombolo.coordinator.wire;

/// What the pages of a copy cost, as its source counted them.
///
/// @param rounds    rounds, the last one with the guest stopped included
/// @param pages     pages of the VM in the source's own memory
/// @param pagesSent pages sent in all rounds, a page that was sent twice counted twice, zero pages included
/// @param bytesSent bytes of page contents that were sent; a page of zeros is none
/// @param copyNs    from the order until the guest was stopped
public record CopyReport(int rounds, long pages, long pagesSent, long bytesSent, long copyNs) {
    /// Nothing is known.
    public static final CopyReport UNKNOWN = new CopyReport(0, 0, 0, 0, 0);
}

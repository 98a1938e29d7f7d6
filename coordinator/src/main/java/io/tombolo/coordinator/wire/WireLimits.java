package io.tombolo.coordinator.wire;

/// Limits of the wire protocol. All are checked before memory is allocated for what they limit.
public final class WireLimits {
    /// Bytes of a whole frame. The largest message is a list of all VMs: 64 slots of at most 64 vCPUs are about 60 KiB,
    /// and an input log reply is cut to fit. 1 MiB leaves room for regions with more slots, and a peer that sends
    /// garbage can make this process hold no more than this per connection.
    public static final int MAX_FRAME_BYTES = 1 << 20;
    /// Bytes of a payload: what a frame leaves.
    public static final int MAX_PAYLOAD_BYTES = MAX_FRAME_BYTES - FrameHeader.BYTES;
    /// UTF-8 bytes of one string. The longest are texts of errors.
    public static final int MAX_STRING_BYTES = 16 * 1024;
    /// Elements of one list: what its 16-bit count can say.
    public static final int MAX_LIST_ELEMENTS = 0xFFFF;
    /// Pages of one call about pages, and so bytes of one row of statuses: a call of 256 MiB of small pages, whose
    /// reply is an eighth of a frame.
    public static final int MAX_PAGE_BYTES = 65_536;
    /// Bytes of guest memory in one message of a copy: with 2048 runs of pages beside them they fit a frame.
    public static final int MAX_COPY_BYTES = 240 * 4096;
    /// Runs of pages in one message of a copy.
    public static final int MAX_COPY_RUNS = 2_048;
    /// Requests of one connection that may wait for their replies; one more is answered with `RPC_BUSY`. A coordinator
    /// has a handful of requests per VM slot under way at most.
    public static final int MAX_REQUESTS_IN_HAND = 256;
    /// A peer that has not said hello by then is cut off: a port scanner must not hold a connection for ever.
    public static final int HANDSHAKE_TIMEOUT_MS = 5_000;

    private WireLimits() {
    }
}

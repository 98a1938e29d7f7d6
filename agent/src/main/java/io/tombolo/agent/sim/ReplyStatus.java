package io.tombolo.agent.sim;

/// How a request ended. Codes are stored in guest memory and travel on the wire; they never change.
public enum ReplyStatus {
    OK(0),
    /// The key or account does not exist.
    NOT_FOUND(1),
    /// The compare-and-set found another value.
    CAS_MISMATCH(2),
    /// The account has too little for the transfer.
    INSUFFICIENT(3),
    /// The table of keys is full; nothing was changed.
    TABLE_FULL(4),
    /// The table that recognises repeats is full; nothing was changed.
    CLIENTS_FULL(5),
    /// A sequence number below the client's last one; not executed now, what it did then is not kept.
    STALE_SEQUENCE(6),
    /// Unknown operation or arguments out of range, or a repeat that asks for something else than the first time.
    BAD_REQUEST(7),
    /// The guest found its own memory damaged.
    DAMAGED(8),
    /// Too many requests wait; certainly not executed.
    QUEUE_FULL(32),
    /// The VM has left this host or is not here; certainly not executed.
    NOT_OWNER(33),
    /// The log of requests is full, so a replay would not be possible; certainly not executed.
    LOG_FULL(34);

    private final int code;

    ReplyStatus(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /// The status of a code.
    ///
    /// @throws IllegalArgumentException for a code that is none
    public static ReplyStatus of(long code) {
        for (ReplyStatus status : values()) {
            if (status.code == code) {
                return status;
            }
        }
        throw new IllegalArgumentException("not a reply status: code=" + code);
    }
}

package io.tombolo.agent.sim;

/// How a request ended. Codes are stored in guest memory and travel on the wire; they never change.
public enum ReplyStatus {
    OK(0, true),
    /// The key or account does not exist.
    NOT_FOUND(1, true),
    /// The compare-and-set found another value.
    CAS_MISMATCH(2, true),
    /// The account has too little for the transfer.
    INSUFFICIENT(3, true),
    /// The table of keys is full; nothing was changed.
    TABLE_FULL(4, true),
    /// The table that recognises repeats is full; nothing was changed.
    CLIENTS_FULL(5, false),
    /// A sequence number below the client's last one; not executed now, what it did then is not kept.
    STALE_SEQUENCE(6, false),
    /// Unknown operation or arguments out of range, or a repeat that asks for something else than the first time.
    BAD_REQUEST(7, false),
    /// The guest found its own memory damaged.
    DAMAGED(8, false),
    /// Too many requests wait; certainly not executed.
    QUEUE_FULL(32, false),
    /// The VM has left this host or is not here; certainly not executed.
    NOT_OWNER(33, false),
    /// The log of requests is full, so a replay would not be possible; certainly not executed.
    LOG_FULL(34, false);

    private final int code;
    private final boolean executed;

    ReplyStatus(int code, boolean executed) {
        this.code = code;
        this.executed = executed;
    }

    public int code() {
        return code;
    }

    /// Whether the operation was carried out (also if its outcome was a refusal by its own rules).
    public boolean executed() {
        return executed;
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

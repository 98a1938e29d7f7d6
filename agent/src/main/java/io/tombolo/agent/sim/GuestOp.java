package io.tombolo.agent.sim;

/// What a client may ask of a guest. Codes travel on the wire and in the input log and never change; 32 and above
/// are kept for later programs.
public enum GuestOp {
    /// a = key. Value: the value.
    KV_READ(1),
    /// a = key, b = value. Value: b.
    KV_WRITE(2),
    /// a = key, b = expected, c = new. Value: the value afterwards.
    KV_CAS(3),
    /// a = key, b = element, 1 to 15. The value is a list of at most 16 elements, four bits each, the last one
    /// lowest; an element is added at its end. Value: the list afterwards.
    KV_APPEND(4),
    /// a = from account, b = to account, c = amount. Value: the balance of `from` afterwards.
    BANK_TRANSFER(16),
    /// a = account. Value: its balance.
    BANK_READ(17),
    /// Values: the balances of all client accounts, in order. Value: their sum.
    BANK_READ_ALL(18),
    /// Value: the sum of all accounts of vCPU 0, internal ones included.
    BANK_TOTAL(19);

    private final int code;

    GuestOp(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /// The operation of a code, null if there is none.
    public static GuestOp of(int code) {
        for (GuestOp op : values()) {
            if (op.code == code) {
                return op;
            }
        }
        return null;
    }
}

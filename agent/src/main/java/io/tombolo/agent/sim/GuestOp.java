package io.tombolo.agent.sim;

/// What a client may ask of a guest. Labels travel on the wire, codes are in guest memory and in the input log; neither changes; 4 is kept for an
/// append to a list, 32 and above for later programs.
public enum GuestOp {
    /// a = key. Value: the value.
    KV_READ(1, "read"),
    /// a = key, b = value. Value: b.
    KV_WRITE(2, "write"),
    /// a = key, b = expected, c = new. Value: the value afterwards.
    KV_CAS(3, "cas"),
    /// a = from account, b = to account, c = amount. Value: the balance of `from` afterwards.
    BANK_TRANSFER(16, "transfer"),
    /// a = account. Value: its balance.
    BANK_READ(17, "balance"),
    /// Values: the balances of all client accounts, in order. Value: their sum.
    BANK_READ_ALL(18, "balances"),
    /// Value: the sum of all accounts of vCPU 0, internal ones included.
    BANK_TOTAL(19, "total");

    private final int code;
    private final String label;

    GuestOp(int code, String label) {
        this.code = code;
        this.label = label;
    }

    public int code() {
        return code;
    }

    /// The name on the wire.
    public String label() {
        return label;
    }

    /// The operation of a name on the wire, null if there is none.
    public static GuestOp of(String label) {
        for (GuestOp op : values()) {
            if (op.label.equals(label)) {
                return op;
            }
        }
        return null;
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

package io.tombolo.agent.sim;

/// What a guest program found wrong in its own memory. Codes are stored in registers and never change.
public enum SelfCheck {
    /// A word of a page does not fit the version in the page's header.
    PAGE_WORD(1),
    /// A page has another version than the program last wrote: an older state of the page came back, or a write was
    /// lost.
    PAGE_VERSION(2),
    /// An entry of the key-value table does not fit its check word.
    KV_ENTRY(3),
    /// An account does not fit its check word.
    BANK_ACCOUNT(4),
    /// The balances of a set of accounts do not add up.
    BANK_TOTAL(5),
    /// An entry of the table that recognises repeated requests does not fit its check word.
    CLIENT_ENTRY(6),
    /// Not a self-check: a [GuestFault]; its kind is `code - 64`.
    FAULT(64);

    private final int code;

    SelfCheck(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    static int faultCode(GuestFault.Kind kind) {
        return FAULT.code + kind.code();
    }

    /// Name of a code as found in a register, for reports.
    public static String describe(long code) {
        for (SelfCheck check : values()) {
            if (check.code == code && check != FAULT) {
                return check.name();
            }
        }
        for (GuestFault.Kind kind : GuestFault.Kind.values()) {
            if (faultCode(kind) == code) {
                return "FAULT_" + kind.name();
            }
        }
        return code == 0 ? "none" : "unknown(" + code + ")";
    }
}

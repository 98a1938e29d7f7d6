package io.tombolo.region;

/// State of a host slot's word. A slot belongs to one incarnation of one host; the way through the states has no way
/// back to LIVE: a restarted or un-fenced agent claims a new incarnation.
public enum HostState {
    /// Nobody's; the incarnation counter stays.
    FREE(0),
    /// An agent is writing its identity.
    CLAIMING(1),
    /// The incarnation may hold rights.
    LIVE(2),
    /// Somebody has begun to fence the incarnation; it must stop.
    FENCING(3),
    /// The incarnation says itself that all its storing threads have stopped for good.
    STOPPED(4),
    /// Positive evidence from outside that no process of the incarnation can store any more.
    CONFIRMED(5),
    /// Fencing was tried and failed; a person has to decide.
    FAILED(6);

    private static final HostState[] BY_CODE = values();
    private static final int[] NEXT = new int[BY_CODE.length];

    static {
        NEXT[FREE.code] = 1 << CLAIMING.code;
        NEXT[CLAIMING.code] = 1 << LIVE.code | 1 << FREE.code | 1 << FENCING.code;
        NEXT[LIVE.code] = 1 << FENCING.code | 1 << STOPPED.code;
        NEXT[FENCING.code] = 1 << STOPPED.code | 1 << CONFIRMED.code | 1 << FAILED.code;
        NEXT[STOPPED.code] = 1 << CONFIRMED.code;
        NEXT[FAILED.code] = 1 << CONFIRMED.code | 1 << FENCING.code | 1 << STOPPED.code;
        NEXT[CONFIRMED.code] = 1 << FREE.code;
    }

    private final int code;

    HostState(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /// The state with this code, or null if no state has it.
    public static HostState ofCode(int code) {
        return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    }

    public boolean mayBecome(HostState next) {
        return (NEXT[code] & 1 << next.code) != 0;
    }

    /// True if the whole word `next` may follow `now`: a claim counts the incarnation up, everything else keeps it.
    public static boolean permits(long now, long next) {
        HostState from = SlotWord.state(now);
        HostState to = SlotWord.state(next);
        long step = SlotWord.incarnation(next) - SlotWord.incarnation(now);
        return from != null && to != null && from.mayBecome(to) && step == (from == FREE ? 1 : 0);
    }
}

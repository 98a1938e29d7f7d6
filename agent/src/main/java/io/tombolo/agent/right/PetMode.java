package io.tombolo.agent.right;

/// What a pet tells the watchdog, and so how far its bound reaches.
public enum PetMode {
    /// The pet carries the time of the oldest check and the supervisor arms from that time (a = 1).
    TIMESTAMPED(1),
    /// Plain sd_notify, as systemd has it: armed from the receipt, so one stale pet costs a whole W more (a = 2).
    PLAIN(2);

    private final int factor;

    PetMode(int factor) {
        this.factor = factor;
    }

    /// The `a` of the bound.
    public int factor() {
        return factor;
    }
}

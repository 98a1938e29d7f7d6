package io.tombolo.coordinator;

/// Time limits of a hand-off, all multiples of one base. They bound how long a coordinator waits, never when something
/// is safe: what is safe is decided by the owner word.
///
/// @param baseMs the one figure to turn; 500 suits processes on one busy machine
public record HandoffTimings(@Defaulted("500") int baseMs) {
    public HandoffTimings {
        ConfigFile.check(baseMs >= 10 && baseMs <= 60_000, "handoff.baseMs", baseMs, "10 to 60000");
    }

    /// To make a TCP connection to an agent.
    public int connectMs() {
        return 2 * baseMs;
    }

    /// For the target to map, validate and pre-launch; a QEMU process starts within it.
    public int prepareMs() {
        return 40 * baseMs;
    }

    /// For the source to arm, quiesce, publish and see the target run or take the VM back.
    public int switchMs() {
        return 20 * baseMs;
    }

    /// For the source to kill and reap its guest process, and for a cancellation to be answered.
    public int finishMs() {
        return 20 * baseMs;
    }

    /// Between two looks at the words of the region for hosts that have stopped.
    public int lookMs() {
        return Math.max(10, baseMs / 50);
    }

    /// Between two readings of the hosts' records in ZooKeeper, for hosts that are gone.
    public int hostsMs() {
        return Math.max(25, baseMs / 10);
    }

    /// Between two questions to a host how far its takeover is.
    public int askMs() {
        return Math.max(10, baseMs / 25);
    }

    /// Before fence agents that have all failed are tried again.
    public int fenceRetryMs() {
        return 20 * baseMs;
    }

    /// How long an offer stands unanswered before it is taken to be forgotten: its source is dead, and its target's
    /// slot is another incarnation's. Longer than any source waits before it takes back.
    public int orphanMs() {
        return 20 * baseMs;
    }

    /// Between two attempts at something that must happen in the end.
    public int retryMs() {
        return baseMs;
    }
}

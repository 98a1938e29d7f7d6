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

    /// Between two attempts at something that must happen in the end.
    public int retryMs() {
        return baseMs;
    }
}

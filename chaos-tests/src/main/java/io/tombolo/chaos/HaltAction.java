package io.tombolo.chaos;

/// What happens to a process at a named moment of a hand-off.
public enum HaltAction {
    /// SIGKILL to itself.
    KILL,
    /// SIGSTOP to itself: every thread stands still until somebody sends SIGCONT.
    STOP,
    /// Only the thread that reached the moment waits, until the file [HandoffHalt#HALTED] is deleted or its time is
    /// over.
    HOLD
}

package io.tombolo.deploy.cluster;

/// Why a process and its kill group ended.
public enum StopReason {
    /// The process ended by itself, or somebody else killed it.
    EXITED,
    /// Its watchdog ran out, or it asked for that.
    WATCHDOG,
    /// A person or a test asked the supervisor to kill it.
    KILLED,
    /// It was asked to stop, and killed if it did not.
    STOPPED,
    /// The supervisor ended.
    SUPERVISOR_CLOSED
}

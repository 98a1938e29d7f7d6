package io.tombolo.agent.right;

/// What the right keeper is told. All times are CLOCK_BOOTTIME in ns.
public sealed interface RightEvent {
    /// A heartbeat sent at `sentAtNs` was answered on a session with this granted time-out.
    record HeartbeatConfirmed(long sentAtNs, long grantedTimeoutMs) implements RightEvent {
    }

    /// Time passes.
    record Tick() implements RightEvent {
    }

    /// The slot word was read just now.
    record SlotWordSeen(long word) implements RightEvent {
    }

    /// A pet reached the supervisor.
    record SupervisorSeen() implements RightEvent {
    }

    /// A pet could not be sent.
    record SupervisorLost() implements RightEvent {
    }

    /// CLOCK_BOOTTIME went this much further than CLOCK_MONOTONIC.
    record BoottimeJump(long jumpNs) implements RightEvent {
    }

    /// The ZooKeeper client says that the session is over.
    record SessionLost() implements RightEvent {
    }

    /// The owner word of one VM names somebody else, or another epoch.
    record OwnerLost(int vmSlot) implements RightEvent {
    }

    /// Every storing thread has stopped behind the closed gate; `guestsGone` if moreover no guest process is left.
    record StoringStopped(boolean guestsGone) implements RightEvent {
    }

    /// The agent did what `RenewAll` of this generation asked for.
    record RenewDone(long generation) implements RightEvent {
    }
}

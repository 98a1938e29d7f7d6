package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.HandoffReport;

/// What happens to a hand-off.
public sealed interface HandoffEvent {
    /// B is armed.
    record Prepared() implements HandoffEvent {
    }

    /// B refused, or did not answer.
    record PrepareFailed(String code, String text) implements HandoffEvent {
    }

    /// A's answer to its order.
    record Switched(HandoffReport report) implements HandoffEvent {
    }

    /// A refused, or did not answer.
    record SwitchFailed(String code, String text) implements HandoffEvent {
    }

    /// A reading of the owner word, asked for by the [HandoffEffect.ReadOwner] with the same ticket.
    record OwnerRead(long ticket, OwnerSnapshot owner) implements HandoffEvent {
    }

    /// Answer to [HandoffEffect.SendCancel].
    record Cancelled(HandoffSide side, boolean armed) implements HandoffEvent {
    }

    /// No answer to [HandoffEffect.SendCancel].
    record CancelFailed(HandoffSide side, String code) implements HandoffEvent {
    }

    /// A has reaped its guest.
    record Finished() implements HandoffEvent {
    }

    /// A refused, or did not answer.
    record FinishFailed(String code) implements HandoffEvent {
    }

    /// The intent's znode is gone and the VM's record is in line.
    record Closed() implements HandoffEvent {
    }

    /// The transaction failed.
    record CloseFailed(String code) implements HandoffEvent {
    }

    /// The host has no record in ZooKeeper, or one of another slot.
    record HostGone(HandoffSide side) implements HandoffEvent {
    }

    /// The host has its record again.
    record HostBack(HandoffSide side) implements HandoffEvent {
    }

    /// Somebody wants the hand-off to end. It does if nothing is decided yet.
    record CancelAsked() implements HandoffEvent {
    }

    /// `wakeNs` has come.
    record Tick() implements HandoffEvent {
    }

    /// This coordinator does not lead any more.
    record TermEnded() implements HandoffEvent {
    }
}

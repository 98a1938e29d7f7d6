package io.tombolo.coordinator;

import io.tombolo.coordinator.wire.HandoffReport;
import java.util.Optional;

/// What the edge has to do. Each is answered by one event, except the last two.
public sealed interface HandoffEffect {
    /// `PrepareTarget` to B.
    record SendPrepare() implements HandoffEffect {
    }

    /// `SwitchOver` to A.
    record SendSwitch() implements HandoffEffect {
    }

    /// Read the owner word, after this effect was given out. Only the answer to the newest ticket counts.
    record ReadOwner(long ticket) implements HandoffEffect {
    }

    /// `CancelIntent` to A or B.
    record SendCancel(HandoffSide side) implements HandoffEffect {
    }

    /// `FinishSource` to A.
    record SendFinish() implements HandoffEffect {
    }

    /// Close the intent and bring VM record and lease into line with `owner`.
    record Close(Optional<OwnerSnapshot> owner, String reason) implements HandoffEffect {
    }

    /// Write a reason to the VM's record, the intent stays open.
    record Note(String reason) implements HandoffEffect {
    }

    /// Answer the caller; at most once.
    record Report(HandoffResult result, Optional<HandoffReport> report) implements HandoffEffect {
    }
}

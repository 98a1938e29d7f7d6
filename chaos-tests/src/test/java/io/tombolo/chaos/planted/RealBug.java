package io.tombolo.chaos.planted;

import io.tombolo.agent.handoff.HandoffPoint;
import io.tombolo.chaos.HaltAction;

/// Bugs that are planted into the agents of a chaos run, each by making one call of one class to a method of [Hooks].
enum RealBug {
    /// The target stores the owner word instead of comparing and setting it.
    OWNER_WORD_WRITTEN("io.tombolo.agent.handoff.IncomingVm", "io.tombolo.region.VmSlot", "compareAndSetOwner",
            "writeOwner", "storm", HandoffPoint.TARGET_TAKEN, HaltAction.HOLD, false),
    /// The source takes a VM back that its target has claimed.
    TAKE_BACK_FROM_CLAIMED("io.tombolo.agent.handoff.HandoffSource", "io.tombolo.region.VmSlot", "compareAndSetOwner",
            "takeBackFromClaimed", "storm", HandoffPoint.TARGET_CLAIMED, HaltAction.HOLD, false),
    /// After a lapse of the right the guest runs again because the owner word is still there, at the same epoch.
    RESUME_BY_LOOKING("io.tombolo.agent.handoff.HostedVm", "io.tombolo.agent.handoff.RunRight", "renew", "looks",
            "ownership", null, null, false),
    /// The pet counts from when it is sent, not from the oldest check.
    PET_AT_RECEIPT("io.tombolo.agent.right.WatchdogPetter", "io.tombolo.agent.right.CheckBoard", "oldestCheckNs",
            "checkedNow", "ownership", HandoffPoint.SOURCE_SAVED, HaltAction.HOLD, true),
    /// The petting thread does not know of the others.
    PET_WITHOUT_THE_OTHERS("io.tombolo.agent.right.WatchdogPetter", "io.tombolo.agent.right.CheckBoard",
            "oldestCheckNs", "nobodyRuns", "ownership", HandoffPoint.SOURCE_OFFERED, HaltAction.HOLD, true),
    /// A slot is freed, and claimed by a new incarnation, while a VM names the old one.
    SLOT_REUSED("io.tombolo.region.HostSlots", "io.tombolo.region.HostSlots", "firstUser", "nobody", "kv", null, null,
            false);

    private final String in;
    private final String of;
    private final String called;
    private final String hook;
    private final String workload;
    private final HandoffPoint point;
    private final HaltAction action;
    private final boolean longHold;

    RealBug(String in, String of, String called, String hook, String workload, HandoffPoint point, HaltAction action,
            boolean longHold) {
        this.in = in;
        this.of = of;
        this.called = called;
        this.hook = hook;
        this.workload = workload;
        this.point = point;
        this.action = action;
        this.longHold = longHold;
    }

    /// Class whose call is changed.
    String in() {
        return in;
    }

    /// Class of the method that it calls.
    String of() {
        return of;
    }

    String called() {
        return called;
    }

    /// Method of [Hooks] that is called instead.
    String hook() {
        return hook;
    }

    String workload() {
        return workload;
    }

    /// Checker that finds it, whatever others do.
    String foundBy() {
        return switch (this) {
            case OWNER_WORD_WRITTEN -> "single-owner";
            case TAKE_BACK_FROM_CLAIMED -> "unexpected-errors";
            case RESUME_BY_LOOKING -> "lapses-renew";
            case PET_AT_RECEIPT, PET_WITHOUT_THE_OTHERS -> "watchdog-kills";
            case SLOT_REUSED -> "region-verified";
        };
    }

    /// Kind of fault that shows it.
    String nemesis() {
        return switch (this) {
            case RESUME_BY_LOOKING -> "quorum";
            case SLOT_REUSED -> "kill";
            default -> "halt";
        };
    }

    /// Moment of a hand-off at which it matters that something stands still; null for another kind of fault.
    HandoffPoint point() {
        return point;
    }

    HaltAction action() {
        return action;
    }

    /// Whether for longer than a watchdog allows.
    boolean longHold() {
        return longHold;
    }
}

package io.tombolo.agent.right;

/// What the right keeper asks the agent to do, in the order given.
public sealed interface RightEffect {
    /// The deadline is near: tell the operator.
    record Warn(long remainingNs) implements RightEffect {
    }

    /// Close the gate and stop every thread that can store to the region. `terminal`: nothing runs again under this
    /// incarnation, so guest processes are killed and not paused.
    record PauseAll(LapseReason reason, boolean terminal) implements RightEffect {
    }

    /// The right is fresh again: for each VM CAS(RUNNING A, e -> RUNNING A, e+1); a VM whose CAS fails is no longer
    /// ours. Then tell `RenewDone` with the same generation. Nothing runs before `ResumeAll`.
    record RenewAll(long generation) implements RightEffect {
    }

    /// Open the gate and run the VMs that were renewed.
    record ResumeAll(long generation) implements RightEffect {
    }

    /// Stop this VM and forget it; its owner word is not ours.
    record StopVm(int vmSlot) implements RightEffect {
    }

    /// Every storing thread has stopped and every guest process is gone: CAS the slot word to STOPPED, which is
    /// positive evidence for a takeover. The CAS may fail, somebody else then knows already.
    record SayStopped() implements RightEffect {
    }

    /// Leave the process. `allStopped` is false if threads did not stop in time and only the end of the process stops
    /// them.
    record Exit(LapseReason reason, boolean allStopped) implements RightEffect {
    }
}

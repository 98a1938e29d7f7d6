package io.tombolo.agent.right;

/// What the agent does for the right keeper. Called on the keeper's thread, in order, and must not wait: work that
/// takes time is handed to another thread.
public interface RightActions {
    void warn(long remainingNs);

    /// Stop what runs; the gate is closed already. If `terminal`, kill guest processes and do not wait for them here.
    void pauseAll(LapseReason reason, boolean terminal);

    /// True if no guest process of this host is left (reaped); asked on every tick of a terminal stop.
    boolean guestsGone();

    /// Renew the owner word of each VM, then call [RightLoop#renewDone].
    void renewAll(long generation);

    /// The gate is open: let the renewed VMs run.
    void resumeAll(long generation);

    void stopVm(int vmSlot);

    /// CAS of the slot word to STOPPED; a CAS that fails is not an error.
    void sayStopped();

    /// Leave the process now. `allStopped` false: by halting, so that no thread stores any more.
    void exit(LapseReason reason, boolean allStopped);
}

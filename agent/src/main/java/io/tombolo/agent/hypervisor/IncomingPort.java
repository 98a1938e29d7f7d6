package io.tombolo.agent.hypervisor;

import io.tombolo.region.Blob;

/// How a waiting guest gets its VM. Used by one thread, the guest's first; the order of calls is `offered` until true,
/// `take`, then `run` (a driver whose load only reads) or `claim`, load, `run`; then guest instructions; then
/// `running`.
public interface IncomingPort {
    /// Whether the owner word offers the VM to this host. One acquire load.
    boolean offered();

    /// The state, copied to private memory and checked there. Throws METADATA_DAMAGED and the like; the caller then
    /// gives up by [#refused].
    Blob take();

    /// CAS OFFERED to CLAIMED: from here only this host can give the VM back. False: the offer is gone, use nothing.
    boolean claim();

    /// CAS to RUNNING: from here guest instructions may execute. False: the VM is somebody else's, use nothing.
    boolean run();

    /// The first thread has begun to spin: the source may stop its guest.
    void spinning();

    /// To be called all the time while it spins: whoever offers can see that the thread is on a core.
    void beat();

    /// The window has passed without an offer; the thread looks only now and then from here.
    void windowPassed();

    /// The guest runs. Times as in [OfferResult].
    ///
    /// @param seenNs when the offer was seen
    /// @param runningNs when the CAS to RUNNING had returned
    /// @param firstInstructionNs when the first instruction was about to execute (QEMU: when it raised RESUME)
    void running(long seenNs, long runningNs, long firstInstructionNs);

    /// The state cannot be used: the VM is given back at once.
    void refused(String reason);
}

package io.tombolo.agent.hypervisor;

/// A pre-launched guest whose first thread waits for the VM to be offered.
public interface IncomingGuest {
    /// Lets the first thread spin on [IncomingPort#offered] for at most `spinNs`; outside a window it looks now and
    /// then. Returns without waiting; the port's `spinning` tells when the thread is there.
    void openWindow(long spinNs);

    /// The guest, once the port was told that it runs.
    Guest guest();

    /// Kills and reaps it; returns when it can touch nothing any more. Idempotent.
    void discard();
}

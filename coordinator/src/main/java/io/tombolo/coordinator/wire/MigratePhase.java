package io.tombolo.coordinator.wire;

import java.util.Locale;

/// Where a migration is, for who watches it.
public enum MigratePhase {
    /// Checks, before anything is moved.
    PREPARE,
    /// Local pages go to shared memory; the guest runs on the source.
    TO_SHARED,
    /// The VM changes hands.
    HANDOFF,
    /// Pages go to the target's own memory; the guest runs there.
    TO_LOCAL,
    /// Pages are sent from agent to agent; the guest runs on the source.
    COPY;

    /// As people read it: `prepare`, `to-shared`, `handoff`, `to-local`, `copy`.
    public String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
